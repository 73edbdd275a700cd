from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esetrag.core.errors import DataError
from esetrag.report import results
from esetrag.report.results import BEGIN, END


def judged(accuracy: float) -> dict[str, float]:
    return {"accuracy": accuracy, "low": accuracy - 0.01, "high": accuracy + 0.01, "macro_f1": accuracy / 2}


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    for task, accuracy in (("hun-noun-case", 0.9), ("deu-verb-tense", 0.8)):
        folder = tmp_path / "metrics" / task
        folder.mkdir(parents=True)
        test: dict[str, Any] = {
            "rows": 10310,
            "lemmas": 300,
            "reader": judged(accuracy),
            "ngram": judged(0.7),
            "suffix": judged(0.5),
            "majority": judged(0.1),
            "ceiling": {"accuracy": 0.995},
        }
        (folder / "test.json").write_text(json.dumps(test))
        (folder / "data.json").write_text(json.dumps({"parts": {"train": {"rows": 1000}}}))
    return tmp_path / "metrics"


def test_each_task_has_its_baselines_reader_and_ceiling(metrics: Path) -> None:
    lines = results.table(metrics).splitlines()
    assert len(lines) == 2 + 5 + 5
    assert lines[2] == (
        "| deu-verb-tense | commonest label | 1,000 | 10.00 (9.00–11.00) | 5.00 "
        "| 10,310 forms of 300 lemmas |"
    )
    assert lines[7].startswith("| hun-noun-case | commonest label |")
    assert lines[8] == "|  | longest known suffix | 1,000 | 50.00 (49.00–51.00) | 25.00 |  |"
    assert lines[9] == "|  | logistic regression on suffixes | 1,000 | 70.00 (69.00–71.00) | 35.00 |  |"
    assert lines[10] == "|  | **esetrag** | 1,000 | **90.00 (89.00–91.00)** | 45.00 |  |"
    assert lines[11] == "|  | ceiling of any reader of the form alone |  | 99.50 |  |  |"


def test_no_finished_task_is_told_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no test\.json of any task; make them: dvc repro"):
        results.table(tmp_path)


def test_a_task_without_its_data_report_is_told(metrics: Path) -> None:
    (metrics / "hun-noun-case" / "data.json").unlink()
    with pytest.raises(DataError, match=r"data\.json: cannot be read"):
        results.table(metrics)


@pytest.mark.parametrize("old", ["", "old", "| a |\n| --- |\n| b |"])
def test_the_table_takes_the_place_between_the_marks_alone(old: str) -> None:
    page = f"# Title\n\n{BEGIN}\n{old}\n{END}\n\ntail\n"
    new = results.insert(page, "| \\1 | \\g<0> |")
    assert new == f"# Title\n\n{BEGIN}\n| \\1 | \\g<0> |\n{END}\n\ntail\n"
    assert results.insert(new, "| \\1 | \\g<0> |") == new


@pytest.mark.parametrize("page", ["", "# Title\n", f"{BEGIN}\nx\n", f"x\n{END}\n", f"{END}\nx\n{BEGIN}\n"])
def test_a_page_without_the_marks_is_told(page: str) -> None:
    with pytest.raises(DataError, match=r"README\.md: expected the marks "):
        results.insert(page, "new")
