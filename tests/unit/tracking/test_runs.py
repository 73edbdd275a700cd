from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from esetrag.core import config, files
from esetrag.core.errors import DataError, TrackingError
from esetrag.core.layout import Layout
from esetrag.tracking import promote, runs
from esetrag.tracking.runs import Inputs, Outcome
from tests.unit.tracking.conftest import EPOCHS, PARAMS, TASK, TEST, Log, predictions


def test_nested_sections_become_dotted_keys() -> None:
    nested = {"a": 1, "b": {"c": None, "d": {"e": [1, 2]}}, "f": {}}
    assert runs.flat(nested) == {"a": 1, "b.c": None, "b.d.e": [1, 2]}


def test_a_task_uses_its_own_models_and_values_and_no_others(layout: Layout) -> None:
    params = Inputs.of(layout, PARAMS).params
    assert params["task.model"] == "bilstm"
    assert params["models.bilstm.hidden"] == 64
    assert not [name for name in params if name.startswith(("models.blend", "tasks", "tracking"))]
    older = {"tasks": {"a": {"raw": "x"}}, "lstm": {"units": 64}, "tracking": {"enabled": True}}
    assert runs.used(older, "a") == {"task.raw": "x", "lstm.units": 64}


def changed(section: str, **values: Any) -> config.Params:
    return PARAMS.model_copy(update={section: getattr(PARAMS, section).model_copy(update=values)})


def test_the_key_is_of_parameters_and_tables_wherever_they_lie(layout: Layout, tmp_path: Path) -> None:
    key = Inputs.of(layout, PARAMS).key
    shutil.copytree(layout.root, tmp_path / "copy")
    copy = Layout(TASK, tmp_path / "copy")
    files.write_text(copy.root / "src/esetrag/models/bilstm.py", "other code")
    assert Inputs.of(copy, changed("tracking", enabled=False, experiment="other")).key == key
    assert Inputs.of(copy, changed("train", epochs=7)).key != key
    files.write_text(copy.root / "data/raw/hun.tsv.gz", "another table")
    assert Inputs.of(copy, PARAMS).key != key
    (copy.root / "data/raw/hun.tsv.gz").unlink()
    with pytest.raises(DataError, match=r"hun\.tsv\.gz: no such file"):
        Inputs.of(copy, PARAMS)


def test_the_outcome_is_figures_curves_and_artifacts(layout: Layout) -> None:
    outcome = Outcome.of(layout)
    assert outcome.metrics["test_accuracy"] == 0.9
    assert outcome.metrics["best_dev_accuracy"] == 0.8
    assert outcome.epochs == EPOCHS
    assert outcome.rows == {"train": 60, "dev": 12, "test": 20}
    assert outcome.artifacts["reports/report.html"] == layout.report
    assert outcome.md5[f"data/{TASK}/predictions.parquet"] == files.md5(layout.predictions)


def test_a_figure_that_could_not_be_measured_is_left_out() -> None:
    ours = {**TEST["models"]["bilstm"], "ece": None}
    test = {**TEST, "models": {**TEST["models"], "bilstm": ours}}
    train = {"dev_accuracy": 0.5, "epoch": 3}
    assert "test_ece" not in runs.figures(test, train)
    assert runs.figures({"reader": {"accuracy": 1.0}}, train) == {}, "of an older version"


def test_each_feature_of_bundles_is_a_figure() -> None:
    features = {"Case": {"bilstm": {"accuracy": 0.9}, "ngram": {"accuracy": 0.8}}}
    found = runs.figures({**TEST, "features": features}, {"dev_accuracy": 0.5, "epoch": 3})
    assert found["test_accuracy_Case"] == 0.9


def test_results_are_model_and_predictions_and_no_page(layout: Layout) -> None:
    digests = [Outcome.of(layout).results]
    for path in (layout.weights, layout.manifest, layout.predictions, layout.report):
        path.write_bytes(path.read_bytes() + b"\n")
        digests.append(Outcome.of(layout).results)
    assert len(set(digests[:4])) == 4
    assert digests[3] == digests[4]


def test_every_missing_artifact_is_told_with_the_mend(layout: Layout) -> None:
    for path in Outcome.paths(layout):
        data = path.read_bytes()
        path.unlink()
        with pytest.raises(DataError) as caught:
            Outcome.of(layout)
        assert str(caught.value) == f"{path}: no such file; the pipeline has not run to its end: dvc repro"
        path.write_bytes(data)
    Outcome.of(layout)


def test_a_checkpoint_is_that_of_the_workspace_of_a_run_or_of_the_champion(log: Log, layout: Layout) -> None:
    with runs.checkpoint_of(layout, PARAMS) as folder:
        assert folder == layout.checkpoint
    with (
        pytest.raises(TrackingError, match="has no champion; esetrag promote makes one"),
        of_run(layout, None),
    ):
        pass
    log("first")
    promote.promote(layout, PARAMS, "first")
    before = layout.manifest.read_bytes()
    layout.manifest.write_bytes(before + b" ")
    run_id = log("second", predictions({1}))
    for name, expected in ((None, before), (run_id, before + b" "), ("second", before + b" ")):
        with of_run(layout, name) as folder:
            assert (folder / "manifest.json").read_bytes() == expected
            assert (folder / "model.safetensors").read_bytes() == layout.weights.read_bytes()
        assert not folder.exists()
    with pytest.raises(TrackingError, match="has no finished run called nobody"), of_run(layout, "nobody"):
        pass
    layout.manifest.unlink()
    with pytest.raises(DataError, match="make it: dvc repro"), runs.checkpoint_of(layout, PARAMS):
        pass


def of_run(layout: Layout, name: str | None) -> Any:
    return runs.checkpoint_of(layout, PARAMS, name, champion=name is None)


def test_the_dvc_experiment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "sober-hare")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "f00")
    assert runs.origin()["dvc.exp.name"] == "sober-hare"
    assert runs.origin()["dvc.exp.baseline"] == "f00"


def test_a_commit_is_dirty_by_its_inputs_and_not_by_what_a_pipeline_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "git.commit" not in runs.origin()
    for name in ("params.yaml", "dvc.lock", "metrics/toy/test.json"):
        files.write_text(tmp_path / name, "a")
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for command in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "a")):
        subprocess.run(["git", *command], check=True)
    (tmp_path / "metrics/toy/test.json").unlink()  # DVC removes outputs before it runs their stage
    files.write_text(tmp_path / "dvc.lock", "b")
    assert runs.origin()["git.dirty"] == "false"
    files.write_text(tmp_path / "params.yaml", "b")
    assert runs.origin()["git.dirty"] == "true"
