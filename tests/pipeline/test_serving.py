"""The server that ``make serve`` starts, asked over HTTP: words are read, else it is a 4xx in a line."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.project import STEMS, Project, copy_project, with_git

WORDS = [stem + ending for stem in STEMS for ending in ("", "t", "ban", "ból", "val")]
GOOD: list[dict[str, Any]] = [
    {"inputs": ["baraban", "dáraból"]},
    {"inputs": {"form": ["baraban", "dáraból"]}},
    {"inputs": [{"form": "baraban"}, {"form": "dáraból"}]},
    {"instances": ["baraban", "dáraból"]},
    {"instances": [{"form": "baraban"}, {"form": "dáraból"}]},
    {"dataframe_records": [{"form": "baraban"}, {"form": "dáraból"}]},
    {"dataframe_records": [{"word": "baraban"}, {"word": "dáraból"}]},
    {"dataframe_records": [{"lemma": "bara", "form": "baraban"}, {"lemma": 1, "form": "dáraból"}]},
    {"dataframe_split": {"columns": ["form"], "data": [["baraban"], ["dáraból"]]}},
    {"dataframe_split": {"columns": ["lemma", "form"], "data": [["", "baraban"], [None, "dáraból"]]}},
    {"dataframe_split": {"data": ["baraban", "dáraból"]}},
]
BAD: list[Any] = [
    {},
    [],
    "házból",
    None,
    7,
    {"inputs": []},
    {"inputs": "házból"},
    {"inputs": [1]},
    {"inputs": ["a", None]},
    {"inputs": [True]},
    {"inputs": [["a"], ["b"]]},
    {"inputs": [{"form": ["a"]}]},
    {"inputs": ["x" * 1_000_000]},
    {"inputs": ["\ud800"]},
    {"inputs": ["a"], "instances": ["a"]},
    {"inputs": ["a"], "more": 1},
    {"inputs": ["a"], "params": {"top_k": 0}},
    {"inputs": ["a"], "params": {"top_k": "two"}},
    {"inputs": ["a"], "params": {"top_k": 1.5}},
    {"inputs": ["a"], "params": {"topk": 2}},
    {"inputs": ["a"], "params": [2]},
    {"inputs": {"lemma": ["a"]}},
    {"instances": [None]},
    {"dataframe_records": [{"lemma": "a", "label": "b"}]},
    {"dataframe_records": [{}]},
    {"dataframe_records": [{"form": 3.5}]},
    {"dataframe_records": {"form": "a"}},
    {"dataframe_split": {"columns": ["lemma", "label"], "data": [["a", "b"]]}},
    {"dataframe_split": {"columns": ["form"], "data": [["a", "b"]]}},
    {"dataframe_split": {"columns": ["form"]}},
    {"dataframe_split": ["a"]},
    {"messages": ["a"]},
]
BROKEN = [b"", b"{", b"form\nbar", b"\x00\xff\xfe\x80", b"[" * 100_000, b'{"inputs": ["\xe1"]}', b"9" * 5000]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a run in its store; tests may not change it."""
    project = copy_project(tmp_path_factory.mktemp("served") / "project")
    project.change(tracking={"enabled": True}, train={"epochs": 15})
    with_git(project).run("dvc", "repro")
    return project


