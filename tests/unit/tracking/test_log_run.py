"""What a run holds, and that it is finished only when it holds everything: real stores, injected faults."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest

from esetrag.core import files
from esetrag.core.errors import TrackingError
from esetrag.core.layout import Layout
from esetrag.tracking import log_run, store
from esetrag.training.history import Epoch
from tests.project import REPO
from tests.unit.tracking.conftest import EPOCHS, PARAMS, TASK, Log, predictions


def logged() -> list[Any]:
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        return opened.runs("", 100)


def artifacts(tmp_path: Path, name: str) -> Path:
    """A file of the only run, or of its model, in the store."""
    (path,) = (tmp_path / "store/mlartifacts").rglob(name)
    return path


def test_a_run_holds_what_tells_it_from_others_and_no_more(log: Log, layout: Layout, tmp_path: Path) -> None:
    log("long")
    (run,) = logged()
    assert (run.info.run_name, run.info.status) == ("long", "FINISHED")
    curves = {"train_loss": 0.3, "dev_loss": 0.6, "train_accuracy": 1.0, "dev_accuracy": 0.7}
    figures = {
        "test_accuracy": 0.9, "test_accuracy_low": 0.8, "test_accuracy_high": 0.95, "test_macro_f1": 0.6,
        "test_ece": 0.02, "best_dev_accuracy": 0.8, "best_epoch": 1, "ngram_accuracy": 0.85,
        "baseline_logistic_regression_accuracy": 0.8, "baseline_longest_suffix_accuracy": 0.7,
        "baseline_majority_accuracy": 0.3, "baseline_accuracy": 0.8, "upper_bound": 0.98,
    }  # fmt: skip
    assert run.data.metrics == pytest.approx(curves | figures)
    assert len(figures) <= 15
    assert len(run.data.tags) <= 12
    assert run.data.params["task.feature"] == "Case"
    assert run.data.params["train.epochs"] == str(PARAMS.train.epochs)
    assert not any(name.startswith(("tasks", "tracking")) for name in run.data.params)
    note = run.data.tags["mlflow.note.content"]
    assert "bilstm, trained on 60 rows of data/raw/hun.tsv.gz" in note
    assert "Test accuracy 90.00% (95% interval 80.00% to 95.00%, 20 rows)" in note
    assert "best baseline logistic_regression: 80.00%" in note
    sets = {
        (entry.dataset.name, json.loads(entry.dataset.profile)["num_rows"], entry.tags[0].value)
        for entry in run.inputs.dataset_inputs
    }
    assert sets == {
        (f"{TASK}-train", 60, "training"), (f"{TASK}-dev", 12, "validation"), (f"{TASK}-test", 20, "testing")
    }  # fmt: skip
    digests = {entry.dataset.name: entry.dataset.digest for entry in run.inputs.dataset_inputs}
    assert digests[f"{TASK}-dev"] == files.md5(layout.sample("dev"))
    hashes = json.loads(artifacts(tmp_path, "hashes.json").read_text())
    assert hashes["artifacts_md5"][f"metrics/{TASK}/test.json"] == files.md5(layout.metrics / "test.json")
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        (version,) = opened.client.search_model_versions(f"name = '{TASK}'")
        assert (version.description, version.tags["test_accuracy"]) == (note, "0.9000")
        experiment = opened.client.get_experiment(opened.experiment_id)
    assert experiment.name == f"esetrag/{TASK}"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    shown = json.loads(json.loads(experiment.tags["mlflow.sharedViewState.results"])["state"])[
        "selectedColumns"
    ]
    assert {name.split("`")[1] for name in shown} <= {*figures, *run.data.params, "train_seconds"}


def test_nothing_of_the_machine_is_in_the_model_and_it_predicts(log: Log, tmp_path: Path) -> None:
    log()
    folder = artifacts(tmp_path, "MLmodel").parent
    texts = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".safetensors"]
    machine = (str(tmp_path), str(REPO), str(Path.home()))
    assert not [path for path in texts if any(place in path.read_text("utf-8") for place in machine)]
    assert not (folder / "code").exists()
    assert list(mlflow.pyfunc.load_model(str(folder)).predict(["borban"])["form"]) == ["borban"]


def test_curves_are_logged_by_epoch_and_only_once(log: Log) -> None:
    run_id = log()
    assert log() == run_id
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        points = opened.client.get_metric_history(run_id, "dev_loss")
        assert {point.step: point.value for point in points} == {0: 2.1, 1: 0.4, 2: 0.6}
        assert len(points) == 3
        assert len(opened.client.get_metric_history(run_id, "test_accuracy")) == 1


def cut(path: Path) -> None:
    os.truncate(path, 10)


def test_a_run_that_lost_an_artifact_is_healed(log: Log, tmp_path: Path) -> None:
    run_id = log()
    faults: list[tuple[str, Callable[[Path], object]]] = [
        ("report.html", Path.unlink),
        ("test.json", cut),
        ("predictions.parquet", Path.unlink),
        ("model.safetensors", Path.unlink),
        ("model.safetensors", cut),
        ("MLmodel", lambda path: shutil.rmtree(path.parent)),
    ]
    for name, harm in faults:
        path, weights = artifacts(tmp_path, name), artifacts(tmp_path, "model.safetensors")
        before = {file: file.read_bytes() for file in (path, weights) if file.name != "MLmodel"}
        harm(path)
        assert log() == run_id
        assert {file: file.read_bytes() for file in before} == before
        assert path.is_file()
    (run,) = logged()
    assert run.info.status == "FINISHED"
    assert len(run.outputs.model_outputs) == 1


@pytest.mark.parametrize("method", ["log_model_artifacts", "log_artifact", "finalize_logged_model"])
def test_a_run_whose_upload_breaks_is_not_finished_and_the_next_one_completes_it(
    method: str, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, method, full)
        with pytest.raises(TrackingError, match="No space left on device"):
            log()
    (broken,) = logged()
    assert broken.info.status != "FINISHED"
    assert log() == broken.info.run_id
    (run,) = logged()
    assert run.info.status == "FINISHED"
    assert len(run.outputs.model_outputs) == 1
    with store.opened(PARAMS.experiment_of(TASK)) as opened:
        assert str(opened.client.get_logged_model(run.data.tags[store.MODEL]).status) == "READY"


@pytest.mark.parametrize("method", ["log_model_artifacts", "log_artifact"])
def test_a_store_that_takes_bytes_and_loses_them_is_told(
    method: str, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow.MlflowClient, method, lambda *_, **__: None)
    with pytest.raises(TrackingError, match=r"^sqlite:.* cannot be read back$"):
        log()
    assert [run.info.status for run in logged()] == ["RUNNING"]


def test_pages_in_another_style_are_the_same_run_and_other_results_are_not(
    log: Log, layout: Layout, tmp_path: Path
) -> None:
    first = log()
    files.write_text(layout.report, "another style")
    assert log() == first
    assert artifacts(tmp_path, "report.html").read_text() == "another style"
    assert log("other", predictions({1, 2})) != first
    assert sorted(run.info.run_name for run in logged()) == ["other", "run"]


def follow(layout: Layout, epochs: list[Epoch]) -> str:
    """Logs epochs while they come, as the tracker does; the training is stopped after them."""
    events: Iterator[Epoch | bool] = iter([*epochs, False])
    log_run.follow(layout, PARAMS, lambda: next(events), lambda: None)
    (run,) = [run for run in logged() if run.info.status != "FINISHED"]
    return str(run.info.run_id)


def test_the_run_of_a_training_is_completed_if_it_goes_on_as_it_began(log: Log, layout: Layout) -> None:
    begun = follow(layout, EPOCHS[:2])
    assert log() == begun
    again = follow(layout, EPOCHS)  # forced
    assert again != begun
    assert log() == begun
    (run,) = logged()
    assert run.info.status == "FINISHED"


def test_a_run_whose_maker_was_killed_at_once_gets_its_parameters(
    log: Log, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "log_batch", lambda *_, **__: None)
        begun = follow(layout, [])
    assert log() == begun
    (run,) = logged()
    assert run.data.params["train.epochs"] == str(PARAMS.train.epochs)


def test_the_seconds_of_a_whole_training_are_kept(log: Log, layout: Layout) -> None:
    events: Iterator[Epoch | bool] = iter([*EPOCHS, True])
    log_run.follow(layout, PARAMS, lambda: next(events), lambda: None)
    log()
    (run,) = logged()
    assert 0 <= run.data.metrics["train_seconds"] < 600


def test_the_run_of_another_training_is_no_part_of_it(log: Log, layout: Layout) -> None:
    begun = follow(layout, [replace(EPOCHS[0], dev_loss=9.0)])
    assert log() != begun
    assert [run.info.status for run in logged()] == ["FINISHED"]
