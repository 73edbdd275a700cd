"""What a tracker shows of a pipeline run, collected from its artifacts alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from esetrag import files, history, params, tables
from esetrag.errors import DataError
from esetrag.history import Epoch
from esetrag.layout import Layout

PAGES = (
    *("data.md", "data.json", "encoding.json", "history.csv", "train.json", "test.json", "classes.csv"),
    *("errors.md", "errors.json", "plots/lengths.png", "plots/curves.png", "plots/confusion.png"),
)
"""Figures, pages and pictures under a task's metrics that a run shows."""

LIBRARIES = ("esetrag", "dvc", "numpy", "pandas", "pyarrow", "safetensors", "torch")


@dataclass(frozen=True)
class Run:
    """One state of one task's pipeline."""

    task: str
    key: str
    """SHA-256 over parameters and artifacts: the same state has the same key, wherever it was computed."""
    params: dict[str, str]
    metrics: dict[str, float]
    epochs: list[Epoch]
    files: list[Path]
    """Pages, figures and pictures."""
    errors: list[dict[str, Any]]
    """The misread forms."""
    checkpoint: Path
    tags: dict[str, str]


def collect(layout: Layout, given: params.Params) -> Run:
    """Reads the artifacts of a finished pipeline.

    Args:
        layout: of the task.
        given: the parameters they were made with.

    Raises:
        DataError: if one is missing.
    """
    used = {"task": given.task(layout.task).model_dump(), **given.model_dump(exclude={"tasks", "tracking"})}
    pages = [layout.metrics / page for page in PAGES]
    artifacts = [*pages, layout.manifest, layout.predictions, layout.errors]
    for path in artifacts:
        if not path.is_file():
            raise DataError(f"{path}: no such file; the pipeline has not run to its end: dvc repro")
    digests = {path.relative_to(layout.root).as_posix(): files.sha256(path) for path in artifacts}
    state = json.dumps({"task": layout.task, "params": used, "artifacts": digests}, sort_keys=True)
    test = files.read_json(layout.metrics / "test.json")
    best = files.read_json(layout.metrics / "train.json")
    return Run(
        task=layout.task,
        key=hashlib.sha256(state.encode()).hexdigest(),
        params={name: str(value) for name, value in flat(used).items()},
        metrics={name: float(value) for name, value in flat({"test": test, "best": best}).items()},
        epochs=history.read(layout.history),
        files=pages,
        errors=tables.read(layout.errors, tables.ERRORS).to_pylist(),
        checkpoint=layout.checkpoint,
        tags={"task": layout.task, **_origin(), **{f"version.{name}": version(name) for name in LIBRARIES}},
    )


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, keys joined by dots.

    >>> flat({"train": {"epochs": 20}})
    {'train.epochs': 20}
    """
    result: dict[str, Any] = {}
    for key, value in content.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result


def _origin() -> dict[str, str]:
    """The commit and the DVC experiment, as far as there are any."""
    tags = {}
    for name, variable in (("dvc.exp.name", "DVC_EXP_NAME"), ("dvc.exp.baseline", "DVC_EXP_BASELINE_REV")):
        if value := os.environ.get(variable):
            tags[name] = value
    commit, status = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    if commit and status is not None:
        tags |= {"git.commit": commit, "git.dirty": str(bool(status)).lower()}
    return tags


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
