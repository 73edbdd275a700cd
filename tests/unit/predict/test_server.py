"""The HTTP server, asked over real connections: every answer is one line of JSON."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import numpy as np
import pytest
import uvicorn
from bench import look
from starlette.exceptions import HTTPException

from esetrag.predict import server
from esetrag.predict.predictor import Predictor

FORMS = ["kanaban", "kepből"]
GOOD: list[dict[str, Any]] = [
    {"inputs": FORMS},
    {"inputs": {"form": FORMS}},
    {"inputs": [{"form": form} for form in FORMS]},
    {"instances": FORMS},
    {"instances": [{"form": form} for form in FORMS]},
    {"dataframe_records": [{"form": form} for form in FORMS]},
    {"dataframe_split": {"columns": ["form"], "data": [[form] for form in FORMS]}},
    {"dataframe_split": {"columns": ["form"], "index": [0, 1], "data": [[form] for form in FORMS]}},
    {"dataframe_split": {"data": FORMS}},
    {"inputs": FORMS, "params": None},
]
BAD: list[Any] = [
    {}, [], "házból", None, 7,
    {"inputs": []}, {"inputs": "házból"}, {"inputs": [1]}, {"inputs": ["a", None]}, {"inputs": [True]},
    {"inputs": [["a"], ["b"]]}, {"inputs": [{"form": ["a"]}]}, {"inputs": ["x" * 1_000_000]},
    {"inputs": ["\ud800"]}, {"inputs": ["a"], "instances": ["a"]}, {"inputs": ["a"], "more": 1},
    {"inputs": ["a"], "params": {"top_k": 0}}, {"inputs": ["a"], "params": {"top_k": "two"}},
    {"inputs": ["a"], "params": {"top_k": 1.5}}, {"inputs": ["a"], "params": {"topk": 2}},
    {"inputs": ["a"], "params": [2]}, {"inputs": {"lemma": ["a"]}}, {"instances": [None]},
    {"dataframe_records": [{"form": "a"}, {"word": "x"}]}, {"dataframe_records": [{}]},
    {"dataframe_records": [{"form": "a", "lemma": "b"}]}, {"dataframe_records": [{"form": 3.5}]},
    {"dataframe_split": {"columns": ["lemma"], "data": [["a"]]}},
    {"dataframe_split": {"columns": ["form"], "data": [["a", "b"]]}},
    {"dataframe_split": {"columns": ["form"]}}, {"dataframe_split": ["a"]}, {"messages": ["a"]},
    {"inputs": ["kana\tN;ACC"]}, {"inputs": [{"form": "kana", "features": "N;ACC"}]},
]  # fmt: skip
BROKEN = [b"", b"{", b"form\nbar", b"\x00\xff\xfe\x80", b"[" * 100_000, b'{"inputs": ["\xe1"]}', b"9" * 5000]
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def unsure(predictor: Predictor) -> Predictor:
    """A second model, whose probabilities are lower."""
    known = predictor.checkpoint
    flat = known.manifest.calibration.model_copy(update={"temperature": 9.0})
    return Predictor(replace(known, manifest=known.manifest.model_copy(update={"calibration": flat})))


@pytest.fixture
def port(predictor: Predictor, unsure: Predictor) -> Iterator[int]:
    """Of a server that runs in a thread."""
    app = server.application({"sure": predictor, "unsure": unsure}, ["Words.example"])
    listening = server.listen("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, args=[[listening]])
    thread.start()
    yield listening.getsockname()[1]
    running.should_exit = True
    thread.join()


@pytest.fixture
def ask(port: int) -> Ask:
    def ask(
        body: Any = None, path: str = "/invocations", kind: str = "application/json", **headers: str
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        method = "POST" if path.endswith(("/invocations", "/explain")) else "GET"
        connection.request(
            method, path, data if method == "POST" else None, {"Content-Type": kind, **headers}
        )
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        assert answer.count(b"\n") == 1
        assert response.headers["Content-Type"] == "application/json"
        content = json.loads(answer)
        if response.status != 200:
            assert list(content) == ["error"]
            assert 0 < len(content["error"]) < 300
            assert "Traceback" not in content["error"]
        return response.status, content

    return ask


def test_every_way_to_put_it_has_the_same_answer(ask: Ask, predictor: Predictor) -> None:
    expected = [prediction.record(several=False) for prediction in predictor.predict(FORMS)]
    for body in GOOD:
        assert ask(body) == (200, {"predictions": expected}), body
    body = {"inputs": ["kanaban", "27"], "params": {"top_k": 10**30}}
    status, answer = ask(body, kind="Application/JSON; charset=utf-8")
    assert status == 200
    known, digits = answer["predictions"]
    [prediction] = predictor.predict(["kanaban"], 99)
    assert (known["labels"], known["probabilities"]) == (
        list(prediction.labels),
        list(prediction.probabilities),
    )
    assert (digits["label_set"], digits["unknown"], digits["note"]) == ("", "27", "no known letter")


def test_each_of_several_models_answers_under_its_name_and_the_first_one_at_the_root(
    ask: Ask, predictor: Predictor, unsure: Predictor
) -> None:
    for path, model in {"": predictor, "/sure": predictor, "/unsure": unsure}.items():
        expected = [prediction.record(several=False) for prediction in model.predict(FORMS)]
        assert ask({"inputs": FORMS}, f"{path}/invocations") == (200, {"predictions": expected})
        assert ask(path=f"{path}/model")[1]["tasks"] == ["sure", "unsure"]
        assert ask(path=f"{path}/ping", Host="elsewhere.example")[0] == 400
    assert predictor.predict(FORMS) != unsure.predict(FORMS)
    assert ask(path="/third/model")[0] == 404


def test_what_is_no_request_is_refused_in_a_line(ask: Ask) -> None:
    for body in [*BAD, *BROKEN]:
        assert ask(body)[0] == 400, body
    assert ask({"inputs": ["a", {"form": "ház", "b": 1}]})[1] == {
        "error": "inputs[1]: Input should be a valid string, found {'form': 'ház', 'b': 1}"
    }
    for kind in ("", "text/csv", "application/x-www-form-urlencoded"):
        assert ask({"inputs": ["a"]}, kind=kind)[0] == 415
    for path, status in (("/elsewhere", 404), ("/docs", 404), ("/openapi.json", 404), ("/ping/", 404)):
        assert ask(path=path)[0] == status
    assert {path: ask(path=path)[0] for path in ("/ping", "/health", "/version")} == {
        "/ping": 200, "/health": 200, "/version": 200,
    }  # fmt: skip


def test_what_is_too_much_is_refused_with_the_bound(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LABELS", 100_000)
    for body, bound in [
        (b" " * 3_000_000, "2,097,152 bytes"),
        ({"inputs": ["a"] * 20_001}, "20,000 words"),
        ({"dataframe_split": {"data": ["a"] * 200_000}}, "20,000 words"),
        ({"inputs": ["a"] * 20_000, "params": {"top_k": 99}}, "100,000 labels at most, found 20,000 words"),
    ]:  # type: tuple[Any, str]
        status, answer = ask(body)
        assert (status, bound in answer["error"]) == (413, True), answer


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1", "[::1]:5001", "words.EXAMPLE:1"])
def test_hosts_of_this_machine_and_allowed_ones_are_served(ask: Ask, host: str) -> None:
    assert ask({"inputs": ["a"]}, Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "[", "", "127.0.0.1@evil.example"]
)
def test_other_hosts_are_refused(ask: Ask, host: str) -> None:
    for path in ("/invocations", "/ping"):
        status, answer = ask({"inputs": ["a"]}, path, Host=host)
        assert (status, "--allow-host" in answer["error"], "evil" in answer["error"]) == (400, True, False)


def test_an_exception_is_not_shown_to_the_client(
    ask: Ask, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Predictor, "probabilities", lambda *_: 1 / 0)
    assert ask({"inputs": ["a"]}) == (500, {"error": "the server failed; its log says why"})
    monkeypatch.undo()
    assert ask({"inputs": ["a"]})[0] == 200


def test_pings_are_answered_while_the_largest_request_is_computed(ask: Ask) -> None:
    words = ["kanaban" + "x" * (index % 70) for index in range(20_000)]
    answers: list[tuple[int, Any]] = []
    large = threading.Thread(target=lambda: answers.append(ask({"inputs": words, "params": {"top_k": 7}})))
    large.start()
    delays = []
    while large.is_alive():
        start = time.perf_counter()
        assert ask(path="/ping")[0] == 200
        delays.append(time.perf_counter() - start)
        time.sleep(0.02)
    assert [len(content["predictions"]) for _, content in answers] == [20_000]
    assert len(delays) >= 10, "others had their turn meanwhile"
    assert np.median(delays) < 0.1


def test_a_port_that_is_taken_is_refused(port: int) -> None:
    with pytest.raises(
        Exception, match=f"cannot listen on 127.0.0.1, port {port}: Address already in use; name"
    ):
        server.listen("127.0.0.1", port)


def test_what_is_not_http_leaves_it_alive(port: int, ask: Ask) -> None:
    for data in (bytes(range(256)) * 16, b"POST /invocations HTTP/1.1\r\nContent-Length: 99\r\n\r\n{", b""):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(data)
    assert ask({"inputs": ["a"]})[0] == 200


@pytest.mark.parametrize("order", [("first", "second", "features"), ("features", "second", "first")])
def test_the_order_of_the_parts_of_a_pair_does_not_matter(order: tuple[str, ...]) -> None:
    parts = {"first": "ház", "second": "háznak", "features": "N;DAT"}
    body = json.dumps({"inputs": [{name: parts[name] for name in order}]}).encode()
    assert server.parse(body)[0] == ["ház\tháznak\tN;DAT"]
    for wrong in ({**parts, "features": 7}, {**parts, "lemma": "ház"}, {"first": "ház"}):
        with pytest.raises(HTTPException):
            server.parse(json.dumps({"inputs": [wrong]}).encode())


def test_a_sentence_may_be_longer_than_a_word() -> None:
    body = json.dumps({"inputs": ["a " * 1000]}).encode()
    assert server.parse(body, server.SENTENCE)[0] == ["a " * 1000]
    with pytest.raises(HTTPException, match="expected 250 symbols a word at most, found 2,000"):
        server.parse(body)


def test_a_page_asks_what_the_model_is_and_why_it_predicts(port: int, ask: Ask) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        page, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"(src|href)=", page), "it loads nothing"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/model") as answer:
        assert json.load(answer).keys() == {"task", "tasks", "bundles", "reads", "writes_tags"}
    status, why = ask({"inputs": ["kepből"]}, "/explain")
    assert status == 200
    assert [letter for letter, _ in why["letters"]] == [*"kepből"]
    assert why["label"] != why["against"]
    assert ask({"inputs": [""]}, "/explain") == (200, {})
    assert ask({"inputs": []}, "/explain")[0] == 400


@pytest.mark.parametrize("path", ["/invocations", "/explain"])
def test_what_is_no_json_or_has_features_is_refused_on_either_path(ask: Ask, path: str) -> None:
    assert ask({"inputs": FORMS}, path, kind="text/csv")[0] == 415
    assert ask({"inputs": ["kana\tN;ACC"]}, path)[0] == 400


@pytest.mark.parametrize("path", ["/invocations", "/explain"])
def test_a_client_that_goes_away_is_no_fault_of_the_server(predictor: Predictor, path: str) -> None:
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": headers}
    scope |= {"root_path": "", "query_string": b""}
    receive, send = AsyncMock(return_value={"type": "http.disconnect"}), AsyncMock()
    asyncio.run(server.application({"one": predictor})(scope, receive, send))
    assert send.call_args_list[0].args[0]["status"] == 503


BROWSER = next(filter(None, map(shutil.which, look.BROWSERS)), None)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on the path")
@pytest.mark.parametrize(("chosen", "sure"), [("", True), ("&task=unsure", False)])
def test_the_page_shows_predictions_in_a_browser(port: int, chosen: str, sure: bool) -> None:
    address = f"http://127.0.0.1:{port}/?words=kanaban+kepb%C5%91l{chosen}"
    flags = [*look.FLAGS.split(), "--dump-dom", "--virtual-time-budget=20000"]
    with tempfile.TemporaryDirectory() as profile:
        command = [str(BROWSER), *flags, f"--user-data-dir={profile}", address]
        page = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "2 words predicted." in page
    assert page.count("<tr>") == 3
    assert 'aria-label="kepből"' in page
    shares = [float(share) for share in re.findall(r"<td[^>]*>([\d.]+) %</td>", page)]
    assert (min(shares) > 80) is sure, shares
