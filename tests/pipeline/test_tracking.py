"""Runs in MLflow are a projection of the artifacts: situations and the runs a user expects in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.pipeline.logged import Open, assert_complete, parents, runs
from tests.project import Project


def test_a_fresh_pipeline_is_one_complete_run(tracked: Project, client: Open) -> None:
    store = client(tracked)
    (run,) = runs(store)
    assert_complete(tracked, store, run)
    commit = tracked.run("git", "rev-parse", "HEAD~1").stdout.strip()
    assert run.data.tags["git.commit"] == commit


def test_again_is_no_run(changed: Project, client: Open) -> None:
    changed.run("dvc", "repro")
    assert len(runs(client(changed))) == 1
    assert parents(client(changed)) == []


def test_another_training_parameter_is_one_more_with_what_was_cached(changed: Project, client: Open) -> None:
    changed.change(train={"epochs": 2})
    assert changed.ran(changed.run("dvc", "repro")) == ["train@toy", "evaluate@toy", "error_analysis@toy"]
    store = client(changed)
    (new,) = [run for run in runs(store) if run.data.params["train.epochs"] == "2"]
    assert len(runs(store)) == 2
    assert_complete(changed, store, new)

    changed.change(train={"epochs": 3})  # back again: training and test are in DVC's run cache
    assert changed.ran(changed.run("dvc", "repro")) == ["error_analysis@toy"]
    assert len(runs(store)) == 2


@pytest.mark.parametrize(
    ("section", "values"),
    [("error_analysis", {"examples": 7}), ("build_vocab", {"min_count": 2})],
)
def test_a_parameter_that_trains_nothing_is_one_more_with_curves_and_model(
    changed: Project, client: Open, section: str, values: dict[str, int]
) -> None:
    changed.change(**{section: values})
    ran = changed.ran(changed.run("dvc", "repro"))
    assert "train@toy" not in ran  # also where the vocabulary comes out the same
    store = client(changed)
    key, value = next(iter(values.items()))
    (new,) = [run for run in runs(store) if run.data.params[f"{section}.{key}"] == str(value)]
    assert len(runs(store)) == 2
    assert_complete(changed, store, new)


def test_a_forced_run_is_no_duplicate(changed: Project, client: Open) -> None:
    assert len(changed.ran(changed.run("dvc", "repro", "-f"))) == 6
    store = client(changed)
    (run,) = runs(store)
    assert_complete(changed, store, run)


def test_queued_experiments_of_two_workers_are_runs_by_their_names(changed: Project, client: Open) -> None:
    for size in (5, 6, 7):
        changed.run("dvc", "exp", "run", "--queue", "--name", f"size-{size}", "-S", f"model.hidden={size}")
    changed.run("dvc", "queue", "start", "-j", "2")
    deadline = time.monotonic() + 480
    while "Queued" in (status := changed.run("dvc", "queue", "status").stdout) or "Running" in status:
        assert time.monotonic() < deadline, status
        time.sleep(3)
    store = client(changed)
    found = {run.info.run_name: run for run in runs(store)}
    assert {"size-5", "size-6", "size-7"} < found.keys()
    assert len(found) == 4
    (parent,) = parents(store)
    assert parent.info.status == "FINISHED"
    assert not any("mlflow.parentRunId" in run.data.tags for name, run in found.items() if "size" not in name)
    for size in (5, 6, 7):
        run = found[f"size-{size}"]
        assert run.info.status == "FINISHED"
        assert run.data.params["model.hidden"] == str(size)
        assert run.data.tags["dvc.exp.name"] == f"size-{size}"
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert store.list_artifacts(run.info.run_id, "reports")  # not in the workspace that DVC removed
        assert len(run.outputs.model_outputs) == 1


def test_a_lost_store_is_made_again_from_the_artifacts(
    tracked: Project, changed: Project, client: Open
) -> None:
    (before,) = runs(client(tracked))
    (changed.root / "mlflow.db").unlink()
    shutil.rmtree(changed.root / "mlartifacts")
    changed.run("esetrag", "track")
    changed.run("esetrag", "track")
    store = client(changed)
    (after,) = runs(store)
    assert_complete(changed, store, after)
    assert after.data.params == before.data.params
    assert after.data.metrics == before.data.metrics
    assert artifacts(changed, after) == artifacts(tracked, before)


def test_parameters_that_the_artifacts_are_not_of_are_no_run(changed: Project, client: Open) -> None:
    changed.change(train={"epochs": 5})
    done = changed.run("esetrag", "track", code=2)
    assert done.stderr.startswith(
        "esetrag: params.yaml: train.epochs is 5, but the artifacts were made with 3"
    )
    assert done.stderr.endswith("dvc repro\n")
    assert done.stderr.count("\n") == 1
    assert len(runs(client(changed))) == 1

    changed.run("git", "commit", "-q", "-am", "parameters alone")
    changed.change(train={"epochs": 3})
    done = changed.run("esetrag", "track", "--rev", "HEAD", code=2)
    assert done.stderr.startswith("esetrag: HEAD: params.yaml: train.epochs is 5, but")
    assert done.stderr.endswith("dvc repro in that revision\n")
    assert done.stderr.count("\n") == 1
    assert len(runs(client(changed))) == 1


def artifacts(project: Project, run: Any) -> dict[str, bytes]:
    top = project.root / "mlartifacts" / run.info.run_id / "artifacts"
    found = {path for folder in ("plots", "reports") for path in (top / folder).iterdir()}
    return {path.name: path.read_bytes() for path in found}


@pytest.mark.parametrize("seconds", [1.5, 2.5, 3.5, 4.5])
def test_a_kill_leaves_no_store_half_made(
    changed: Project, client: Open, tmp_path: Path, seconds: float
) -> None:
    uri = f"sqlite:///{tmp_path / 'new.db'}"
    env = {**changed.environment(), "MLFLOW_TRACKING_URI": uri}
    command = [str(Path(sys.executable).parent / "esetrag"), "track"]
    with subprocess.Popen(command, cwd=changed.root, env=env) as user:
        time.sleep(seconds)
        user.kill()
    changed.run("esetrag", "track", env={"MLFLOW_TRACKING_URI": uri})
    store = client(changed, uri)
    assert [run.info.status for run in runs(store)] == ["FINISHED"]


def test_three_first_users_of_a_new_store_make_one_run(
    changed: Project, client: Open, tmp_path: Path
) -> None:
    uri = f"sqlite:///{tmp_path / 'new.db'}"
    env = {**changed.environment(), "MLFLOW_TRACKING_URI": uri}
    command = [str(Path(sys.executable).parent / "esetrag"), "track"]
    users = [subprocess.Popen(command, cwd=changed.root, env=env) for _ in range(3)]
    assert [user.wait() for user in users] == [0, 0, 0]
    store = client(changed, uri)
    (run,) = runs(store)
    assert_complete(changed, store, run)


def test_the_model_of_the_run_reads_words_without_any_pickle(
    tracked: Project, client: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    (run,) = runs(client(tracked))
    (model,) = run.outputs.model_outputs
    reader = mlflow.pyfunc.load_model(f"models:/{model.model_id}")
    read = reader.predict(pd.DataFrame({"form": ["barában", "dáraból"]}))
    shown = tracked.run("esetrag", "predict", "barában", "dáraból", "--task", "toy").stdout
    assert [line.split()[1] for line in shown.splitlines()] == list(read["label"])
    assert read["probability"].between(0, 1).all()
    assert not [path for path in (tracked.root / "mlartifacts").rglob("*") if path.suffix == ".pkl"]


def test_a_surrounding_run_is_left_alone(changed: Project, client: Open) -> None:
    store = client(changed)
    other = store.create_run(store.create_experiment("mine"))
    (changed.root / "metrics/toy/errors.md").chmod(0o644)
    changed.change(error_analysis={"examples": 3})
    changed.run("dvc", "repro", env={"MLFLOW_RUN_ID": other.info.run_id, "MLFLOW_EXPERIMENT_NAME": "mine"})
    assert len(runs(store)) == 2
    assert store.get_run(other.info.run_id).data.params == {}


def test_with_tracking_off_mlflow_is_not_imported(finished: Project) -> None:
    for stage in ("train", "error_analysis"):
        done = finished.run("python", "-X", "importtime", f"stages/{stage}.py", "toy")
        assert "mlflow" not in done.stderr
    assert not (finished.root / "mlflow.db").exists()