def start(project: Project, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """The server and its port, once it listens."""
    process = subprocess.Popen(
        ["esetrag", "serve", "--task", "toy", "--port", "0", *arguments],
        executable=Path(sys.executable).parent / "esetrag",
        cwd=project.root,
        env={**project.environment(), "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        stdout=subprocess.PIPE,
        stderr=(project.root / "serve.log").open("w"),
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("http://127.0.0.1:"), (project.root / "serve.log").read_text("utf-8")
    return process, int(line.split(":")[2].split("/")[0])


@pytest.fixture(scope="module")
def server(tracked: Project) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process, port = start(tracked)
    yield process, port
    process.kill()
    process.wait()


Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def ask(server: tuple[subprocess.Popen[str], int]) -> Ask:
    """Posts a request; the answer is one line of JSON, whatever it is."""

    def post(body: Any, kind: str = "application/json", path: str = "/invocations") -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", server[1], timeout=30)
        try:
            connection.request("POST", path, data, {"Content-Type": kind} if kind else {})
            response = connection.getresponse()
            answer = response.read().decode()
        finally:
            connection.close()
        assert answer.count("\n") <= 1
        assert "Traceback" not in answer
        assert "stack_trace" not in answer
        assert response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(answer)

    return post


@pytest.fixture(scope="module")
def shown(tracked: Project) -> dict[str, dict[str, Any]]:
    """What ``esetrag predict`` says of the words."""
    done = tracked.run("esetrag", "predict", *WORDS, "--task", "toy", "--top-k", "3", "--format", "json")
    return {row["form"]: row for row in map(json.loads, done.stdout.splitlines())}


def test_every_way_to_put_it_has_the_same_answer(ask: Ask, shown: dict[str, dict[str, Any]]) -> None:
    for body in GOOD:
        status, answer = ask(body)
        assert status == 200, (body, answer)
        rows = answer["predictions"]
        assert [row["form"] for row in rows] == ["baraban", "dáraból"], body
        assert all(row.keys() == {"form", "label", "probability", "label_set", "unknown"} for row in rows)
        assert [row["label"] for row in rows] == [shown[row["form"]]["labels"][0] for row in rows]
        assert [row["label_set"] for row in rows] == [shown[row["form"]]["label_set"] for row in rows]
    body = {"inputs": ["baraban", "ξbarat"], "params": {"top_k": 3}}
    status, answer = ask(body, "application/json; charset=utf-8")
    assert status == 200
    known, strange = answer["predictions"]
    assert known["labels"] == shown["baraban"]["labels"]
    assert known["probabilities"] == pytest.approx(shown["baraban"]["probabilities"], abs=1e-4)
    assert (known["label"], known["probability"]) == (known["labels"][0], known["probabilities"][0])
    assert strange["unknown"] == "ξ"
    assert len(ask({"inputs": ["a"], "params": {"top_k": 10**30}})[1]["predictions"][0]["labels"]) == 7


def test_what_is_no_request_is_told_so_in_a_line(ask: Ask, tracked: Project) -> None:
    for body in [*BAD, *BROKEN]:
        status, answer = ask(body)
        assert status == 400, (body, answer)
        assert list(answer) == ["error"]
        assert 0 < len(answer["error"]) < 300
    for kind in ("", "text/csv", "application/x-www-form-urlencoded", "application/vnd.apache.parquet"):
        assert ask({"inputs": ["a"]}, kind)[0] == 415
    assert ask(b" " * 9_000_000)[0] == 413
    assert ask({"inputs": ["a"]}, path="/elsewhere")[0] == 404
    assert ask({"inputs": ["a"]})[0] == 200
    assert (tracked.root / "serve.log").read_text("utf-8") == ""


def test_what_is_not_http_leaves_it_alive(server: tuple[subprocess.Popen[str], int], ask: Ask) -> None:
    for data in (os.urandom(4096), b"POST /invocations HTTP/1.1\r\nContent-Length: 99\r\n\r\n{", b""):
        with socket.create_connection(("127.0.0.1", server[1]), timeout=10) as raw:
            raw.sendall(data)
    assert ask({"inputs": ["a"]})[0] == 200


def test_many_at_once_are_each_answered_for_themselves(
    server: tuple[subprocess.Popen[str], int], ask: Ask, shown: dict[str, dict[str, Any]]
) -> None:
    choose = random.Random(1)
    requests: list[Any] = [{"inputs": choose.sample(WORDS, choose.randint(1, 9))} for _ in range(190)]
    requests += [choose.choice([*BAD, *BROKEN]) for _ in range(10)]
    choose.shuffle(requests)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, requests))
    read = 0
    for request, (status, answer) in zip(requests, answers, strict=True):
        if status == 200:
            read += 1
            assert [row["form"] for row in answer["predictions"]] == request["inputs"]
            labels = [row["label"] for row in answer["predictions"]]
            assert labels == [shown[form]["labels"][0] for form in request["inputs"]]
    assert [status for status, _ in answers if status != 200] == [400] * 10
    assert read == 190
    assert server[0].poll() is None


def test_it_stops_when_told_and_says_what_keeps_it_from_starting(
    tracked: Project, server: tuple[subprocess.Popen[str], int]
) -> None:
    command = ["esetrag", "serve", "--task", "toy", "--port"]
    done = tracked.run(*command, str(server[1]), code=2)
    assert done.stderr.startswith("esetrag: cannot listen on 127.0.0.1, port ")
    assert done.stderr.count("\n") == 1
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{tracked.root / 'empty.db'}"}
    done = tracked.run(*command, "0", code=2, env=store)
    assert "no finished run of toy as the files are now; make it: dvc repro, or esetrag track" in done.stderr
    server[0].send_signal(signal.SIGTERM)
    assert server[0].wait(timeout=20) in (0, -signal.SIGTERM)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server[1])):
        pass


