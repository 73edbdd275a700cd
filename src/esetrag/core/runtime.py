"""A stage while it runs: alone of its task and name, ended with its ``dvc repro``, ended well by signals."""

from __future__ import annotations

import _thread
import ctypes
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from esetrag.core.errors import BusyError, DataError

WAIT = 8.0
"""Seconds that a stage waits for another that is about to end; more than ``END``."""
FINISH, END = 2.0, 6.0
"""Seconds after a signal in which a training may finish its epoch, and after which nothing is waited for."""
LOOK = 0.5
"""Seconds between two looks whether DVC is still there, where the kernel does not tell."""
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_BY_DVC = "DVC_STAGE"  # a variable that DVC sets for the commands it runs
_PR_SET_PDEATHSIG = 1


class Stopped(BaseException):
    """A signal ends the process. No ``Exception``: nothing that mends errors may catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.code = 128 + number
        """The exit code, as a shell shows it."""


class _Asked:
    """What signals have asked of this process."""

    number: int | None = None
    """The first one's; the others belong to the same wish: a closed terminal ends DVC, too."""
    patient = False
    raised = False

    def hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.number is None:
            self.number = number
            if self.patient and hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, FINISH)  # its SIGALRM is heard here, too
                return
        if not self.raised:
            self.stop(self.number)

    def stop(self, number: int) -> NoReturn:
        self.raised = True
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        raise Stopped(number)


_asked = _Asked()


@contextmanager
def guarded(folder: Path, stage: str) -> Iterator[None]:
    """Runs a stage as the only one of its name, until it ends, a signal ends it or its DVC dies.

    Args:
        folder: of the task, where the lock lies.
        stage: its name.

    Raises:
        BusyError: if another process runs the stage for the task, and goes on to.
        DataError: if the folder cannot be written.
        Stopped: within the block, after a signal.
    """
    _listen()
    with _alone(folder, stage):
        yield


@contextmanager
def patiently() -> Iterator[Callable[[object], None]]:
    """Lets a signal wait for the end of a step, for ``FINISH`` seconds at most.

    Yields:
        A function to be called between two steps; it raises ``Stopped`` if a signal has come.
    """

    def between(_: object) -> None:
        if _asked.number is not None and not _asked.raised:
            _asked.stop(_asked.number)

    _asked.patient = True
    try:
        yield between
        _asked.patient = False
        between(None)
    finally:
        _asked.patient = False


def _listen() -> None:
    """Turns signals into ``Stopped``, and the death of the DVC that runs this process into a signal."""
    for name in (*_SIGNALS, "SIGALRM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, _asked.hear)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    above = _processes_above() if _BY_DVC in os.environ else []
    told = bool(above) and sys.platform == "linux"
    if told:
        # Of the parent alone. DVC runs commands by a shell; most shells become the command they are
        # given, so that the parent is DVC. Where one stays between, a look at times must do.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    lost = bool(above) and (_processes_above() != above or _session(above[-1]) != _session(0))
    watched = [] if told and len(above) == 1 else above
    # The thread keeps the sockets. (Without memory, threading's waits for ever for one to start.)
    _thread.start_new_thread(_watch, (reader, writer, watched))
    if lost:  # DVC died before the kernel was asked to tell
        os.kill(os.getpid(), signal.SIGTERM)


def _watch(reader: socket.socket, writer: socket.socket, above: list[int]) -> NoReturn:  # noqa: ARG001
    """Ends the process if nothing else does: a blocked call, or somebody who catches everything."""
    while not select.select([reader], [], [], LOOK if above else None)[0]:
        if _processes_above() != above:
            above = []
            os.kill(os.getpid(), signal.SIGTERM)
    number = reader.recv(1)[0]
    time.sleep(END)
    os._exit(128 + number)


def _processes_above() -> list[int]:
    """The processes above this one, the parent first, up to the first that DVC did not start: itself."""
    above = [os.getppid()]
    while _is_run_by_dvc(above[-1]) and (parent := _parent(above[-1])):
        above.append(parent)
    return above


def _is_run_by_dvc(process: int) -> bool:
    try:
        variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:  # another system, or another user's
        return False
    return any(variable.startswith(f"{_BY_DVC}=".encode()) for variable in variables)


def _parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _session(process: int) -> int | None:
    """DVC and what it runs are of one session; who adopts the children of the dead is of another."""
    try:
        return os.getsid(process)
    except OSError:
        return None


@contextmanager
def _alone(folder: Path, stage: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock, holder = FileLock(folder / f"{stage}.lock"), folder / f"{stage}.holder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=WAIT)  # the kernel frees it when its holder ends, however that ends
        holder.write_text(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}", "utf-8")
    except Timeout as error:
        raise BusyError(
            f"{folder.name} is in the hands of {_read(holder)}; wait for it, or end it"
        ) from error
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _read(holder: Path) -> str:
    try:
        return holder.read_text("utf-8") or "another process"
    except OSError:
        return "another process"
