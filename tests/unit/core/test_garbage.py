"""How often Python looks for garbage."""

from __future__ import annotations

import subprocess
import sys

LAST = """
import atexit, gc
from esetrag.core import garbage
atexit.register(lambda: print(gc.get_freeze_count() > 0))  # the first registered is the last called
garbage.collect_seldom()
garbage.collect_seldom()
print(gc.get_threshold()[0], gc.isenabled())
"""


def test_a_process_looks_seldom_and_not_at_its_end() -> None:
    done = subprocess.run([sys.executable, "-c", LAST], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["100000", "True", "True"]
