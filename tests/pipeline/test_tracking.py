"""Runs in MLflow are a projection of the artifacts: situations and the runs a user expects in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.pipeline.logged import Open, assert_complete, runs
from tests.pipeline.test_revisions import artifacts
from tests.project import Project

TRACK = [str(Path(sys.executable).parent / "esetrag"), "track"]


def test_a_pipeline_is_one_complete_run_however_often_it_runs(
    tracked: Project, changed: Project, client: Open
) -> None:
    store = client(changed)
    (run,) = runs(store)
    assert_complete(changed, store, run)
    assert run.data.tags["git.commit"] == tracked.run("git", "rev-parse", "HEAD~1").stdout.strip()
    changed.run("dvc", "repro")
    assert len(runs(store)) == 1
    assert len(changed.ran(changed.run("dvc", "repro", "-f"))) == 6
    (again,) = runs(store)
    assert again.info.run_id == run.info.run_id
    assert_complete(changed, store, again)


def test_another_parameter_is_one_more_run_with_what_was_cached(changed: Project, client: Open) -> None:
    store = client(changed)
    for count, (section, key, value, trains) in enumerate(
        [("train", "epochs", 2, True), ("error_analysis", "examples", 7, False)], 2
    ):
        changed.change(**{section: {key: value}})
        assert ("train@toy" in changed.ran(changed.run("dvc", "repro"))) == trains
        (new,) = [run for run in runs(store) if run.data.params[f"{section}.{key}"] == str(value)]
        assert len(runs(store)) == count
        assert_complete(changed, store, new)
    changed.run("git", "checkout", "-q", "--", "params.yaml")  # back again: it is in DVC's run cache
    assert "train@toy" not in changed.ran(changed.run("dvc", "repro"))
    assert len(runs(store)) == 3


def test_queued_experiments_of_two_workers_are_runs_by_their_names(changed: Project, client: Open) -> None:
    for size in (5, 6, 7):
        changed.run(
            "dvc", "exp", "run", "--queue", "--name", f"size-{size}", "-S", f"models.bilstm.hidden={size}"
        )
    changed.run("dvc", "queue", "start", "-j", "2")
    deadline = time.monotonic() + 900
    # Between the queue and its start an experiment is neither queued nor running.
    while (status := changed.run("dvc", "queue", "status").stdout).count("Success") < 3:
        assert "Failed" not in status, status
        assert time.monotonic() < deadline, status
        time.sleep(3)
    store = client(changed)
    found = {run.info.run_name: run for run in runs(store)}
    assert {"size-5", "size-6", "size-7"} < found.keys()
    assert len(found) == 4
    for size in (5, 6, 7):
        run = found[f"size-{size}"]
        assert run.info.status == "FINISHED"
        assert run.data.params["models.bilstm.hidden"] == str(size)
        assert "mlflow.parentRunId" not in run.data.tags, "a row of its own"
        assert store.list_artifacts(run.info.run_id, "reports")  # not in the workspace that DVC removed
        assert len(run.outputs.model_outputs) == 1


def test_a_lost_store_is_made_again_from_the_artifacts(
    tracked: Project, changed: Project, client: Open
) -> None:
    (before,) = runs(client(tracked))
    (changed.root / "mlflow.db").unlink()
    shutil.rmtree(changed.root / "mlartifacts")
    users = [subprocess.Popen(TRACK, cwd=changed.root, env=changed.environment()) for _ in range(3)]
    assert [user.wait() for user in users] == [0, 0, 0], "three first users of a new store"
    store = client(changed)
    (again,) = runs(store)
    assert_complete(changed, store, again)
    assert again.data.params == before.data.params
    assert again.data.metrics == {k: v for k, v in before.data.metrics.items() if k != "train_seconds"}
    assert artifacts(changed, again) == artifacts(tracked, before)


def test_parameters_that_the_artifacts_are_not_of_are_no_run(changed: Project, client: Open) -> None:
    changed.change(train={"epochs": 5})
    done = changed.run("esetrag", "track", code=2)
    expected = "params.yaml: train.epochs is 5, but the artifacts were made with 3"
    assert done.stderr.startswith(f"esetrag: {expected}")
    assert done.stderr.endswith("dvc repro\n")
    changed.run("git", "commit", "-q", "-am", "parameters alone")
    changed.change(train={"epochs": 3})
    done = changed.run("esetrag", "track", "--rev", "HEAD", code=2)
    assert done.stderr.startswith(f"esetrag: HEAD: {expected}")
    assert done.stderr.endswith("dvc repro in that revision\n")
    assert done.stderr.count("\n") == 1
    assert len(runs(client(changed))) == 1


def test_a_killed_user_leaves_a_store_that_the_next_one_completes(
    changed: Project, client: Open, tmp_path: Path
) -> None:
    uri = f"sqlite:///{tmp_path / 'new.db'}"
    env = {**changed.environment(), "MLFLOW_TRACKING_URI": uri}
    with subprocess.Popen(TRACK, cwd=changed.root, env=env) as user:
        while user.poll() is None and not (tmp_path / "new.db").exists():
            time.sleep(0.1)
        user.kill()
    changed.run("esetrag", "track", env={"MLFLOW_TRACKING_URI": uri})
    store = client(changed, uri)
    (run,) = runs(store)
    assert_complete(changed, store, run)


def test_a_surrounding_run_is_left_alone(changed: Project, client: Open) -> None:
    store = client(changed)
    other = store.create_run(store.create_experiment("mine"))
    changed.change(error_analysis={"examples": 3})
    changed.run("dvc", "repro", env={"MLFLOW_RUN_ID": other.info.run_id, "MLFLOW_EXPERIMENT_NAME": "mine"})
    assert len(runs(store)) == 2
    assert store.get_run(other.info.run_id).data.params == {}


def test_with_tracking_off_mlflow_is_not_imported(finished: Project) -> None:
    for stage in ("train", "error_analysis"):
        done = finished.run("python", "-X", "importtime", f"stages/{stage}.py", "toy")
        assert "mlflow" not in done.stderr
    assert not (finished.root / "mlflow.db").exists()
