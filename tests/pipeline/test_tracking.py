"""One MLflow run for each state of a task, with everything a user compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.project import Project, copy_project, with_git


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pipeline has run with tracking on."""
    project = copy_project(tmp_path_factory.mktemp("tracked") / "project")
    project.change(tracking={"enabled": True})
    with_git(project).run("dvc", "repro")
    return project


@pytest.fixture
def client(tracked: Project, monkeypatch: pytest.MonkeyPatch) -> mlflow.MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow exports what it is told; put back afterwards
    mlflow.set_tracking_uri(f"sqlite:///{tracked.root / 'mlflow.db'}")
    return mlflow.MlflowClient()


def runs(client: mlflow.MlflowClient) -> list[Any]:
    experiment = client.get_experiment_by_name("esetrag")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def test_a_run_shows_what_was_done(tracked: Project, client: mlflow.MlflowClient) -> None:
    (run,) = runs(client)
    assert run.info.status == "FINISHED"
    assert run.data.params["train.epochs"] == "3"
    assert run.data.params["task.feature"] == "Case"
    test = tracked.json("metrics/toy/test.json")
    for reader in ("reader", "suffix", "majority", "ceiling"):
        assert run.data.metrics[f"test.{reader}.accuracy"] == test[reader]["accuracy"]
    curve = client.get_metric_history(run.info.run_id, "dev_loss")
    assert [point.step for point in curve] == [0, 1, 2, 3]
    assert run.data.tags["git.commit"] == tracked.run("git", "rev-parse", "HEAD").stdout.strip()
    pictures = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "plots")}
    assert pictures == {"lengths.png", "curves.png", "confusion.png"}
    table = client.load_table(run.info.experiment_id, "errors.json", [run.info.run_id])
    assert len(table) == tracked.json("metrics/toy/errors.json")["errors"]


def test_the_model_of_the_run_reads_words_without_any_pickle(
    tracked: Project, client: mlflow.MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    (run,) = runs(client)
    (model,) = run.outputs.model_outputs
    reader = mlflow.pyfunc.load_model(f"models:/{model.model_id}")
    read = reader.predict(pd.DataFrame({"form": ["barában", "dáraból"]}))
    shown = tracked.run("esetrag", "predict", "barában", "dáraból", "--task", "toy").stdout
    assert [line.split()[1] for line in shown.splitlines()] == list(read["label"])
    assert read["probability"].between(0, 1).all()


def test_tracking_again_adds_no_run_and_makes_it_in_an_empty_store(
    tracked: Project, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    tracked.run("esetrag", "track")
    assert len(runs(client)) == 1
    store = f"sqlite:///{tmp_path / 'other.db'}"
    tracked.run("esetrag", "track", env={"MLFLOW_TRACKING_URI": store})
    mlflow.set_tracking_uri(store)
    (copy,) = runs(mlflow.MlflowClient())
    (original,) = runs(client)
    assert copy.data.params == original.data.params
    assert copy.data.metrics == original.data.metrics


def test_another_state_is_another_run_and_an_experiment_names_it(
    tracked: Project, client: mlflow.MlflowClient
) -> None:
    tracked.run("git", "add", "-A")
    tracked.run("git", "commit", "-q", "--allow-empty", "-m", "run")
    tracked.run("dvc", "exp", "run", "--temp", "-S", "train.epochs=2", "--name", "shorter")
    found = {run.info.run_name: run for run in runs(client)}
    assert len(found) == 2
    assert found["shorter"].data.params["train.epochs"] == "2"
    files = client.list_artifacts(found["shorter"].info.run_id, "reports")
    assert files  # in the user's store, not in the workspace that DVC removed
    assert str(tracked.root) in found["shorter"].info.artifact_uri


def test_a_store_that_is_down_costs_no_result(tracked: Project, tmp_path: Path) -> None:
    down = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    done = tracked.run("python", "stages/error_analysis.py", "toy", env=down)
    assert done.stderr.count("the run was not logged") == 1
    assert "esetrag track" in done.stderr


def test_with_tracking_off_mlflow_is_not_imported(finished: Project) -> None:
    done = finished.run("python", "-X", "importtime", "stages/error_analysis.py", "toy")
    assert "mlflow" not in done.stderr
    assert (finished.root / "metrics/toy/errors.md").exists()
    assert not (finished.root / "mlflow.db").exists()
