"""Runs commands again and again, each time in a fork that lacks something.

``python -m tests.faults.scarce`` in a finished project. Standard input is a list of jobs as JSON:
the words of a command, the files it makes, and what each run lacks (keys of ``FAULTS``). The
libraries are imported once. Before each run the outputs hold ``OLD`` and are read-only. Prints as JSON
what came of each.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import resource
import runpy
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

OLD = b"old\n"
LIBC = ctypes.CDLL(None, use_errno=True)
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000  # of unshare(2)


def file_size(most: int) -> None:
    """No file may be larger, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def memory(more: int) -> None:
    """The process may grow by so many bytes."""
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


def folder(path: str) -> None:
    """A folder in the place of a file."""
    Path(path).unlink()
    (Path(path) / "within").mkdir(parents=True)


def file(path: str) -> None:
    """A file in the place of a folder."""
    shutil.rmtree(path)
    Path(path).write_bytes(OLD)


def killed(left: int) -> None:
    """A kill before one of the files gets its name."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "os.rename":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


FAULTS: dict[str, Callable[[Any], None]] = {
    fault.__name__: fault for fault in (file_size, memory, full, unwritable, stream, folder, file, killed)
}


def run(command: list[str]) -> None:
    """Runs a stage script or ``esetrag``."""
    sys.argv = command
    if command[0].endswith(".py"):
        runpy.run_path(command[0], run_name="__main__")
    else:
        from esetrag.cli import main

        main(command[1:])


def forked(command: list[str], faults: dict[str, Any], said: int) -> int:
    """How a command ended in a fork, as ``os.waitstatus_to_exitcode`` has it."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            os.dup2(said, 1)
            os.dup2(said, 2)
            for name, value in faults.items():
                FAULTS[name](value)
            run(command)
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: BLE001
            import traceback

            os.write(said, traceback.format_exc().encode())
            code = 99
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def prepare(outputs: list[str]) -> None:
    """Puts an older content in the place of outputs."""
    for name in (".", "data/toy", "metrics/toy"):
        Path(name).chmod(0o755)
    for path in map(Path, outputs):
        if path.is_dir():
            shutil.rmtree(path)
        if path.parent.is_file():
            path.parent.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o755)
        path.unlink(missing_ok=True)
        path.write_bytes(OLD)
        path.chmod(0o444)


def warm() -> None:
    """Imports what any command does, so that no fork has to."""
    sys.path.insert(0, "src")
    import filelock  # noqa: F401

    from esetrag.analysis import error_analysis  # noqa: F401
    from esetrag.core import tables  # noqa: F401
    from esetrag.data import unimorph  # noqa: F401
    from esetrag.models import checkpoint  # noqa: F401
    from esetrag.models.lemma_prior import analogy  # noqa: F401
    from esetrag.predict import outputs  # noqa: F401
    from esetrag.report import pages  # noqa: F401
    from esetrag.tasks import evaluation  # noqa: F401
    from esetrag.tracking import tracker  # noqa: F401
    from esetrag.training import progress, trainer  # noqa: F401


def try_out(command: list[str], outputs: list[str], faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What came of a command under each fault; the outputs are put back in the end."""
    before = {name: Path(name).read_bytes() for name in outputs}
    came = []
    for fault in faults:
        shutil.rmtree(".esetrag", ignore_errors=True)
        prepare(outputs)
        said, end = os.pipe()
        code = forked(command, fault, end)
        os.close(end)
        with os.fdopen(said, encoding="utf-8") as heard:
            text = heard.read()
        hidden = {str(path) for top in ("data", "metrics") for path in Path(top).rglob(".*")}
        contents = {name: Path(name).read_bytes() if Path(name).is_file() else b"" for name in outputs}
        came.append(
            {
                "fault": fault,
                "code": code,
                "said": [line for line in text.splitlines() if not line.startswith("epoch ")],
                "old": [name for name, content in contents.items() if content == OLD],
                "outputs": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
                "hidden": sorted(hidden),
            }
        )
        for path in hidden:
            Path(path).unlink()
    prepare(outputs)
    for name, content in before.items():
        Path(name).unlink()
        Path(name).write_bytes(content)
    return came


def main() -> None:
    warm()
    print(json.dumps([try_out(*job) for job in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
