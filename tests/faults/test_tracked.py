"""What MLflow shows of a training that was stopped, and that it holds up no end."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import mlflow
import pytest

from tests.faults.conftest import Prepared, Start, results, slow_down, wait_for
from tests.project import Project

TRAIN = ("python", "stages/train.py", "toy")


def run_of(project: Project) -> Any:
    """The only run of a project's store."""
    client = mlflow.MlflowClient(f"sqlite:///{project.root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("esetrag")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    steps = [point.step for point in client.get_metric_history(run.info.run_id, "dev_loss")]
    return run.info.status, sorted(steps)


@pytest.mark.parametrize("by", ["SIGTERM to the stage", "Ctrl-C"])
def test_the_run_of_a_stopped_training_is_killed_and_goes_on(
    by: str, prepared: Callable[[str], Prepared], fresh: Callable[[str], Project], start: Start
) -> None:
    project = fresh("lstm")
    project.change(tracking={"enabled": True, "required": True})  # the run is there when training begins
    slow_down(project, 0.5)
    stage = by == "SIGTERM to the stage"
    process = start(project, *TRAIN) if stage else start(project, "dvc", "repro", "train@toy")
    wait_for(process, "epoch   1")
    if stage:
        process.send_signal(signal.SIGTERM)
    else:
        os.killpg(process.pid, signal.SIGINT)
    _, complained = process.communicate(timeout=60)
    assert "Traceback" not in complained
    status, steps = run_of(project)
    assert status == "KILLED"
    assert steps[:2] == [0, 1]
    again = project.stage("train")
    assert "training: goes on after epoch" in again.stderr
    assert results(project) == prepared("lstm").results
    assert run_of(project)[1] == [0, 1, 2, 3, 4], "each epoch once, those before the stop too"


def test_a_dead_server_holds_up_no_stop(endless: Project, start: Start) -> None:
    endless.change(tracking={"enabled": True})
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes every request and answers none
        uri = f"http://127.0.0.1:{mute.getsockname()[1]}"
        process = start(endless, *TRAIN, MLFLOW_TRACKING_URI=uri)
        wait_for(process, "epoch  20")
        process.send_signal(signal.SIGTERM)
        _, complained = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "Traceback" not in complained
    assert complained.endswith("train: stopped by SIGTERM\n")
