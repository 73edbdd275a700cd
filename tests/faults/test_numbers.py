"""Numbers gone wrong and next to nothing to learn from: a message, or a pipeline that runs to its end."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import OUTPUTS, STAGES, Forked, results, run_stages, saved
from tests.project import REPO, STEMS, TINY, Project, copy_project, toy_table

MODELS = ("ngram", "bilstm")
ENDINGS = ("", "t", "nak", "ban")
LABELS = ("NOM", "ACC", "DAT", "INS", "TERM", "TRANS", "FRML", "PRP", "VOC")
HUGE = 1e30
MEND = "lower train.learning_rate, train.weight_decay or the model's penalty"

LOST: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "a huge rate": ("bilstm", {"train": {"learning_rate": HUGE, "clip": None}}),
    "a huge rate from the start": ("bilstm", {"train": {"learning_rate": HUGE, "schedule": "constant"}}),
    "a huge decay": ("bilstm", {"train": {"weight_decay": HUGE}}),
    "a huge penalty": ("ngram", {"models": {"ngram": {"penalty": 1e300}}}),
}
"""What makes a loss that is no number, through params.yaml alone."""

POOR: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "a class for each lemma, so that dev and test have none that is known": (
        "".join(f"{s}\t{s}{e}\tN;{case}\n" for s, case in zip(STEMS, LABELS, strict=False) for e in ENDINGS),
        {},
    ),
    "one form a part": ("a\ta\tN;NOM\nb\tbt\tN;ACC\nc\tcnak\tN;DAT\n", {"train": {"batch_size": 1}}),
    "one example drawn": (toy_table(), {"sample": {"train": 1, "dev": 1, "test": 1}}),
    "batches of one": (toy_table(), {"sample": {"train": 20}, "train": {"batch_size": 1, "patience": 1}}),
    "a batch larger than all": (toy_table(), {"sample": {"train": 20}, "train": {"batch_size": 2**20}}),
    "no symbol known": (toy_table(), {"build_vocab": {"min_count": 10**6}}),
    "one symbol of a form": (toy_table(), {"encode_pad": {"max_symbols": 1}}),
    "nothing holds the weights": (
        toy_table(), {"train": {"weight_decay": 0.0, "clip": None}, "models": {"ngram": {"penalty": 0.0}}}),
}  # fmt: skip
"""A table and parameters that leave little to learn."""


def project_of(folder: Path, model: str, table: str, changes: dict[str, dict[str, Any]]) -> Project:
    """A project that shares the library of this one."""
    project = Project(folder)
    for name in ("src", "stages"):
        (folder / name).symlink_to(REPO / name)
    shutil.copyfile(REPO / "params.yaml", folder / "params.yaml")
    project.change(**TINY)
    project.change(train={"epochs": 2, "analogies": 300}, models={"ngram": {"iterations": 3}})
    project.change(**changes)
    project.use(model)
    project.write("data/raw/toy.tsv", table)
    return project


@pytest.mark.parametrize("name", LOST)
def test_a_loss_that_is_no_number_stops_the_training_with_a_mend(
    name: str, tmp_path: Path, forked: Forked
) -> None:
    project = project_of(tmp_path, LOST[name][0], toy_table(), LOST[name][1])
    run_stages(forked, project, "sample", "build_vocab", "encode_pad")
    done = forked(project.root, "stages/train.py", "toy")
    assert (done["code"], done["err"]) == (2, f"train: the loss is no longer a number in epoch 1; {MEND}\n")
    assert not project.outputs() & set(OUTPUTS)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", POOR)
def test_with_next_to_nothing_to_learn_from_it_runs_to_its_end(
    name: str, model: str, tmp_path: Path, forked: Forked
) -> None:
    project = project_of(tmp_path, model, *POOR[name])
    for stage in STAGES:
        done = forked(project.root, f"stages/{stage}.py", "toy")
        assert (done["code"], done["err"]) == (0, ""), stage
    figures = project.json("metrics/toy/test.json")["models"]
    assert model in figures
    assert all(math.isfinite(figure) for figure in numbers(figures)), figures
    assert 0 <= figures[model]["accuracy"] <= 1


def numbers(content: Any) -> Iterator[float]:
    """All numbers of a JSON value."""
    if isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            yield from numbers(value)
    elif isinstance(content, int | float):
        yield content


def test_the_best_epoch_so_far_outlives_a_training_that_explodes(tmp_path: Path, forked: Forked) -> None:
    project = copy_project(tmp_path / "project")
    run_stages(forked, project, "sample", "build_vocab", "encode_pad", "train")
    before = results(project)
    # Each step turns the weights round and makes them larger: it takes some epochs to overflow.
    project.change(train={"epochs": 20, "weight_decay": 1000.0, "schedule": "constant"})
    done = forked(project.root, "stages/train.py", "toy", constants={"esetrag.training.resume.EVERY": 0.0})
    assert done["code"] == 2
    epoch = int(done["err"].removeprefix("train: the loss is no longer a number in epoch ").split(";")[0])
    assert epoch > 2
    assert results(project) == before, "an older checkpoint stays as it was"
    epochs = saved(project)["epochs"]
    assert len(epochs) == epoch
    assert all(math.isfinite(number) for number in numbers(epochs))
