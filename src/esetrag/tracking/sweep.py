"""Sweeps: the runs of DVC experiments of one task on one commit stand under a parent run."""

from __future__ import annotations

from typing import Any

from esetrag.tracking.runs import BASELINE
from esetrag.tracking.store import Store

SWEEP = "esetrag.sweep"
"""The tag by which a parent is found again: task and commit. It bears no key, so it is no task's run."""
PARENT = "mlflow.parentRunId"


def tags(opened: Store, task: str, origin: dict[str, str]) -> dict[str, str]:
    """The tag that puts a run under its parent, which is made if there is none; nothing without a sweep.

    Args:
        opened: the store; its lock lets one worker at a time come here.
        task: of the run.
        origin: its tags of commit and experiment. What runs without ``dvc exp`` has no parent.
    """
    if BASELINE not in origin:
        return {}
    commit = origin[BASELINE]
    found = opened.runs(f"tags.`{SWEEP}` = '{task} {commit}'")
    parent = found[0] if found else _create(opened, task, commit)
    if parent.info.status != "FINISHED":
        opened.client.set_terminated(parent.info.run_id, "FINISHED")
    return {PARENT: str(parent.info.run_id)}


def _create(opened: Store, task: str, commit: str) -> Any:
    what = {
        SWEEP: f"{task} {commit}",
        BASELINE: commit,
        "mlflow.source.name": "dvc.yaml",
        "mlflow.note.content": f"DVC experiments of {task} on commit {commit}; their runs are below.",
    }
    name = f"{task} sweep on {commit[:7]}"
    return opened.client.create_run(opened.experiment_id, tags=what, run_name=name)
