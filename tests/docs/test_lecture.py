"""The lecture's notebook is that of its source, and runs on the artifacts of the pipeline."""

from __future__ import annotations

import json

import matplotlib as mpl
import pytest
from bench import lecture

from esetrag.core.layout import Layout
from tests.project import REPO

SOURCE = (REPO / lecture.SOURCE).read_text("utf-8")
TASKS = ("hun-noun-case", "hun-segments", "hun-inflect")
has_artifacts = all((Layout(task, REPO).errors).is_file() for task in TASKS)


def test_the_notebook_has_the_cells_of_its_source_and_what_they_showed() -> None:
    made = json.loads((REPO / lecture.SOURCE).with_suffix(".ipynb").read_text("utf-8"))
    kinds = {"markdown": True, "code": False}
    assert [(kinds[cell["cell_type"]], cell["source"]) for cell in made["cells"]] == lecture.cells(SOURCE)
    outputs = [output for cell in made["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 7


@pytest.mark.skipif(not has_artifacts, reason="needs dvc repro")
def test_every_cell_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    with mpl.rc_context({"backend": "agg"}):
        made = lecture.notebook(SOURCE)
    text = "".join(output.get("text", "") for cell in made["cells"] for output in cell.get("outputs", []))
    assert "lemmas in both training and test set: 0" in text
    assert "equal to five places: True" in text
    assert "the same logits: True" in text
