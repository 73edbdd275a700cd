from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from esetrag import analysis, evaluation, files, history, params, tables
from esetrag.errors import DataError
from esetrag.history import Epoch
from esetrag.layout import Layout
from esetrag.runs import PAGES, collect, flat
from esetrag.vocab import Vocabulary

TASK = "hun-noun-case"
EPOCHS = [Epoch(0, 2.0, 0.1, 2.0, 0.1, 0.0), Epoch(1, 0.5, 0.9, 0.4, 0.8, 0.01)]


@pytest.fixture
def layout(
    tmp_path: Path,
    tiny_rows: pa.Table,
    tiny_vocabulary: Vocabulary,
    tiny_checkpoint: Path,
    given: params.Params,
) -> Layout:
    """The artifacts of a finished pipeline, the pictures without content."""
    layout = Layout(TASK, tmp_path / "repository")
    shares = np.random.default_rng(1).dirichlet(np.ones(7), len(tiny_rows)).astype(np.float32)
    result = evaluation.evaluate(tiny_rows, tiny_rows, shares, tiny_vocabulary.labels, given.evaluate)
    for page in PAGES:
        files.write_text(layout.metrics / page, page)
    files.write_json(layout.metrics / "test.json", result.figures)
    files.write_json(layout.metrics / "train.json", asdict(EPOCHS[1]))
    files.write_text(layout.history, history.to_csv(EPOCHS))
    tables.write(layout.predictions, result.predictions)
    tables.write(layout.errors, analysis.table(analysis.analyse(result.predictions, tiny_vocabulary)))
    shutil.copytree(tiny_checkpoint, layout.checkpoint)
    return layout


def test_nested_sections_become_dotted_keys() -> None:
    nested = {"a": 1, "b": {"c": None, "d": {"e": [1, 2]}}, "f": {}}
    assert flat(nested) == {"a": 1, "b.c": None, "b.d.e": [1, 2]}


def test_a_run_shows_parameters_figures_and_misread_forms(layout: Layout, given: params.Params) -> None:
    run = collect(layout, given)
    assert run.task == TASK
    assert run.params["train.epochs"] == str(given.train.epochs)
    assert run.params["task.feature"] == "Case"
    assert not any(name.startswith("tracking") for name in run.params)
    assert run.metrics["best.dev_loss"] == 0.4
    assert run.metrics["test.rows"] == 84
    assert run.metrics["test.reader.accuracy"] == 1 - len(run.errors) / 84
    assert run.epochs == EPOCHS
    assert run.errors == tables.read(layout.errors).to_pylist()
    assert [path.relative_to(layout.metrics).as_posix() for path in run.files] == list(PAGES)
    assert run.checkpoint == layout.checkpoint
    assert run.tags["task"] == TASK
    assert run.tags["version.torch"].startswith("2.")


def test_the_same_state_has_the_same_key_wherever_it_lies(
    layout: Layout, given: params.Params, tmp_path: Path
) -> None:
    shutil.copytree(layout.root, tmp_path / "copy")
    assert collect(Layout(TASK, tmp_path / "copy"), given).key == collect(layout, given).key


def test_tracking_is_no_part_of_the_state(layout: Layout, given: params.Params) -> None:
    other = given.model_copy(update={"tracking": params.Tracking(enabled=False, experiment="other")})
    assert collect(layout, other).key == collect(layout, given).key


def test_other_parameters_are_another_state(layout: Layout, given: params.Params) -> None:
    other = given.model_copy(update={"train": given.train.model_copy(update={"epochs": 7})})
    assert collect(layout, other).key != collect(layout, given).key


@pytest.mark.parametrize(
    "place",
    [
        "metrics/history.csv",
        "data/predictions.parquet",
        "data/model/manifest.json",
    ],
)
def test_another_artifact_is_another_state(layout: Layout, given: params.Params, place: str) -> None:
    before = collect(layout, given).key
    kind, _, rest = place.partition("/")
    path = layout.root / kind / TASK / rest
    path.write_bytes(path.read_bytes() + b"\n")
    assert collect(layout, given).key != before


@pytest.mark.parametrize(
    "name",
    [
        *(f"metrics/{page}" for page in PAGES),
        "data/errors.parquet",
        "data/model/manifest.json",
    ],
)
def test_a_missing_artifact_is_told_with_the_mend(layout: Layout, given: params.Params, name: str) -> None:
    kind, _, rest = name.partition("/")
    path = layout.root / kind / TASK / rest
    path.unlink()
    with pytest.raises(DataError) as caught:
        collect(layout, given)
    assert str(caught.value) == f"{path}: no such file; the pipeline has not run to its end: dvc repro"


def test_a_pipeline_that_never_ran_is_told(tmp_path: Path, given: params.Params) -> None:
    with pytest.raises(DataError, match="the pipeline has not run to its end: dvc repro"):
        collect(Layout(TASK, tmp_path), given)


def test_the_dvc_experiment_is_a_tag_of_the_run(
    monkeypatch: pytest.MonkeyPatch, layout: Layout, given: params.Params
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "sober-hare")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "f00")
    named = collect(layout, given)
    assert (named.tags["dvc.exp.name"], named.tags["dvc.exp.baseline"]) == ("sober-hare", "f00")
    monkeypatch.delenv("DVC_EXP_NAME")
    monkeypatch.delenv("DVC_EXP_BASELINE_REV")
    assert not any(name.startswith("dvc.") for name in collect(layout, given).tags)
    assert collect(layout, given).key == named.key


def test_a_run_outside_of_git_has_no_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, layout: Layout, given: params.Params
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "git.commit" not in collect(layout, given).tags
