"""Several tasks are logged, those that are not ready told."""

from __future__ import annotations

import pytest

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.tracking import tracker
from tests.unit.tracking.conftest import PARAMS, TASK


@pytest.mark.usefixtures("log")
def test_a_task_that_is_not_ready_keeps_no_other_from_being_logged(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    files.write_text(layout.root / "dvc.lock", f"schema: '2.0'\nstages: {{train@{TASK}: {{}}}}\n")
    layouts = [Layout(name, layout.root) for name in ("first", TASK, "last")]
    each = tracker.complete_each(layouts, PARAMS)
    assert next(each)[0] == TASK
    with pytest.raises(DataError, match=r"^dvc\.lock: has no stage of last"):
        next(each)
    assert capsys.readouterr().err == "esetrag: dvc.lock: has no stage of first; run: dvc repro\n"
