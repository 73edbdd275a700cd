from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from esetrag.tracking import store, sweep
from esetrag.tracking.store import Store

ON_F00 = {"git.commit": "f00", "dvc.exp.name": "sober-hare", "dvc.exp.baseline": "f00" * 13 + "f"}


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A new store; MLflow exports what it is told, which is put back afterwards."""
    monkeypatch.setenv(store.VARIABLE, f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with store.opened("esetrag") as opened:
        yield opened


def test_one_parent_for_each_task_and_commit_and_none_without_a_sweep(opened: Store) -> None:
    assert sweep.tags(opened, "toy", {"git.commit": "f00"}) == {}
    assert opened.runs("") == []
    given = sweep.tags(opened, "toy", ON_F00)
    (parent,) = opened.runs("")
    assert given == {"mlflow.parentRunId": parent.info.run_id}
    assert parent.info.run_name == "toy sweep on f00f00f"
    assert parent.info.status == "FINISHED"
    assert (parent.data.params, parent.data.metrics) == ({}, {})
    assert sweep.tags(opened, "toy", {**ON_F00, "dvc.exp.name": "other"}) == given

    others = [
        sweep.tags(opened, "other", ON_F00),
        sweep.tags(opened, "toy", {**ON_F00, "dvc.exp.baseline": "f01"}),
    ]
    assert len({found["mlflow.parentRunId"] for found in [given, *others]}) == 3

    opened.client.update_run(parent.info.run_id, "RUNNING")  # as if its maker had been killed
    assert sweep.tags(opened, "toy", ON_F00) == given
    assert opened.client.get_run(parent.info.run_id).info.status == "FINISHED"

    opened.client.delete_run(parent.info.run_id)
    assert sweep.tags(opened, "toy", ON_F00) != given


def test_a_parent_is_found_neither_as_a_run_of_the_pipeline_nor_by_a_key(opened: Store) -> None:
    parent = sweep.tags(opened, "toy", ON_F00)["mlflow.parentRunId"]
    assert opened.named(parent) is None
    assert opened.named("toy sweep on f00f00f") is None
    assert opened.run("") is None
    assert opened.runs("tags.task = 'toy'") == []
