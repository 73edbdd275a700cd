from __future__ import annotations

import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from esetrag.analysis import error_analysis
from esetrag.core import config, files, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS, Layout
from esetrag.scoring.calibration import Calibration, ModelOutput
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks import evaluation
from esetrag.tracking.runs import PAGES, Inputs, Outcome, finished, flat, origin
from esetrag.training import history
from esetrag.training.history import Epoch
from tests.unit.showing import shown

TASK = "hun-noun-case"
PLACES = (
    "data/raw/hun.tsv.gz",
    "src/esetrag/models/bilstm.py",
    "src/esetrag/report/report.css",
    "stages/train.py",
)
EPOCHS = [Epoch(0, 2.0, 0.1, 2.0, 0.1, 0.0), Epoch(1, 0.5, 0.9, 0.4, 0.8, 0.01)]


@pytest.fixture
def layout(
    tmp_path: Path,
    tiny_rows: pa.Table,
    tiny_vocabulary: Vocabulary,
    tiny_checkpoint: Path,
    given: config.Params,
) -> Layout:
    """The artifacts of a finished pipeline, the pictures without content."""
    layout = Layout(TASK, tmp_path / "repository")
    shares = np.random.default_rng(1).dirichlet(np.ones(7), len(tiny_rows)).astype(np.float32)
    read = ModelOutput(shares, Calibration())
    rows = dict.fromkeys(PARTS, tiny_rows)
    result = evaluation.evaluate(rows, [read], tiny_vocabulary.labels, given.evaluate, given.calibration)
    for page in PAGES:
        files.write_text(layout.metrics / page, page)
    files.write_json(layout.metrics / "test.json", result.figures)
    parts = {part: {"rows": rows} for part, rows in (("train", 60), ("dev", 12), ("test", 12))}
    files.write_json(layout.metrics / "data.json", {"parts": parts})
    for name in PLACES:
        files.write_text(layout.root / name, name)
    files.write_json(layout.metrics / "train.json", asdict(EPOCHS[1]))
    files.write_text(layout.history, history.to_csv(EPOCHS))
    tables.write(layout.predictions, result.predictions)
    tables.write(
        layout.errors,
        error_analysis.table(error_analysis.analyse(result.predictions, tiny_vocabulary, shown(tiny_rows))),
    )
    shutil.copytree(tiny_checkpoint, layout.checkpoint)
    return layout


def test_nested_sections_become_dotted_keys() -> None:
    nested = {"a": 1, "b": {"c": None, "d": {"e": [1, 2]}}, "f": {}}
    assert flat(nested) == {"a": 1, "b.c": None, "b.d.e": [1, 2]}


def test_the_inputs_are_parameters_table_code_and_versions(layout: Layout, given: config.Params) -> None:
    inputs = Inputs.of(layout, given)
    assert inputs.parameters["train"]["epochs"] == given.train.epochs
    assert inputs.parameters["task"]["feature"] == "Case"
    assert "tracking" not in inputs.parameters
    assert inputs.raw_sha256 == files.sha256(inputs.raw)
    assert inputs.versions["torch"].startswith("2.")


def test_the_same_inputs_have_the_same_key_wherever_they_lie(
    layout: Layout, given: config.Params, tmp_path: Path
) -> None:
    shutil.copytree(layout.root, tmp_path / "copy")
    assert Inputs.of(Layout(TASK, tmp_path / "copy"), given).key == Inputs.of(layout, given).key


def test_a_finished_state_keeps_the_key_of_the_libraries_it_was_trained_with(
    layout: Layout, given: config.Params
) -> None:
    while_training, (inputs, outcome) = Inputs.of(layout, given), finished(layout, given)
    assert inputs == while_training
    assert outcome.digest == Outcome.of(layout).digest
    manifest = files.read_json(layout.manifest)
    manifest["versions"]["torch"] = "1.0"
    files.write_json(layout.manifest, manifest)
    older, _ = finished(layout, given)
    assert older.versions == {**while_training.versions, "torch": "1.0"}
    assert older.key != while_training.key


