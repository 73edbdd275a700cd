"""Runs commands in forks of one process that has imported the libraries, each short of something.

``python -m tests.faults.forks``: a line of standard input is a job as JSON, a line of standard output
is what became of it. A command is a stage script or ``esetrag``, with its arguments.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib
import json
import os
import resource
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


FAULTS: dict[str, Callable[[Any], None]] = {
    fault.__name__: fault for fault in (file_size, memory, full, unwritable, stream, killed, constants)
}


def become(folder: str, command: list[str], faults: dict[str, Any]) -> int:
    """Runs a command as this process; returns its exit code."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    try:
        os.chdir(folder)
        for name, value in faults.items():
            FAULTS[name](value)
        sys.argv = command
        if command[0] == "esetrag":
            from esetrag.cli import main

            main()
        else:
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001
        os.write(2, traceback.format_exc().encode())
        return 99
    return 0


def run(folder: str, command: list[str], faults: dict[str, Any]) -> dict[str, Any]:
    """What a command said in a fork, its exit code (less than 0: the signal), its peak of memory in bytes."""
    pipes = [os.pipe() for _ in range(2)]  # no files, whose size may be limited; what is said fits into them
    if (child := os.fork()) == 0:
        for stream, (_, end) in enumerate(pipes, 1):
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 2**20)
            os.dup2(end, stream)
        code = become(folder, command, faults)
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    _, status, usage = os.wait4(child, 0)
    said = []
    for beginning, end in pipes:
        os.close(end)
        with os.fdopen(beginning, encoding="utf-8", errors="replace") as pipe:
            said.append(pipe.read())
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "out": said[0], "err": said[1], "peak": usage.ru_maxrss * 1024}


def main() -> None:
    import filelock  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import torch._dynamo  # noqa: F401

    from esetrag.analysis import error_analysis  # noqa: F401
    from esetrag.data import unimorph  # noqa: F401
    from esetrag.predict import inputs, outputs  # noqa: F401
    from esetrag.report import pages  # noqa: F401
    from esetrag.tasks import evaluation  # noqa: F401
    from esetrag.tracking import tracker  # noqa: F401
    from esetrag.training import progress, trainer  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
