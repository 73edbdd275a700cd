"""What is said on standard output and error, where nobody may be left to hear it."""

from __future__ import annotations

import contextlib
import os
import sys


def tell(text: str) -> None:
    """Says a line on standard error; that it cannot be written, as on a full disk, costs no work."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Says a line on standard output, as long as that can be written."""
    try:
        print(text, flush=True)
    except OSError:
        mute()


def mute() -> None:
    """Gives up standard output after an error: Python flushes once more at its end, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
