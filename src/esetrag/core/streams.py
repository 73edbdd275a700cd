"""Standard output and error, also when nobody reads them or the disk is full."""

from __future__ import annotations

import contextlib
import os
import sys


def tell(text: str) -> None:
    """Prints a line on standard error; one that cannot be written is dropped."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Prints a line on standard output; after the first that cannot be written, all are dropped."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError:
        mute()


def mute() -> None:
    """Gives up standard output after an error: Python would flush it at its end and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