@pytest.fixture(scope="module")
def back(tracked: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str, Any]:
    """A parameter was changed and put back: the project, the run in between and what it reads."""
    root = tmp_path_factory.mktemp("back") / "project"
    shutil.copytree(tracked.root, root)
    project = Project(root)
    before = {name: (root / name).read_bytes() for name in project.outputs()}
    project.change(train={"seed": 2})
    project.run("dvc", "repro")
    run_id = project.run("esetrag", "track").stdout.split()[2]
    read = readings(project)
    project.change(train={"seed": 1})
    for name, content in before.items():  # as DVC's run cache would
        project.write(name, content)
    return project, run_id, read


def readings(project: Project) -> Any:
    """Probabilities by ``esetrag predict``."""
    done = project.run("esetrag", "predict", *WORDS, "--task", "toy", "--format", "json")
    return [json.loads(line)["probabilities"][0] for line in done.stdout.splitlines()]


def test_the_model_is_the_workspaces_own_unless_a_run_is_named(back: tuple[Project, str, Any]) -> None:
    project, run_id, read_between = back
    read_now = readings(project)
    assert read_now != read_between
    for arguments, expected in (((), read_now), (("--run", run_id), read_between)):
        process, port = start(project, *arguments)
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/invocations",
                json.dumps({"inputs": WORDS}).encode(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                rows = json.loads(response.read())["predictions"]
        finally:
            process.kill()
            process.wait()
        assert [row["probability"] for row in rows] == pytest.approx(expected, abs=1e-6)


def test_a_workspace_without_a_run_is_told_how_to_get_one(back: tuple[Project, str, Any]) -> None:
    project, _, _ = back

    def told(*arguments: str) -> str:
        done = project.run("esetrag", "serve", "--task", "toy", "--port", "0", *arguments, code=2)
        assert done.stderr.count("\n") == 1
        return done.stderr

    assert "no finished run called lnog; list them: make ui" in told("--run", "lnog")
    project.change(train={"seed": 2})  # a state that has a run, but the files are those of another
    assert "no finished run of toy as the files are now" in told()
    project.change(train={"seed": 3})
    assert "esetrag track --task toy; or take another: --run RUN" in told()
    (project.root / "metrics/toy/errors.md").unlink()
    assert "has not run to its end: dvc repro; or serve any run of the store: --run RUN" in told()


def test_make_serve_listens_on_loopback_unless_told_otherwise(tracked: Project) -> None:
    def command(*settings: str) -> str:
        return tracked.run("make", "-n", "-o", ".venv/.ready", "serve", *settings).stdout.strip()

    assert command() == "esetrag serve --task hun-noun-case --host 127.0.0.1 --port 5001"
    assert command("TASK=toy", "HOST=::1", "PORT=80") == "esetrag serve --task toy --host ::1 --port 80"


def test_the_logged_model_takes_a_list_or_a_column_and_shows_how(
    tracked: Project, monkeypatch: pytest.MonkeyPatch, shown: dict[str, dict[str, Any]]
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow exports what it is told; put back afterwards
    mlflow.set_tracking_uri(f"sqlite:///{tracked.root / 'mlflow.db'}")
    experiment = mlflow.get_experiment_by_name("esetrag")
    assert experiment is not None
    (logged,) = mlflow.search_logged_models([experiment.experiment_id], output_format="list")
    model = mlflow.pyfunc.load_model(logged.model_uri)
    forms = ["baraban", "dáraból"]
    expected = [shown[form]["labels"][0] for form in forms]
    for words in (forms, pd.DataFrame({"form": forms}), pd.DataFrame({"w": forms}), pd.Series(forms)):
        assert list(model.predict(words)["label"]) == expected
    assert list(model.predict(forms, params={"top_k": 2})["labels"][0]) == shown["baraban"]["labels"][:2]
    for bad in ([1], ["a", None]):
        with pytest.raises(Exception, match=r"[Ee]xpected text|Can not safely convert"):
            model.predict(bad)
    example, params = model.input_example, model.metadata.load_input_example_params(logged.artifact_location)
    assert len(model.predict(example, params=params)["labels"].iloc[0]) == 2
    requirements = (Path(logged.artifact_location.removeprefix("file://")) / "requirements.txt").read_text()
    assert all("==" in line for line in requirements.split())
