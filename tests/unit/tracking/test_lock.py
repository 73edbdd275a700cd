"""A state whose artifacts are not of its inputs is told from one that is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.tracking import lock
from tests.project import REPO

TASK = "hun-noun-case"


@pytest.fixture
def given() -> config.Params:
    return config.load(REPO / "params.yaml")


@pytest.fixture
def layout(tmp_path: Path, given: config.Params) -> Layout:
    """A table, a stage's script and an artifact, and the lock file that goes with them."""
    files = ("data/raw/hun.tsv.gz", "stages/train.py", f"metrics/{TASK}/train.json")
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, "utf-8")
    entries = [{"path": name, "md5": hashlib.md5(name.encode()).hexdigest()} for name in files]
    sections = given.model_dump(include={"sample", "train"})
    sections[f"tasks.{TASK}"] = given.task(TASK).model_dump()
    stage = {"deps": entries[:2], "outs": entries[2:], "params": {"params.yaml": sections}}
    _write(tmp_path, {f"train@{TASK}": stage})
    return Layout(TASK, tmp_path)


def _write(root: Path, stages: dict[str, Any]) -> None:
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}), "utf-8")


def _edit(layout: Layout, change: Callable[[Any], None]) -> None:
    stages = yaml.safe_load((layout.root / "dvc.lock").read_text("utf-8"))["stages"]
    change(stages)
    _write(layout.root, stages)


def test_a_whole_state_passes(layout: Layout, given: config.Params) -> None:
    lock.check(layout, given)


def test_parameters_edited_since_are_named_with_both_values(layout: Layout, given: config.Params) -> None:
    train = given.train.model_copy(update={"epochs": 7, "patience": 3})
    with pytest.raises(DataError) as raised:
        lock.check(layout, given.model_copy(update={"train": train}))
    told = (
        f"params.yaml: train.epochs is 7, but the artifacts were made with {given.train.epochs} (and 1 more)"
    )
    assert str(raised.value) == f"{told}; make the artifacts anew: dvc repro"


def test_parameters_of_a_stage_that_does_not_read_them_are_its_own_affair(
    layout: Layout, given: config.Params
) -> None:
    evaluate = given.evaluate.model_copy(update={"resamples": 7})
    lock.check(layout, given.model_copy(update={"evaluate": evaluate}))


def test_a_parameter_that_the_artifacts_do_not_know_is_named(layout: Layout, given: config.Params) -> None:
    def forget(stages: Any) -> None:
        del stages[f"train@{TASK}"]["params"]["params.yaml"]["train"]["epochs"]

    _edit(layout, forget)
    with pytest.raises(DataError, match=rf"train\.epochs is {given.train.epochs}, .* made with nothing;"):
        lock.check(layout, given)


@pytest.mark.parametrize("name", ["data/raw/hun.tsv.gz", "stages/train.py", f"metrics/{TASK}/train.json"])
def test_a_file_that_is_another_is_named(layout: Layout, given: config.Params, name: str) -> None:
    (layout.root / name).write_text("another", "utf-8")
    with pytest.raises(DataError, match=f"^{name}: not the file that dvc.lock names; .* dvc repro$"):
        lock.check(layout, given)


def test_stages_of_another_task_say_nothing(layout: Layout, given: config.Params) -> None:
    _edit(layout, lambda stages: stages.update({"train@other": {"params": {"params.yaml": {"train": {}}}}}))
    lock.check(layout, given)
    _edit(layout, lambda stages: stages.pop(f"train@{TASK}"))
    with pytest.raises(DataError, match=f"has no stage of {TASK}; run: dvc repro"):
        lock.check(layout, given)


def test_without_a_lock_file_nothing_is_known(layout: Layout, given: config.Params) -> None:
    (layout.root / "dvc.lock").unlink()
    with pytest.raises(DataError, match=r"dvc\.lock: no such file.*run: dvc repro"):
        lock.check(layout, given)
