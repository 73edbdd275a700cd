"""Runs in MLflow are a projection of the artifacts: situations and the runs a user expects in them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.project import Project, copy_project, with_git

Client = mlflow.MlflowClient


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pipeline has run with tracking on; tests may not change it."""
    project = copy_project(tmp_path_factory.mktemp("tracked") / "project")
    project.change(tracking={"enabled": True})
    with_git(project).run("dvc", "repro")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "run")
    return project


@pytest.fixture
def changed(tracked: Project, tmp_path: Path) -> Project:
    """A copy of it that may be changed; its store is its own, the runs in it are those of the original."""
    shutil.copytree(tracked.root, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Callable[[Project], Client]:
    """Opens the store of a project."""

    def open_store(project: Project, uri: str = "") -> Client:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow exports what it is told; put back afterwards
        mlflow.set_tracking_uri(uri or f"sqlite:///{project.root / 'mlflow.db'}")
        return Client()

    return open_store


Open = Callable[..., Client]


def runs(client: Client) -> list[Any]:
    experiment = client.get_experiment_by_name("esetrag")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def assert_complete(project: Project, client: Client, run: Any) -> None:
    """The run shows all there is, whichever stages ran for it."""
    assert run.info.status == "FINISHED"
    expected = {name: str(value) for name, value in project.params["train"].items()}
    assert {key: run.data.params[f"train.{key}"] for key in expected} == expected
    test = project.json("metrics/toy/test.json")
    for reader in ("reader", "suffix", "majority", "ceiling"):
        assert run.data.metrics[f"test.{reader}.accuracy"] == test[reader]["accuracy"]
    epochs = project.json("data/toy/model/manifest.json")["training"]["epochs"]
    for curve in ("train_loss", "dev_loss", "dev_accuracy"):
        points = client.get_metric_history(run.info.run_id, curve)
        assert sorted(point.step for point in points) == list(range(epochs + 1)), curve
    pictures = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "plots")}
    assert pictures == {"lengths.png", "curves.png", "confusion.png"}
    assert "reports/data.md" in {file.path for file in client.list_artifacts(run.info.run_id, "reports")}
    table = client.load_table(run.info.experiment_id, "errors.json", [run.info.run_id])
    assert len(table) == project.json("metrics/toy/errors.json")["errors"]
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "toy.tsv"
    assert len(run.outputs.model_outputs) == 1
    lock = (project.root / "dvc.lock").read_text("utf-8")
    assert run.data.tags["md5.metrics/toy/test.json"] in lock


def test_a_fresh_pipeline_is_one_complete_run(tracked: Project, client: Open) -> None:
    store = client(tracked)
    (run,) = runs(store)
    assert_complete(tracked, store, run)
    commit = tracked.run("git", "rev-parse", "HEAD~1").stdout.strip()
    assert run.data.tags["git.commit"] == commit
    stages = {"sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis"}
    assert set(run.data.tags["esetrag.ran"].split(", ")) == stages


def test_again_is_no_run(changed: Project, client: Open) -> None:
    changed.run("dvc", "repro")
    assert len(runs(client(changed))) == 1


def test_another_training_parameter_is_one_more_with_what_was_cached(changed: Project, client: Open) -> None:
    changed.change(train={"epochs": 2})
    assert changed.ran(changed.run("dvc", "repro")) == ["train@toy", "evaluate@toy", "error_analysis@toy"]
    store = client(changed)
    (new,) = [run for run in runs(store) if run.data.params["train.epochs"] == "2"]
    assert len(runs(store)) == 2
    assert_complete(changed, store, new)
    assert set(new.data.tags["esetrag.ran"].split(", ")) == {"train", "evaluate", "error_analysis"}

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
    for size in (5, 6, 7):
        run = found[f"size-{size}"]
        assert run.info.status == "FINISHED"
        assert run.data.params["model.hidden"] == str(size)
        assert run.data.tags["dvc.exp.name"] == f"size-{size}"
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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A real tracking server: SQLite behind it, artifacts by HTTP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}"]
    command += ["--artifacts-destination", str(tmp_path / "server-artifacts")]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 90
            while time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}", process
        finally:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def is_followed(store: Client) -> bool:
    """Whether the store shows a run that goes on, with epochs in it."""
    experiment = store.get_experiment_by_name("esetrag")
    found = store.search_runs([experiment.experiment_id]) if experiment else []
    return any(run.info.status == "RUNNING" and "dev_loss" in run.data.metrics for run in found)


def test_a_server_that_dies_in_training_costs_nothing_and_the_run_is_completed_later(
    changed: Project, client: Open, server: tuple[str, subprocess.Popen[bytes]]
) -> None:
    uri, process = server
    changed.change(train={"epochs": 400}, sample={"train": None})
    repro = subprocess.Popen(
        [Path(sys.executable).parent / "dvc", "repro"],
        cwd=changed.root,
        env={**changed.environment(), "MLFLOW_TRACKING_URI": uri},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert repro.stdout is not None
    told, seen = [], False
    store = client(changed, uri)
    for line in repro.stdout:  # unread lines hold the training up, so the store has time to show it
        told.append(line)
        if line.startswith("epoch") and not seen and (seen := is_followed(store)):
            kill(process)
    assert seen, "no epoch came in while the training went on"
    assert repro.wait() == 0, "".join(told)
    assert changed.json("data/toy/model/manifest.json")["training"]["epochs"] == 400
    assert any("the run was not logged" in line for line in told)
    changed.run("esetrag", "track")
    store = client(changed)
    (new,) = [run for run in runs(store) if run.data.params["train.epochs"] == "400"]
    assert_complete(changed, store, new)


def test_a_server_that_was_never_there_costs_seconds(changed: Project) -> None:
    for path in (changed.root / "data/toy").rglob("*"):
        path.chmod(0o755)  # DVC keeps its files read-only
    start = time.monotonic()
    told = "".join(
        changed.run(
            "python", f"stages/{stage}.py", "toy", env={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
        ).stderr
        for stage in ("train", "error_analysis")
    )
    assert told.count("the epochs were not logged") == 1
    assert told.count("the run was not logged") == 1
    assert "esetrag track" in told
    assert time.monotonic() - start < 150  # MLflow's own patience is four minutes for each call


def test_a_required_store_that_is_down_stops_before_the_training(changed: Project) -> None:
    changed.change(tracking={"required": True}, train={"epochs": 2})
    env = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    done = changed.run("python", "stages/train.py", "toy", env=env, code=2)
    assert done.stderr.startswith("train: tracking.required is true")
    assert "epoch" not in done.stdout
    done = changed.run("esetrag", "track", env=env, code=2)
    assert done.stderr.startswith("esetrag: http://127.0.0.1:9: ")
    assert done.stderr.count("\n") == 1


def test_with_tracking_off_mlflow_is_not_imported(finished: Project) -> None:
    for stage in ("train", "error_analysis"):
        done = finished.run("python", "-X", "importtime", f"stages/{stage}.py", "toy")
        assert "mlflow" not in done.stderr
    assert not (finished.root / "mlflow.db").exists()
