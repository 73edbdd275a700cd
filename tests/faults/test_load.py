"""Twenty thousand requests of 200 clients, some unfit: every answer correct or a 4xx, no memory lost."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.faults.conftest import copied
from tests.pipeline.test_serving import serving
from tests.project import STEMS, Project

WORDS = [stem + ending for stem in STEMS for ending in ("", "t", "ban", "ból", "val")]
REQUESTS, CONNECTIONS, WARM = 20_000, 200, 4_000
UNFIT = (
    b"",
    b"{",
    b"null",
    b"\x00\xff\xfe\x80" * 16,
    b"[" * 50_000,
    json.dumps({"inputs": []}).encode(),
    json.dumps({"inputs": [7]}).encode(),
    json.dumps({"inputs": ["x" * 2**20]}).encode(),
    json.dumps({"words": ["a"]}).encode(),
    json.dumps({"inputs": ["a"], "params": {"top_k": -1}}).encode(),
)
"""One request in a hundred, each of these in turn."""
GROWTH = 6 * 2**20
"""Bytes that the server may take after the first requests; a kilobyte a request would be 8 MB."""


def check_loopback(port: int) -> None:
    """Asserts that nobody but this machine can connect."""
    tables = [Path("/proc/net", name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    lines = [line.split() for table in tables for line in table]
    listening = "0A"
    addresses = {line[1] for line in lines if line[3] == listening and line[1].endswith(f":{port:04X}")}
    assert addresses == {f"0100007F:{port:04X}"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=10)


def connection(port: int, bodies: list[bytes]) -> list[tuple[int, bytes]]:
    """Status and body of the answers to requests that are sent over one connection."""
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=600) as line, line.makefile("rb") as stream:
        for body in bodies:
            head = f"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            line.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
            status = int(stream.readline().split()[1])
            size = 0
            while (header := stream.readline().strip().lower()) != b"":
                name, _, value = header.partition(b":")
                size = int(value) if name == b"content-length" else size
            answers.append((status, stream.read(size)))
    return answers


def at_once(port: int, bodies: list[bytes]) -> list[tuple[int, bytes]]:
    """The answers to requests dealt out to the connections."""
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        dealt = [bodies[number::CONNECTIONS] for number in range(CONNECTIONS)]
        parts = list(threads.map(connection, [port] * CONNECTIONS, dealt))
    answers = [(0, b"")] * len(bodies)
    for number, part in enumerate(parts):
        answers[number::CONNECTIONS] = part
    return answers


def resident(process: subprocess.Popen[str]) -> int:
    """Bytes of memory that a process holds."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


@pytest.mark.timeout(1800)  # a minute of work, on a machine that has other work too
def test_requests_of_200_clients_are_each_answered_and_cost_no_memory(
    finished: Project, tmp_path: Path
) -> None:
    project = copied(finished.root, tmp_path / "project")
    with serving(project) as (process, port):
        check_loopback(port)
        ask_all(project, process, port)
    assert (project.root / "serve.log").read_text("utf-8") == ""


def ask_all(project: Project, process: subprocess.Popen[str], port: int) -> None:
    """Sends all requests and asserts that each is answered."""
    done = project.run("esetrag", "predict", *WORDS, "--format", "json")
    labels = {row["form"]: row["labels"][0] for row in map(json.loads, done.stdout.splitlines())}
    rng = np.random.default_rng(1)
    words = [WORDS[place] for place in rng.integers(len(WORDS), size=REQUESTS)]
    bodies = [json.dumps({"inputs": [word]}).encode() for word in words]
    unfit = range(50, REQUESTS, 100)
    for number, place in enumerate(unfit):
        bodies[place] = UNFIT[number % len(UNFIT)]
    answers = at_once(port, bodies[:WARM])
    before = resident(process)
    answers += at_once(port, bodies[WARM:])
    grown = resident(process) - before
    for place, (word, (status, answer)) in enumerate(zip(words, answers, strict=True)):
        content = json.loads(answer)
        if place in unfit:
            assert status == 400, (bodies[place][:80], status)
            assert list(content) == ["error"]
            assert len(answer) < 400
            assert b"Traceback" not in answer
        else:
            assert status == 200, answer
            (row,) = content["predictions"]
            assert (row["form"], row["label"]) == (word, labels[word])
    assert len(answers) == REQUESTS
    assert grown < GROWTH, f"{grown / 2**20:.0f} MiB more"
    assert process.poll() is None
