"""A state whose artifacts are not of its inputs is told from one that is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.tracking import lock
from tests.project import REPO

TASK = "hun-noun-case"
PARAMS = yaml.safe_load((REPO / "params.yaml").read_text("utf-8"))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A table, a stage's script and an artifact, the parameters, and the lock file that goes with them."""
    names = ("data/raw/hun.tsv.gz", "stages/train.py", f"metrics/{TASK}/train.json")
    for name in names:
        files.write_text(tmp_path / name, name)
    files.write_bytes(tmp_path / "params.yaml", (REPO / "params.yaml").read_bytes())
    listed = [{"path": n, "hash": "md5", "md5": hashlib.md5(n.encode()).hexdigest()} for n in names]
    sections = {name: PARAMS[name] for name in ("sample", "train")} | {f"tasks.{TASK}": PARAMS["tasks"][TASK]}
    stage = {"deps": listed[:2], "outs": listed[2:], "params": {"params.yaml": sections}}
    _write(tmp_path, {f"train@{TASK}": stage})
    return Layout(TASK, tmp_path)


def _write(root: Path, stages: dict[str, Any]) -> None:
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}), "utf-8")


def edit(layout: Layout, section: str, **values: int) -> None:
    content = {**PARAMS, section: {**PARAMS[section], **values}}
    (layout.root / "params.yaml").write_text(yaml.safe_dump(content), "utf-8")


def test_a_whole_state_passes_and_code_is_no_part_of_it(layout: Layout) -> None:
    lock.check(layout)
    (layout.root / "stages/train.py").write_text("another", "utf-8")
    edit(layout, "evaluate", resamples=700)  # of a stage that is not in the lock file
    lock.check(layout)


def test_parameters_edited_since_are_named_with_both_values(layout: Layout) -> None:
    edit(layout, "train", epochs=7, patience=3)
    epochs = PARAMS["train"]["epochs"]
    text = f"params.yaml: train.epochs is 7, but the artifacts were made with {epochs} (and 1 more)"
    with pytest.raises(DataError) as caught:
        lock.check(layout)
    assert str(caught.value) == f"{text}; make the artifacts anew: dvc repro"


def test_a_parameter_that_the_artifacts_do_not_know_is_named(layout: Layout) -> None:
    edit(layout, "train", momentum=7)
    with pytest.raises(DataError, match=r"train\.momentum is 7, .* made with nothing;"):
        lock.check(layout)


@pytest.mark.parametrize("name", ["data/raw/hun.tsv.gz", f"metrics/{TASK}/train.json"])
def test_a_file_that_is_another_is_named(layout: Layout, name: str) -> None:
    (layout.root / name).write_text("another", "utf-8")
    with pytest.raises(DataError, match=f"^{name}: not the file that dvc.lock names; .* dvc repro$"):
        lock.check(layout)


def test_a_folder_whose_files_are_others_is_named(layout: Layout) -> None:
    folder = layout.root / "data/raw/parts"
    files.write_text(folder / "train.tsv", "train")
    dependency = {"path": "data/raw/parts", "hash": "md5", "md5": lock.digest(folder)}
    _write(layout.root, {f"sample@{TASK}": {"deps": [dependency]}})
    lock.check(layout)
    files.write_text(folder / "test.tsv", "test")
    with pytest.raises(DataError, match=r"^data/raw/parts: not the files that dvc\.lock names; "):
        lock.check(layout)
    lock.check(layout, is_whole=False)  # as of a revision, of which only some files are restored


def test_stages_of_another_task_do_not_count(layout: Layout) -> None:
    _write(layout.root, {"train@other": {"params": {"params.yaml": {"train": {}}}}})
    with pytest.raises(DataError, match=f"has no stage of {TASK}; run: dvc repro"):
        lock.check(layout)


@pytest.mark.parametrize("text", ["", "stages: [", "<<<<<<< HEAD\nstages: {}\n", "- 1"])
def test_a_torn_lock_file_is_told_with_the_mend(layout: Layout, text: str) -> None:
    (layout.root / "dvc.lock").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"^dvc\.lock: not what DVC writes .*git checkout HEAD dvc\.lock, or"):
        lock.check(layout)


def test_without_a_lock_file_nothing_is_known(layout: Layout) -> None:
    (layout.root / "dvc.lock").unlink()
    with pytest.raises(DataError, match=r"dvc\.lock: no such file.*run: dvc repro"):
        lock.check(layout)
