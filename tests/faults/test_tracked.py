"""What MLflow shows of a training that was stopped, and that no store holds up a stage."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pytest

from esetrag.tracking import tracker
from tests.faults.conftest import TRAIN, Forked, Prepared, Start, copied, results, slow_down, wait_for
from tests.project import Project

ANSWERS = {
    "silent": b"",
    "endless": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{",
    "busy for an hour": b"HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n",
}


def run_of(project: Project) -> Any:
    """The only run of a project's store."""
    client = mlflow.MlflowClient(f"sqlite:///{project.root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("esetrag/toy")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    steps = [point.step for point in client.get_metric_history(run.info.run_id, "dev_loss")]
    return run.info.status, sorted(steps)


@pytest.mark.parametrize("by", ["SIGTERM to the stage", "Ctrl-C"])
def test_the_run_of_a_stopped_training_is_killed_and_goes_on(
    by: str, prepared: Callable[..., Prepared], fresh: Callable[..., Project], start: Start
) -> None:
    project = fresh()
    project.change(tracking={"enabled": True, "required": True})  # the run is there when training begins
    slow_down(project, "time.sleep(0.5)")
    is_stage = by == "SIGTERM to the stage"
    process = start(project, *(TRAIN if is_stage else ("dvc", "repro", "train@toy")))
    wait_for(process, "epoch   1")
    if is_stage:
        process.send_signal(signal.SIGTERM)
    else:
        os.killpg(process.pid, signal.SIGINT)
    _, complained = process.communicate(timeout=300)
    assert "Traceback" not in complained
    status, steps = run_of(project)
    assert status == "KILLED"
    assert steps[:2] == [0, 1]
    again = project.stage("train")
    assert "training: goes on after epoch" in again.stderr
    assert results(project) == prepared().results
    assert run_of(project)[1] == [0, 1, 2, 3, 4], "each epoch once, those before the stop too"


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives every request this answer, and if that has no end, a byte every half second."""

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(2**16):
                connection.sendall(answer)
                while answer.endswith(b"{"):
                    time.sleep(0.5)
                    connection.sendall(b" ")

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", ANSWERS)
def test_a_slow_store_costs_a_warning_and_no_result(
    kind: str, finished: Project, tmp_path: Path, forked: Forked
) -> None:
    project = copied(finished.root, tmp_path / "project")
    project.change(tracking={"enabled": True})
    (project.root / "metrics/toy/errors.md").unlink()
    for path in (project.root / "data/toy").rglob("*"):
        path.chmod(0o755)  # DVC keeps its files read-only
    assert tracker.SERVER < 15
    less = {"esetrag.tracking.tracker.SERVER": 2.0, "esetrag.tracking.tracker.LAST": 1.0}
    with answering(ANSWERS[kind]) as uri:
        begun = time.monotonic()
        done = [
            forked(project.root, *command, constants=less, variables={"MLFLOW_TRACKING_URI": uri})
            for command in (TRAIN[1:], ("stages/error_analysis.py", "toy"), ("esetrag", "track"))
        ]
    assert time.monotonic() - begun < 300  # the store itself would take an hour, or for ever
    assert [each["code"] for each in done] == [0, 0, 2]
    told = [each["err"] for each in done]
    assert told[0].startswith("tracking: the epochs were not logged (")
    assert told[1].startswith("tracking: the run was not logged (")
    assert told[2].startswith(f"esetrag: {uri}: ")
    assert [text.count("\n") for text in told] == [1, 1, 1]
    assert results(project) == results(finished)
    assert (project.root / "metrics/toy/errors.md").exists()


STALLED = """
import runpy, sys, threading
from concurrent.futures import ThreadPoolExecutor
from esetrag.tracking import log_run, store, tracker

def stall(*_):
    ThreadPoolExecutor().submit(threading.Event().wait).result()

log_run.complete, tracker.LOCAL = stall, 2
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script with a store that takes nothing, in a thread that Python waits for at its end."""


@pytest.mark.parametrize(
    ("script", "said", "code"),
    [
        ("stages/error_analysis.py toy", "tracking: the run was not logged (no answer in 2 seconds)", 0),
        ("src/esetrag/__main__.py track", "not all was logged in 2 seconds; esetrag track goes on", 2),
        ("src/esetrag/__main__.py track --wait 1", "not all was logged in 1 seconds", 2),
    ],
)
def test_a_store_that_stalls_in_the_middle_does_not_hold_up_the_end(
    script: str, said: str, code: int, finished: Project, tmp_path: Path
) -> None:
    project = copied(finished.root, tmp_path / "project")
    project.change(tracking={"enabled": True})
    for path in (project.root / "data/toy").rglob("*"):
        path.chmod(0o755)  # DVC keeps its files read-only
    done = project.run("python", "-c", STALLED, *script.split(), code=code)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_signal_ends_a_track_whose_store_stalls(finished: Project, tmp_path: Path, start: Start) -> None:
    project = copied(finished.root, tmp_path / "project")
    stalled = STALLED.replace("def stall(*_):", "def stall(*_):\n    print('stalled', flush=True)")
    process = start(project, "python", "-c", stalled, "src/esetrag/__main__.py", "track", "--wait", "9999")
    wait_for(process, "stalled")
    process.send_signal(signal.SIGTERM)
    _, complained = process.communicate(timeout=300)
    assert (process.returncode, complained) == (143, "")


def test_a_silent_store_holds_up_no_stop(endless: Project, start: Start) -> None:
    endless.change(tracking={"enabled": True})
    with answering(b"") as uri:
        process = start(endless, *TRAIN, MLFLOW_TRACKING_URI=uri)
        wait_for(process, "epoch  20")
        process.send_signal(signal.SIGTERM)
        _, complained = process.communicate(timeout=300)
    assert (process.returncode, complained) == (143, "train: stopped by SIGTERM\n")
