"""``esetrag serve`` as a process: which model it serves, how it starts and ends."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.project import STEMS, TASK, Project, copy_project, with_git

WORDS = [stem + ending for stem in STEMS[::8] for ending in ("", "t", "ban", "ból", "val")]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a run in its store; tests may not change it."""
    project = copy_project(tmp_path_factory.mktemp("served") / "project")
    project.change(tracking={"enabled": True}, train={"epochs": 15})
    with_git(project).run("dvc", "repro")
    return project


def start(project: Project, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """The server and its port, once it listens."""
    with (project.root / "serve.log").open("w") as log:
        process = subprocess.Popen(
            ["esetrag", "serve", "--port", "0", *arguments],
            executable=Path(sys.executable).parent / "esetrag",
            cwd=project.root,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("http://127.0.0.1:"), (project.root / "serve.log").read_text("utf-8")
    return process, int(line.split(":")[2].split("/")[0])


@contextmanager
def serving(project: Project, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process, port = start(project, *arguments)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


def served(project: Project, *arguments: str) -> list[float]:
    """The probabilities that a server gives."""
    body, kind = json.dumps({"inputs": WORDS}).encode(), {"Content-Type": "application/json"}
    with serving(project, *arguments) as (_, port):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, kind)
        with urllib.request.urlopen(request, timeout=30) as response:
            return [row["probability"] for row in json.loads(response.read())["predictions"]]


def predicted(project: Project) -> Any:
    """The probabilities that ``esetrag predict`` gives, to six digits."""
    done = project.run("esetrag", "predict", *WORDS, "--format", "json")
    shares = [json.loads(line)["probabilities"][0] for line in done.stdout.splitlines()]
    return pytest.approx(shares, abs=1e-6)


def test_the_model_is_the_workspaces_own_unless_a_run_is_named(tracked: Project, tmp_path: Path) -> None:
    shutil.copytree(tracked.root, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    first, run = predicted(project), project.run("esetrag", "track").stdout.split()[2]
    project.run("esetrag", "promote")
    project.change(train={"seed": 2})
    project.run("dvc", "repro")
    assert served(project) == predicted(project) != first
    assert served(project, "--run", run) == served(project, "--champion") == first
    for arguments, told in [
        (("--run", "lnog"), "no finished run called lnog; list them: make ui"),
        (("--checkpoint", "nowhere"), "nowhere/manifest.json: cannot be read"),
        (("--host", "256.0.0.1"), "cannot listen on 256.0.0.1, port 0"),
    ]:  # type: tuple[tuple[str, ...], str]
        done = project.run("esetrag", "serve", "--port", "0", *arguments, code=2)
        assert told in done.stderr
        assert (done.stderr.count("\n"), done.stdout) == (1, "")


def test_all_trained_tasks_are_served_unless_one_is_named(tracked: Project, tmp_path: Path) -> None:
    shutil.copytree(tracked.root, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    project.change(tasks=dict.fromkeys(("toy", "untrained", "other"), TASK))
    shutil.copytree(project.root / "data/toy/model", project.root / "data/other/model")

    def tasks(*arguments: str) -> list[str]:
        with (
            serving(project, *arguments) as (_, port),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/model", timeout=30) as answer,
        ):
            named: list[str] = json.load(answer)["tasks"]
            return named

    assert tasks() == ["toy", "other"]
    assert tasks("--task", "other") == ["other"]
    assert "untrained" in project.run("esetrag", "serve", "--task", "untrained", code=2).stderr


def test_nothing_of_the_store_is_executed(tracked: Project, tmp_path: Path) -> None:
    shutil.copytree(tracked.root, tmp_path / "project", symlinks=True)
    project, proof = Project(tmp_path / "project"), tmp_path / "executed"
    run = project.run("esetrag", "track").stdout.split()[2]
    scripts = list((tracked.root / "mlartifacts").rglob("model_code.py"))
    assert scripts
    before = [script.read_bytes() for script in scripts]
    try:
        for script in scripts:
            script.write_text(f"open({str(proof)!r}, 'w')\n")
        assert served(project, "--run", run) == predicted(project)
        assert not proof.exists()
    finally:
        for script, content in zip(scripts, before, strict=True):
            script.write_bytes(content)


def test_half_a_request_holds_up_no_end_and_whole_ones_are_answered(tracked: Project) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    body = json.dumps({"inputs": WORDS * 20}).encode()
    with serving(tracked) as (process, port):
        half, whole = (socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(2))
        half.sendall(head + b'Content-Length: 99\r\n\r\n{"inputs": [')
        whole.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        with half, whole, whole.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
            assert answer.read().count(b'"form"') == len(WORDS) * 20
            assert process.wait(timeout=20) == 128 + signal.SIGTERM
        assert "Traceback" not in (tracked.root / "serve.log").read_text("utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_without_a_word(tracked: Project, number: signal.Signals) -> None:
    with serving(tracked) as (process, port):
        process.send_signal(number)
        assert process.wait(timeout=20) == 128 + number
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    assert (tracked.root / "serve.log").read_text("utf-8") == ""


def test_make_serve_listens_on_loopback_unless_another_host_is_named(tracked: Project) -> None:
    def command(*settings: str) -> str:
        return tracked.run("make", "-n", "-o", ".venv/.ready", "serve", *settings).stdout.strip()

    assert command() == "esetrag serve --host 127.0.0.1 --port 5001"
    assert command("TASK=toy", "HOST=::1", "PORT=80") == "esetrag serve --task toy --host ::1 --port 80"


def test_mlflow_loads_the_logged_model(tracked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    mlflow.set_tracking_uri(f"sqlite:///{tracked.root / 'mlflow.db'}")
    experiment = mlflow.get_experiment_by_name("esetrag/toy")
    assert experiment is not None
    (logged,) = mlflow.search_logged_models([experiment.experiment_id], output_format="list")
    model, expected = mlflow.pyfunc.load_model(logged.model_uri), predicted(tracked)
    tables = pd.DataFrame({"form": WORDS}), pd.DataFrame({"w": WORDS})
    for words in (WORDS, *tables, pd.Series(WORDS)):
        assert list(model.predict(words)["probability"]) == expected
    for bad in ([1], ["a", None]):
        with pytest.raises(Exception, match=r"[Ee]xpected text|Can not safely convert"):
            model.predict(bad)
    example, params = model.input_example, model.metadata.load_input_example_params(logged.artifact_location)
    assert len(model.predict(example, params=params)["labels"].iloc[0]) == 2
    requirements = (Path(logged.artifact_location.removeprefix("file://")) / "requirements.txt").read_text()
    assert all("==" in line for line in requirements.split())
