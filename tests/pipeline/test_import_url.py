"""The README's way to another language: ``dvc import-url`` and four lines of params.yaml."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

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
    example = re.search(r"```yaml\n(tasks:.*?)```", readme, re.DOTALL)
    assert example is not None
    task = yaml.safe_load(example[1])["tasks"]["est-noun-case"]
    repository.run("dvc", "import-url", f"{server}/unimorph/est/est", task["raw"])
    repository.change(tasks={**repository.params["tasks"], "est-noun-case": task})
    done = repository.run("dvc", "repro")
    assert len([stage for stage in repository.ran(done) if stage.endswith("@est-noun-case")]) == 6
    assert repository.json("metrics/est-noun-case/data.json")["kept"] == len(toy_table().splitlines())
    (repository.root / task["raw"]).unlink()
    repository.run("dvc", "checkout")  # a clone's dvc pull does the same from a remote
    assert (repository.root / task["raw"]).is_file()
