"""Commands in processes of their own, in copies of the project: seconds, CPU seconds, memory.

A process inherits the peak memory of the one that started it, so this module imports no torch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.measure import RAW, REPO, TASK

STAGES = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    seconds: float
    cpu: float
    """Seconds of processor time, those of its children included."""
    peak: float
    """MiB of the largest of its processes."""


def environment(checkout: Path = REPO) -> dict[str, str]:
    """The variables of this process, without a surrounding run or make, for the library of a checkout."""
    foreign = ("MLFLOW_", "DVC_", "GIT_", "MAKE", "MFLAGS", "PYTHONPATH")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(checkout / "src"), str(REPO)]),
        "OMP_NUM_THREADS": "1",
        "DVC_NO_ANALYTICS": "1",
        "GIT_PYTHON_REFRESH": "quiet",
    }


def run(command: list[str], folder: Path, checkout: Path = REPO) -> Ran:
    """Runs a command in a folder to its end, with the library of a checkout.

    Raises:
        RuntimeError: with its output, if it failed.
    """
    with tempfile.TemporaryFile() as file:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 commands of the bench alone
            command, cwd=folder, env=environment(checkout), stdout=file, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        output = file.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} in {folder} ended with {process.returncode}:\n{output}")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


class Copy:
    """A copy of the project's last commit, with DVC and without git."""

    def __init__(self, root: Path, raw: Path) -> None:
        """Copies to a new folder, with another table in place of the task's."""
        self.root = root
        run(["git", "clone", "--quiet", "--depth=1", REPO.as_uri(), str(root)], REPO)
        shutil.rmtree(root / ".git")
        (root / ".dvc/config.local").write_text("[core]\n    no_scm = true\n    analytics = false\n", "utf-8")
        if raw != REPO / RAW:
            shutil.copyfile(raw, root / RAW)

    def run(self, *command: str) -> Ran:
        """Runs a command there, with the copy's library."""
        return run(list(command), self.root, self.root)

    def stage(self, name: str) -> Ran:
        """Runs a stage's script."""
        return self.run("python", f"stages/{name}.py", TASK)

    def change(self, *keys: str, **values: Any) -> None:
        """Overwrites values of params.yaml in the mapping that the keys lead to."""
        path = self.root / "params.yaml"
        content = section = yaml.safe_load(path.read_text("utf-8"))
        for key in keys:
            section = section[key]
        section.update(values)
        path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
