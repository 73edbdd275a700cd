"""Runs on a tracking server: one that dies, one that was never there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import slow_down
from tests.pipeline.logged import Client, Open, assert_complete, runs
from tests.project import Project


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
    experiment = store.get_experiment_by_name("esetrag/toy")
    found = store.search_runs([experiment.experiment_id]) if experiment else []
    return any(run.info.status == "RUNNING" and "dev_loss" in run.data.metrics for run in found)


def test_a_server_that_dies_in_training_costs_nothing_and_the_run_is_completed_later(
    changed: Project, client: Open, server: tuple[str, subprocess.Popen[bytes]]
) -> None:
    uri, process = server
    changed.change(train={"epochs": 8})
    slow_down(changed, 'while text.startswith("epoch   3") and not Path("go").exists(): time.sleep(0.1)')
    repro = subprocess.Popen(
        [Path(sys.executable).parent / "dvc", "repro"],
        cwd=changed.root,
        env={**changed.environment(warm=True), "MLFLOW_TRACKING_URI": uri},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    store = client(changed, uri)
    while not is_followed(store):
        assert repro.poll() is None, "no epoch came in while the training went on"
        time.sleep(0.2)
    kill(process)
    (changed.root / "go").touch()
    said, _ = repro.communicate()
    assert repro.returncode == 0, said
    assert changed.json("data/toy/model/manifest.json")["training"]["epochs"] == 8
    assert "the run was not logged" in said
    changed.run("esetrag", "track")
    store = client(changed)
    (new,) = [run for run in runs(store) if run.data.params["train.epochs"] == "8"]
    assert_complete(changed, store, new)


def test_a_server_that_was_never_there_costs_seconds(changed: Project) -> None:
    for path in (changed.root / "data/toy").rglob("*"):
        path.chmod(0o755)  # DVC keeps its files read-only
    start = time.monotonic()
    env = {"MLFLOW_TRACKING_URI": "http://alice:s3cret@127.0.0.1:9"}
    stages = ("train", "error_analysis")
    done = [changed.run("python", f"stages/{stage}.py", "toy", env=env) for stage in stages]
    done.append(changed.run("esetrag", "track", code=2, env=env))
    done.append(changed.run("esetrag", "compare", "workspace", "nothing", code=2, env=env))
    shown = "".join(process.stdout + process.stderr for process in done)
    assert shown.count("the epochs were not logged") == 1
    assert shown.count("the run was not logged") == 1
    assert "esetrag track" in shown
    assert "http://***@127.0.0.1:9" in shown
    assert "s3cret" not in shown
    assert time.monotonic() - start < 300  # MLflow's own patience is four minutes for each call


def test_a_required_store_that_is_down_stops_before_the_training(changed: Project) -> None:
    changed.change(tracking={"required": True}, train={"epochs": 2})
    env = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    done = changed.run("python", "stages/train.py", "toy", env=env, code=2)
    assert done.stderr.startswith("train: tracking.required is true")
    assert "epoch" not in done.stdout
    changed.change(train={"epochs": 3})  # what the artifacts are of
    done = changed.run("esetrag", "track", env=env, code=2)
    assert done.stderr.startswith("esetrag: http://127.0.0.1:9: ")
    assert done.stderr.count("\n") == 1
