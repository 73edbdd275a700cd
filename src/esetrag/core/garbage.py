"""How often Python looks for garbage in cycles: a third of the time of importing PyTorch or MLflow."""

from __future__ import annotations

import atexit
import gc

SELDOM = 100_000
"""New objects between two looks, in place of Python's 700; some megabytes if all of them were garbage."""


def collect_seldom() -> None:
    """Makes this process look seldom, and not at its end, when the system takes back everything.

    For processes that end soon; a library's caller keeps his own setting.
    """
    gc.set_threshold(SELDOM, *gc.get_threshold()[1:])
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)  # what is frozen is not looked at when the interpreter ends
