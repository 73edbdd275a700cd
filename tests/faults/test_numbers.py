"""Numbers gone wrong and next to nothing to learn from: a message, or a pipeline that runs to its end."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tests.faults.conftest import OUTPUTS, STATES, results, run_stages, set_constant
from tests.project import REPO, STEMS, TINY, Project, copy_project, toy_table

KINDS = ("ngram", "lstm")
SMALL = {"epochs": 2, "iterations": 3, "analogies": 300}
ENDINGS = ("", "t", "nak", "ban")
HUGE = 1e30

LOST: dict[str, dict[str, Any]] = {
    "lstm, a huge rate": {"learning_rate": HUGE, "clip": None},
    "lstm, a huge rate from the start": {"learning_rate": HUGE, "schedule": "constant"},
    "lstm, a huge decay": {"weight_decay": HUGE},
    "ngram, a huge penalty": {"penalty": 1e300},
}
"""What makes a loss that is no number, through params.yaml alone."""

POOR: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "one class": ("".join(f"{s}\t{s}{e}\tN;NOM\n" for s in STEMS[:20] for e in ENDINGS), {}),
    "a class for each lemma, so that dev and test have none that is known": (
        "".join(f"{s}\t{s}{e}\tN;LGSPEC{n}\n" for n, s in enumerate(STEMS[:9]) for e in ENDINGS).replace(
            "LGSPEC", "AT+ALL/"
        ),
        {},
    ),
    "one form a part": ("a\ta\tN;NOM\nb\tbt\tN;ACC\nc\tcnak\tN;DAT\n", {"train": {"batch_size": 1}}),
    "one example drawn": (toy_table(), {"sample": {"train": 1, "dev": 1, "test": 1}}),
    "batches of one, and a last one": (
        toy_table(), {"sample": {"train": 20}, "train": {"batch_size": 1, "patience": 1}}),
    "a batch larger than all": (toy_table(), {"sample": {"train": 20}, "train": {"batch_size": 2**20}}),
    "no symbol known": (toy_table(), {"build_vocab": {"min_count": 10**6}}),
    "one symbol read": (toy_table(), {"encode_pad": {"max_symbols": 1}}),
    "nothing holds the weights": (
        toy_table(), {"train": {"penalty": 0.0, "weight_decay": 0.0, "clip": None}}),
}  # fmt: skip
"""A table and parameters that leave little to learn."""


def project_of(folder: Path, kind: str, table: str, changes: dict[str, dict[str, Any]]) -> Project:
    """A project that shares the library of this one."""
    project = Project(folder)
    folder.mkdir(parents=True)
    for name in ("src", "stages"):
        (folder / name).symlink_to(REPO / name)
    shutil.copyfile(REPO / "params.yaml", folder / "params.yaml")
    project.change(**TINY)
    project.change(**{**changes, "model": {"kind": kind}, "train": {**SMALL, **changes.get("train", {})}})
    project.write("data/raw/toy.tsv", table)
    return project


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Project, dict[str, Any]]]:
    """All those projects after their stages, and how their last one ended."""
    folder = tmp_path_factory.mktemp("numbers")
    projects = {
        name: project_of(folder / str(number), name.split(",")[0], toy_table(), {"train": train})
        for number, (name, train) in enumerate(LOST.items())
    }
    for number, (name, (table, changes)) in enumerate(POOR.items()):
        for kind in KINDS:
            projects[f"{kind}: {name}"] = project_of(folder / f"{kind}{number}", kind, table, changes)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.courses"],
        cwd=REPO,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO / "src"), str(REPO)])},
        input=json.dumps([str(project.root) for project in projects.values()]),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: (project, one) for (name, project), one in zip(projects.items(), found, strict=True)}


@pytest.mark.parametrize("name", LOST)
def test_a_loss_that_is_no_number_stops_the_training_with_a_mend(
    name: str, ended: dict[str, tuple[Project, dict[str, Any]]]
) -> None:
    project, one = ended[name]
    mend = "train.penalty" if name.startswith("ngram") else "train.learning_rate or train.weight_decay"
    said = [f"train: the loss is no longer a number in epoch 1; lower {mend}"]
    assert (one["stage"], one["code"], one["said"]) == ("train", 2, said)
    assert not project.outputs() & set(OUTPUTS)


@pytest.mark.parametrize("name", [f"{kind}: {name}" for name in POOR for kind in KINDS])
def test_with_next_to_nothing_to_learn_from_it_runs_to_its_end(
    name: str, ended: dict[str, tuple[Project, dict[str, Any]]]
) -> None:
    project, one = ended[name]
    assert (one["stage"], one["code"], one["said"]) == ("error_analysis", 0, [])
    figures = project.json("metrics/toy/test.json")["reader"]
    assert all(math.isfinite(figure) for figure in numbers(figures)), figures
    assert 0 <= figures["accuracy"] <= 1


def numbers(content: Any) -> Iterator[float]:
    """All numbers of a JSON value."""
    if isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            yield from numbers(value)
    elif isinstance(content, int | float):
        yield content


def test_the_best_epoch_so_far_outlives_a_training_that_explodes(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    project.change(train=SMALL)
    set_constant(project, "learning/resumption", "EVERY", 0.0)
    run_stages(project, "sample", "build_vocab", "encode_pad", "train")
    before = results(project)
    # Each step turns the weights round and makes them larger: it takes some epochs to overflow.
    project.change(train={"epochs": 20, "weight_decay": 1000.0, "schedule": "constant"})
    done = project.stage("train", code=2)
    (line,) = done.stderr.splitlines()
    epoch = int(line.removeprefix("train: the loss is no longer a number in epoch ").split(";")[0])
    assert epoch > 2
    assert results(project) == before, "an older checkpoint stays as it was"
    newest = max(
        (project.root / STATES).glob("*.json"), key=lambda path: json.loads(path.read_bytes())["epoch"]
    )
    assert json.loads(newest.read_bytes())["epoch"] == epoch - 1
    tensors = safetensors.numpy.load_file(newest.with_suffix(".safetensors"))
    best = [tensor for name, tensor in tensors.items() if name.startswith("kept.")]
    assert best
    assert all(np.isfinite(tensor).all() for tensor in best)
    again = project.stage("train", code=2)
    assert again.stderr.splitlines()[-1] == line