def test_tracking_is_no_part_of_the_key(layout: Layout, given: config.Params) -> None:
    settings = config.Tracking(enabled=False, required=False, experiment="other")
    other = given.model_copy(update={"tracking": settings})
    assert Inputs.of(layout, other).key == Inputs.of(layout, given).key


@pytest.mark.parametrize(
    "place",
    PLACES,
)
def test_another_table_or_other_code_is_another_key(layout: Layout, given: config.Params, place: str) -> None:
    before = Inputs.of(layout, given).key
    path = layout.root / place
    path.write_bytes(path.read_bytes() + b"\n")
    assert Inputs.of(layout, given).key != before


def test_other_parameters_are_another_key(layout: Layout, given: config.Params) -> None:
    other = given.model_copy(update={"train": given.train.model_copy(update={"epochs": 7})})
    assert Inputs.of(layout, other).key != Inputs.of(layout, given).key


def test_a_missing_table_is_told(layout: Layout, given: config.Params) -> None:
    (layout.root / "data/raw/hun.tsv.gz").unlink()
    with pytest.raises(DataError, match="no such file"):
        Inputs.of(layout, given)


def test_the_outcome_is_figures_curves_pages_and_misread_forms(layout: Layout) -> None:
    outcome = Outcome.of(layout)
    misread = len(outcome.errors["form"])
    assert outcome.metrics["best.dev_loss"] == 0.4
    assert outcome.metrics["test.rows"] == 84
    assert outcome.metrics["test.reader.accuracy"] == 1 - misread / 84
    assert outcome.epochs == EPOCHS
    assert outcome.errors == tables.read(layout.errors).to_pydict()
    assert [path.relative_to(layout.metrics).as_posix() for path in outcome.pages] == list(PAGES)
    assert outcome.rows == {"train": 60, "dev": 12, "test": 12}


def test_a_figure_that_could_not_be_measured_is_left_out(layout: Layout) -> None:
    test = files.read_json(layout.metrics / "test.json")
    test["reader"]["loss"] = None
    files.write_json(layout.metrics / "test.json", test)
    assert "test.reader.loss" not in Outcome.of(layout).metrics


ARTIFACTS = [*(f"metrics/{page}" for page in PAGES), "data/errors.parquet", "data/predictions.parquet"]
ARTIFACTS += ["data/model/manifest.json", "data/model/model.safetensors"]


@pytest.mark.parametrize("name", ["metrics/errors.md", "data/model/model.safetensors"])
def test_another_artifact_is_another_digest(layout: Layout, name: str) -> None:
    before = Outcome.of(layout).digest
    path = place(layout, name)
    path.write_bytes(path.read_bytes() + b"\n")
    assert Outcome.of(layout).digest != before


@pytest.mark.parametrize("name", ARTIFACTS)
def test_a_missing_artifact_is_told_with_the_mend(layout: Layout, name: str) -> None:
    path = place(layout, name)
    path.unlink()
    with pytest.raises(DataError) as caught:
        Outcome.of(layout)
    assert str(caught.value) == f"{path}: no such file; the pipeline has not run to its end: dvc repro"


def place(layout: Layout, name: str) -> Path:
    kind, _, rest = name.partition("/")
    return layout.root / kind / TASK / rest


def test_the_dvc_experiment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "sober-hare")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "f00")
    assert origin()["dvc.exp.name"] == "sober-hare"
    assert origin()["dvc.exp.baseline"] == "f00"
    monkeypatch.delenv("DVC_EXP_NAME")
    monkeypatch.delenv("DVC_EXP_BASELINE_REV")
    assert not any(name.startswith("dvc.") for name in origin())


def test_outside_of_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "git.commit" not in origin()


def test_a_commit_is_dirty_by_its_inputs_and_not_by_what_a_pipeline_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("params.yaml", "dvc.lock", "metrics/toy/test.json"):
        files.write_text(tmp_path / name, "a")
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for command in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "a")):
        subprocess.run(["git", *command], check=True)
    (tmp_path / "metrics/toy/test.json").unlink()  # DVC removes outputs before it runs their stage
    files.write_text(tmp_path / "dvc.lock", "b")
    assert origin()["git.dirty"] == "false"
    files.write_text(tmp_path / "params.yaml", "b")
    assert origin()["git.dirty"] == "true"
