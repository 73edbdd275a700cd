"""The README's way to another language: ``dvc import-url`` and four lines of params.yaml."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.project import REPO, Project, toy_table


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves a folder with the file ``unimorph/est/est`` on loopback."""
    folder = tmp_path / "server/unimorph/est"
    folder.mkdir(parents=True)
    (folder / "est").write_text(toy_table().replace("\n", "\n\n"), "utf-8")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path / "server")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_the_readme_brings_in_another_language(repository: Project, server: str) -> None:
    readme = (REPO / "README.md").read_text("utf-8")
    command = re.search(r"^dvc import-url (\S+) (\S+)$", readme, re.MULTILINE)
    entry = re.search(r"```yaml\n(tasks:.*?)```", readme, re.DOTALL)
    assert command is not None
    assert entry is not None
    url = re.sub(r"^https://[^/]+", server, command[1]).replace("/master/", "/")
    assert url == f"{server}/unimorph/est/est"
    repository.run("dvc", "import-url", url, command[2])
    lines = [line for line in entry[1].splitlines() if not line.startswith("tasks:")]
    new = [line for line in lines if line.strip() and "…" not in line]
    params = repository.root / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(
        re.sub(r"^tasks:\n", "tasks:\n" + "\n".join(new) + "\n", text, flags=re.MULTILINE), "utf-8"
    )
    assert "est-noun-case" in repository.params["tasks"]
    done = repository.run("dvc", "repro")
    assert len([stage for stage in repository.ran(done) if stage.endswith("@est-noun-case")]) == 6
    assert repository.json("metrics/est-noun-case/data.json")["kept"] == len(toy_table().splitlines())
    (repository.root / command[2]).unlink()
    repository.run("dvc", "checkout")  # a clone's dvc pull does the same from a remote
    assert (repository.root / command[2]).is_file()
