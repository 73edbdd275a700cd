"""Commands in processes of their own: how long they took and how much memory they held at the most.

A process inherits the peak of the one that started it, so what calls ``run`` for its memory must itself be
small: no torch, no pandas.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    seconds: float
    peak: float
    """MiB of the largest process that it was."""
    output: str


def environment(source: Path = REPO) -> dict[str, str]:
    """That of this process on one thread, with the library of ``source`` and no run or make around it.

    Args:
        source: a checkout of the project.
    """
    foreign = ("MLFLOW_", "DVC_", "GIT_", "MAKE", "MFLAGS", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    given = [str(source / "src"), str(source)]
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
        "PYTHONPATH": os.pathsep.join([*given, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "OMP_NUM_THREADS": "1",
        "DVC_NO_ANALYTICS": "1",
        "GIT_PYTHON_REFRESH": "quiet",
    }


def run(command: list[str], folder: Path, given: dict[str, str] | None = None) -> Ran:
    """Runs a command to its end.

    Args:
        command: program and arguments.
        folder: where it runs.
        given: its environment.

    Raises:
        RuntimeError: with its output, if it failed.
    """
    with tempfile.TemporaryFile() as file:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 commands of the bench alone
            command, cwd=folder, env=given or environment(), stdout=file, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        output = file.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} in {folder} ended with {process.returncode}:\n{output}")
    return Ran(taken, usage.ru_maxrss / 1024, output)
