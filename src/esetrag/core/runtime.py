"""A running stage: the only one of its task and name, ended by signals and with its ``dvc repro``."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from esetrag.core.errors import BusyError, DataError, RoomError

FINISH, WAIT = 5, 8
"""Seconds in which a stage may end its epoch after a signal; in which another waits for it to end."""
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
STORE = "store"
"""The name of a thread that works with the MLflow store."""
_PR_SET_PDEATHSIG = 1


class Stopped(BaseException):
    """A signal ends the process. It is no ``Exception``, so that no handler of errors catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.code = 128 + number  # as a shell reports it


def handle_signals() -> None:
    """Makes signals raise ``Stopped`` in the main thread; the death of DVC, if it runs this, is a SIGTERM."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _stop)
    if "DVC_STAGE" in os.environ and sys.platform == "linux":
        end_with_parent()
        if os.getsid(os.getppid()) != os.getsid(0):  # another session has adopted this: DVC is dead already
            raise Stopped(signal.SIGTERM)


def end_with_parent() -> None:
    """Makes the death of the process that started this one a SIGTERM, on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def check_room(rows: int, bytes_a_row: int, mend: str) -> None:
    """Refuses what does not fit into the memory that is free, before the machine swaps.

    Args:
        rows: how many are to be held.
        bytes_a_row: measured, see docs/performance.md.
        mend: what the user can do.

    Raises:
        RoomError: with both numbers.
    """
    import psutil

    needed, free = rows * bytes_a_row, psutil.virtual_memory().available
    if needed > free:
        sizes = f"about {needed / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB are free"
        raise RoomError(f"{rows:,} rows need {sizes}; {mend}")


def leave(code: int) -> None:
    """Ends the process, if need be: after a signal, or with a store given up, no thread is waited for."""
    if code > 128 or any(thread.name == STORE for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    if code:
        sys.exit(code)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise Stopped(number)


@contextmanager
def patiently() -> Iterator[Callable[[object], None]]:
    """Lets a signal wait for the end of an epoch, for ``FINISH`` seconds or until it comes again.

    Yields:
        A function to call after each epoch; it raises ``Stopped`` if a signal has come.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if number in (*received, signal.SIGALRM):
            raise Stopped(received[0])
        received.append(number)
        signal.alarm(FINISH)

    def check(_: object = None) -> None:
        if received:
            raise Stopped(received[0])

    handled = [number for number in SIGNALS if signal.getsignal(number) is _stop]
    for number in (*handled, signal.SIGALRM):
        signal.signal(number, note)
    try:
        yield check
    finally:
        signal.alarm(0)
        for number in handled:
            signal.signal(number, _stop)
    check()


@contextmanager
def locked(folder: Path, stage: str) -> Iterator[None]:
    """Runs a block while no other process runs the same stage of the task.

    Args:
        folder: of the task, where the lock lies; the kernel frees it, however the process ends.
        stage: its name.

    Raises:
        BusyError: if another process runs the stage and goes on to.
        DataError: if the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{stage}.lock").acquire(timeout=WAIT)
    except Timeout as error:
        raise BusyError(f"another process runs {stage} of {folder.name}; wait for it or end it") from error
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from error
    with lock:
        yield
