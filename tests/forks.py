"""Runs commands in forks of one process that has imported the libraries, some of them short of something.

A command is a stage script or ``esetrag``, with its arguments. ``tests.standin`` brings it through a socket.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import importlib
import json
import os
import resource
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tests import standin

REPO = Path(__file__).parents[1]
FOREIGN = ("MLFLOW_", "DVC_", "GIT_", "MAKE", "MFLAGS")
"""How variables of a run, or of make, begin that may surround the tests."""
SURROUNDINGS = ("PYTHONHASHSEED", "PYTHONUTF8", "LC_ALL", "TZ", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that a process reads when it begins, so that a fork comes too late for them."""
LIBC = ctypes.CDLL(None, use_errno=True)
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000  # of unshare(2)


def file_size(most: int) -> None:
    """No file may be larger, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def memory(more: int) -> None:
    """The process may grow by so many bytes of address space."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def full(folder: str) -> None:
    """A file system without room lies over a folder; where none can be mounted, files may have no size."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    held = {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}
    ids = {"uid_map": os.getuid(), "gid_map": os.getgid()}
    try:
        if LIBC.unshare(NEW_MOUNTS | NEW_USER):
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        for name, number in ids.items():
            Path(f"/proc/self/{name}").write_text(f"0 {number} 1")
        if LIBC.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=4m"):
            raise OSError(ctypes.get_errno(), "mount")
    except OSError:
        file_size(0)
        return
    for path, content in held.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with contextlib.suppress(OSError), (Path(folder) / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def unwritable(folder: str) -> None:
    """Nobody may write there, root neither."""
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    Path(folder).chmod(0o555)
    if LIBC.capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")


def stream(number: int) -> None:
    """A standard stream that takes nothing."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), number)


def killed(before: tuple[int, list[str]]) -> None:
    """A kill before so many changes of files, of the kinds that audit events name."""
    left, events = before

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in events:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def constants(values: dict[str, Any]) -> None:
    """Other values of constants, by module and name."""
    for place, value in values.items():
        module, _, name = place.rpartition(".")
        setattr(importlib.import_module(module), name, value)


def variables(values: dict[str, str]) -> None:
    """Variables of the surroundings."""
    os.environ.update(values)


FAULTS: dict[str, Callable[[Any], None]] = {
    fault.__name__: fault
    for fault in (file_size, memory, full, unwritable, stream, killed, constants, variables)
}


def clean() -> dict[str, str]:
    """The variables of the tests, with nothing of a surrounding run."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


@cache
def place() -> Path:
    """Starts the process, once; the folder of its socket and of programs that stand in for the real ones."""
    folder = Path(tempfile.mkdtemp(prefix="forks"))
    for name in ("python", "esetrag"):
        words = [sys.executable, "-IS", standin.__file__, str(folder / "socket")]
        program = shlex.join([*words, str(Path(sys.executable).with_name(name))])
        (folder / name).write_text(f'#!/bin/sh\nexec {program} "$@"\n', "utf-8")
        (folder / name).chmod(0o755)
    search = os.pathsep.join([str(REPO / "src"), str(REPO)])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forks", str(folder / "socket")],
        cwd=REPO,
        env={**clean(), "PYTHONPATH": search},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    atexit.register(shutil.rmtree, folder)
    atexit.register(process.communicate)  # closes its input, which ends it
    return folder


def run(folder: Path, *command: str, **faults: Any) -> dict[str, Any]:
    """What a command said in a fork, its exit code (less than 0: the signal), its peak of memory in bytes."""
    pipes = [os.pipe() for _ in range(2)]  # no files, whose size may be limited; what is said fits into them
    for _, end in pipes:
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 2**20)
    with Path(os.devnull).open() as nothing:
        job = {"folder": str(folder), "command": command, "faults": faults}
        streams = (nothing.fileno(), pipes[0][1], pipes[1][1])
        done = standin.ask(str(place() / "socket"), streams, job)
    said = []
    for beginning, end in pipes:
        os.close(end)
        with os.fdopen(beginning, encoding="utf-8", errors="replace") as pipe:
            said.append(pipe.read())
    return {**done, "out": said[0], "err": said[1], "fault": faults}


def library(folder: str) -> dict[str, bytes]:
    """The modules in a folder of PYTHONPATH."""
    paths = sorted(Path(folder).rglob("*.py"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def is_alike(variables: dict[str, str]) -> bool:
    """Whether a process with these variables would have this library and these surroundings."""
    same = all(variables.get(name) == os.environ.get(name) for name in SURROUNDINGS)
    return same and library(variables["PYTHONPATH"]) == library(str(REPO / "src"))


def become(job: dict[str, Any]) -> int:
    """Runs a command as this process; returns its exit code."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    code = 0
    try:
        os.chdir(job["folder"])
        if "variables" in job:
            os.environ.clear()
            os.environ.update(job["variables"])
            os.umask(job["mask"])
        for name, value in job.get("faults", {}).items():
            FAULTS[name](value)
        sys.argv = job["command"]
        if sys.argv[0] == "esetrag":
            from esetrag.cli import main

            main()
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001
        os.write(2, traceback.format_exc().encode())
        return 99
    if not job.get("faults"):  # as at the end of every process
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    return code


def serve(line: socket.socket) -> None:
    """Does one job and tells what became of it; a code of None means that a fork will not do."""
    size, streams, *_ = socket.recv_fds(line, 8, 3)
    job = json.loads(line.makefile("rb").read(int.from_bytes(size, "big")))
    done: dict[str, Any] = {"code": None}
    if "variables" not in job or is_alike(job["variables"]):
        if (child := os.fork()) == 0:
            line.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            code = become(job)
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            os._exit(code)
        for stream in streams:
            os.close(stream)
        if hasattr(os, "pidfd_open"):
            ended = os.pidfd_open(child)
            if ended not in select.select([ended, line.fileno()], [], [])[0]:  # who asked is gone
                os.kill(child, signal.SIGTERM)
        _, status, usage = os.wait4(child, 0)
        done = {"code": os.waitstatus_to_exitcode(status), "peak": usage.ru_maxrss * 1024}
    line.sendall(json.dumps(done).encode() + b"\n")


def main(address: str) -> None:
    from esetrag.tracking import store

    for name, value in store.DEFAULTS.items():  # which MLflow reads when it is imported
        os.environ.setdefault(name, value)

    import filelock  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import mlflow.pyfunc  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import torch._dynamo  # noqa: F401

    from esetrag import cli  # noqa: F401
    from esetrag.analysis import error_analysis  # noqa: F401
    from esetrag.data import unimorph  # noqa: F401
    from esetrag.predict import inputs, outputs  # noqa: F401
    from esetrag.report import pages  # noqa: F401
    from esetrag.tasks import evaluation  # noqa: F401
    from esetrag.tracking import log_run, tracker  # noqa: F401
    from esetrag.training import progress, trainer  # noqa: F401

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        print("ready", flush=True)
        while 0 not in select.select([server.fileno(), 0], [], [])[0]:
            line, _ = server.accept()
            if os.fork() == 0:
                server.close()
                serve(line)
                os._exit(0)
            line.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass


if __name__ == "__main__":
    main(sys.argv[1])
