"""Projects that stand before their training or at their end, and ways to run commands in them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import forks
from tests.project import Project, copy_project, with_git

OUTPUTS = ("data/toy/model/model.safetensors", "data/toy/model/manifest.json",
           "metrics/toy/history.csv", "metrics/toy/train.json")  # fmt: skip
"""Of ``train``."""
STATES = ".esetrag/toy/train-1-0"
"""Of the first seed and its first expert."""
STAGES = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")
TRAIN = ("python", "stages/train.py", "toy")


def results(project: Project) -> dict[str, bytes]:
    """The bytes of what ``train`` makes."""
    return {name: (project.root / name).read_bytes() for name in OUTPUTS}


def trained_part_of_lock(project: Project) -> str:
    """What DVC recorded of ``train``."""
    return (project.root / "dvc.lock").read_text("utf-8").split("train@toy:")[1]


def saved(project: Project) -> dict[str, Any]:
    """What the saved state of a training says beside its tensors."""
    about: dict[str, Any] = json.loads((project.root / STATES / "state").read_bytes().split(b"\n", 2)[1])
    return about


def set_constant(project: Project, module: str, name: str, value: object) -> None:
    """Changes a constant of the copy's library."""
    path = project.root / f"src/esetrag/{module}.py"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    changed = [f"{name} = {value}\n" if line.startswith(f"{name} = ") else line for line in lines]
    assert changed != lines
    path.write_text("".join(changed), "utf-8")


def slow_down(project: Project, wait: str) -> None:
    """Has each epoch execute a statement before it shows its line, ``text``."""
    script = project.root / "stages/train.py"
    slow = f"""
    import time
    from pathlib import Path
    from esetrag.training import progress

    def show(text, shown=progress.show):
        {wait}
        shown(text)

    progress.show = show
"""
    head, main = script.read_text("utf-8").split('if __name__ == "__main__":\n')
    script.write_text(f'{head}if __name__ == "__main__":{slow}{main}', "utf-8")


def copied(source: Path, target: Path) -> Project:
    """A copy of a project, DVC's cache included."""
    shutil.copytree(source, target, symlinks=True)
    return Project(target)


Forked = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def forked() -> Forked:
    """Runs a stage script or ``esetrag`` in a folder, short of what ``tests.forks.FAULTS`` names."""
    return forks.run


def run_stages(forked: Forked, project: Project, *stages: str) -> None:
    """Runs stages one after another."""
    for stage in stages or STAGES:
        done = forked(project.root, f"stages/{stage}.py", "toy")
        assert done["code"] == 0, done


@dataclass
class Prepared:
    """A project before its training, and what comes of one that nothing disturbs."""

    base: Project
    results: dict[str, bytes]
    lock: str


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Prepared]:
    """Makes both for a model, once."""
    made: dict[str, Prepared] = {}

    def prepare(model: str = "bilstm") -> Prepared:
        if model not in made:
            folder = tmp_path_factory.mktemp(model)
            base = copy_project(folder / "base")
            set_constant(base, "training/resume", "EVERY", 0.0)  # a state after each epoch
            base.change(train={"epochs": 4, "analogies": 300, "patience": 4})
            base.use(model)
            with_git(base).run("dvc", "repro", "encode_pad@toy")
            whole = copied(base.root, folder / "whole")
            whole.run("dvc", "repro", "train@toy")
            made[model] = Prepared(base, results(whole), trained_part_of_lock(whole))
        return made[model]

    return prepare


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pipeline has run to its end; tests may not change it."""
    project = copy_project(tmp_path_factory.mktemp("finished") / "project")
    project.change(train={"epochs": 1, "analogies": 0})
    with_git(project).run("dvc", "repro")
    return project


@pytest.fixture
def fresh(prepared: Callable[..., Prepared], tmp_path: Path) -> Callable[..., Project]:
    """Copies the project of a model, for a test that does it harm."""

    def copy(model: str = "bilstm") -> Project:
        return copied(prepared(model).base.root, tmp_path / f"project{len(list(tmp_path.iterdir()))}")

    return copy


@pytest.fixture
def endless(fresh: Callable[..., Project]) -> Project:
    """A project whose training is not over while a test runs."""
    project = fresh("bilstm")
    project.change(train={"epochs": 100_000, "patience": None})
    return project


Start = Callable[..., subprocess.Popen[str]]


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
            preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_DFL
            ),  # a shell in the background ignores it
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


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that a process has started."""
    pid = process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
