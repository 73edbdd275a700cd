from __future__ import annotations

from pathlib import Path

import pytest

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.report import results
from esetrag.report.results import BEGIN, END
from tests.unit.report import artifacts


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    for task in ("hun-noun-case", "deu-verb-tense"):
        files.write_json(tmp_path / task / "test.json", artifacts.figures())
        files.write_json(tmp_path / task / "data.json", {"parts": {"train": {"rows": 1000}}})
    return tmp_path


def test_each_task_has_its_baselines_models_and_upper_bound(metrics: Path) -> None:
    lines = results.table(metrics).splitlines()
    assert len(lines) == 2 + 6 + 6
    assert lines[2] == (
        "| deu-verb-tense | majority-class baseline | 1,000 | 6 | 10.00% | 9.00%–11.00% | 5.00% |"
    )
    assert lines[6].startswith("| deu-verb-tense | **BiLSTM** | 1,000 | 6 | **90.00%** | 89.00%–91.00% |")
    assert lines[7] == "| deu-verb-tense | upper bound | 1,000 | 6 | 95.00% |  |  |"
    assert lines[8].startswith("| hun-noun-case | majority-class baseline |")


def test_what_is_missing_is_named(metrics: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no test\.json of any task; make them: dvc repro"):
        results.table(tmp_path / "empty")
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
def test_a_page_without_the_marks_is_refused(page: str) -> None:
    with pytest.raises(DataError, match=r"README\.md: expected the marks "):
        results.insert(page, "new")
