"""Projects that stand before their training, one for each kind of network."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.project import REPO, Project, copy_project, with_git

KINDS: dict[str, dict[str, Any]] = {
    "lstm": {"epochs": 4, "analogies": 300, "patience": 4},
    "ngram": {"iterations": 5, "analogies": 1000, "patience": 4},
}
OUTPUTS = ("data/toy/model/model.safetensors", "data/toy/model/manifest.json",
           "metrics/toy/history.csv", "metrics/toy/train.json")  # fmt: skip
STATES = ".esetrag/toy/train"
STAGES = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")


def results(project: Project) -> dict[str, bytes]:
    """The bytes of what ``train`` makes."""
    return {name: (project.root / name).read_bytes() for name in OUTPUTS}


def trained_part_of_lock(project: Project) -> str:
    """What DVC recorded of ``train``."""
    return (project.root / "dvc.lock").read_text("utf-8").split("train@toy:")[1]


def run_stages(project: Project, *stages: str) -> None:
    """Runs stage scripts one after another in forks of one process, which has imported their libraries."""
    script = """
import sys
from tests.faults.scarce import forked, warm
warm()
sys.exit(max(abs(forked([f"stages/{stage}.py", "toy"], {}, 2)) for stage in sys.argv[1:]))
"""
    path = os.pathsep.join([str(project.root / "src"), str(REPO)])
    project.run("python", "-c", script, *(stages or STAGES), env={"PYTHONPATH": path})


def set_constant(project: Project, module: str, name: str, value: float) -> None:
    """ChangeModel a constant of the copy's library."""
    path = project.root / f"src/esetrag/{module}.py"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    changed = [f"{name} = {value}\n" if line.startswith(f"{name} = ") else line for line in lines]
    assert changed != lines
    path.write_text("".join(changed), "utf-8")


def slow_down(project: Project, seconds: float) -> None:
    """Makes each epoch last so long, by the one who tells of it."""
    script = project.root / "stages/train.py"
    slow = f"""
    import time
    from esetrag.training import progress
    told = progress._line
    progress._line = lambda epoch: (time.sleep({seconds}), told(epoch))[1]
"""
    head, main = script.read_text("utf-8").split('if __name__ == "__main__":\n')
    script.write_text(f'{head}if __name__ == "__main__":{slow}{main}', "utf-8")


@dataclass
class Prepared:
    """A project before its training, and what comes of one that nothing disturbs."""

    base: Project
    results: dict[str, bytes]
    lock: str


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prepared]:
    """Makes both for a kind of network, once."""
    made: dict[str, Prepared] = {}

    def prepare(kind: str) -> Prepared:
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            base = copy_project(folder / "base")
            set_constant(base, "learning/resumption", "EVERY", 0.0)  # a state after each epoch
            base.change(model={"kind": kind}, train=KINDS[kind])
            with_git(base).run("dvc", "repro", "encode_pad@toy")
            shutil.copytree(base.root, folder / "whole", symlinks=True)
            whole = Project(folder / "whole")
            whole.run("dvc", "repro", "train@toy")
            made[kind] = Prepared(base, results(whole), trained_part_of_lock(whole))
        return made[kind]

    return prepare


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pipeline has run to its end; tests may not change it."""
    project = copy_project(tmp_path_factory.mktemp("finished") / "project")
    project.change(train={"epochs": 1, "analogies": 0})
    with_git(project).run("dvc", "repro")
    return project


@pytest.fixture
def fresh(prepared: Callable[[str], Prepared], tmp_path: Path) -> Callable[[str], Project]:
    """Copies the project of a kind, for a test that does it harm."""

    def copy(kind: str = "lstm") -> Project:
        root = tmp_path / f"project{len(list(tmp_path.iterdir()))}"
        shutil.copytree(prepared(kind).base.root, root, symlinks=True)
        return Project(root)

    return copy


@pytest.fixture
def endless(fresh: Callable[[str], Project]) -> Project:
    """A project whose training is not over while a test runs."""
    project = fresh("lstm")
    project.change(train={"epochs": 100_000, "patience": None})
    return project


Start = Callable[..., subprocess.Popen[str]]


def _hear_signals() -> None:
    """As from a terminal: a shell tells what it runs in the background to ignore SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts commands in sessions of their own; whatever is left of them ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(project: Project, *command: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            cwd=project.root,
            env={**project.environment(), "PYTHONUNBUFFERED": "1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_hear_signals,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Reads what a process says until a line begins with a text."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(text):
            return
    pytest.fail(f"never said: {text}; {process.stderr.read() if process.stderr else ''}")
