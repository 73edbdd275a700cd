from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esetrag.core import files
from esetrag.core.errors import DataError, EsetragError, ParamsError
from esetrag.core.layout import Layout
from esetrag.tracking import run_state
from esetrag.tracking.run_state import Revision, State
from tests.unit.tracking.conftest import PARAMS, TASK, Log, predictions

EXPERIMENT = PARAMS.experiment_of(TASK)


def test_the_workspace_and_a_run_of_it_are_the_same_state(layout: Layout, log: Log) -> None:
    state = State.named("workspace", layout, EXPERIMENT)
    assert state.name == "workspace"
    assert state.params["task.feature"] == "Case"
    assert state.params["train.learning_rate"] == PARAMS.train.learning_rate
    assert not any(name.startswith(("tasks", "tracking")) for name in state.params)
    assert state.metrics["test_accuracy"] == 0.9
    assert state.predictions.equals(predictions({3}))
    run_id = log("run")
    for name in ("run", run_id):
        run = State.named(name, layout, EXPERIMENT)
        assert (run.params, run.metrics) == (state.params, state.metrics), "types of parameters, too"
        assert run.predictions == state.predictions


def test_parameters_of_another_time_are_taken_as_they_are(layout: Layout) -> None:
    text = (layout.root / "params.yaml").read_text("utf-8")
    files.write_text(layout.root / "params.yaml", text.replace("  clip: 1.0", "  momentum: 1e-3"))
    state = State.named("workspace", layout, EXPERIMENT)
    assert state.params["train.momentum"] == 0.001
    assert "train.clip" not in state.params


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        (f"metrics/{TASK}/test.json", None, "is not there; get it: dvc repro"),
        (f"data/{TASK}/predictions.parquet", b"PAR1", "cannot be read"),
        (f"metrics/{TASK}/train.json", b"{", "cannot be read"),
        ("params.yaml", b"a: [", "line 1: not YAML"),
        ("params.yaml", b"- 1", "cannot be read"),
        ("params.yaml", b"tasks: {other: {}}", f"no task '{TASK}' in params.yaml; known: other"),
    ],
)
def test_a_file_that_is_missing_or_torn_is_told(
    layout: Layout, name: str, content: bytes | None, text: str
) -> None:
    path = layout.root / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(EsetragError, match=text) as caught:
        State.named("workspace", layout, EXPERIMENT)
    assert Path(name).name in str(caught.value)
    assert str(caught.value).startswith("workspace: ")
    assert "\n" not in str(caught.value)


class Repo:
    """As much of DVC's repository as a revision uses."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.dvcfs = files, self

    def read_bytes(self, name: str) -> bytes:
        if name == "remote.parquet":
            raise ConnectionError("the remote\nis down")
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name]


def revision(**files: bytes) -> Revision:
    return Revision("v1", Repo({"src/b/c.py": b"c", **files}), {})


GET = "get it: dvc pull, or dvc repro in that revision"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none.tsv", f"v1: none.tsv is not there; {GET}"),
        ("remote.parquet", f"v1: remote.parquet cannot be read (the remote is down); {GET}"),
        ("../table.tsv", "v1: ../table.tsv is outside of the repository, which keeps no state of it"),
        ("/table.tsv", "v1: /table.tsv is outside of the repository, which keeps no state of it"),
    ],
)
def test_what_cannot_be_brought_is_told_in_a_line(tmp_path: Path, name: str, text: str) -> None:
    revision().bring(Path("src/b/c.py"), tmp_path)
    with pytest.raises(DataError) as caught:
        revision().bring(Path(name), tmp_path)
    assert str(caught.value) == text
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["c.py"]


def test_the_parameters_must_be_of_this_version(repo: Path) -> None:
    text = (repo / "params.yaml").read_bytes()
    cases: list[tuple[bytes, Any, str, str]] = [
        (text + b"more: 1\n", None, "v1: params.yaml: more: unknown key", "check it out and track it there"),
        (
            text,
            "tyo",
            "v1: no task 'tyo' in params.yaml",
            "; known: hun-inflect, hun-noun-bundle, hun-noun-case, hun-segments, hun-valid",
        ),
    ]
    for content, task, start, end in cases:
        found = revision(**{"params.yaml": content})
        with pytest.raises(ParamsError) as caught, run_state.restored(found, task):
            pass
        assert str(caught.value).startswith(start)
        assert str(caught.value).endswith(end)
