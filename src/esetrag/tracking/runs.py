"""What a tracker shows of a pipeline run, collected from inputs and artifacts alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esetrag.core import config, files, tables, versions
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS, Layout
from esetrag.training import history
from esetrag.training.history import Epoch

PAGES = (
    *("data.md", "data.json", "data_audit.md", "data_audit.json", "review.tsv"),
    *("encoding.json", "history.csv", "train.json", "test.json"),
    *("classes.csv", "calibration.csv", "coverage.csv", "masking.csv", "stress.csv"),
    *(
        "model_card.md",
        "report.html",
        "errors.md",
        "errors.json",
        "plots/lengths.png",
        "plots/curves.png",
        "plots/confusion.png",
    ),
)
"""Figures, pages and pictures under a task's metrics that a run shows."""

CODE = ("src/esetrag", "stages")
KINDS = (".py", ".jinja", ".css", ".js")
"""Endings of the files in these folders that are code."""
EXPERIMENT, BASELINE = "dvc.exp.name", "dvc.exp.baseline"
"""Tags: the name of a DVC experiment, and the commit it was started on."""


@dataclass(frozen=True)
class Inputs:
    """All that a task's pipeline starts from; the same inputs are the same run, wherever computed."""

    task: str
    parameters: dict[str, Any]
    """The task's entry and every section but tracking, nested."""
    raw: Path
    raw_sha256: str
    code_sha256: str
    """Of the stages and modules."""
    versions: dict[str, str]
    """Of the libraries."""

    @property
    def key(self) -> str:
        """SHA-256 over all of it: how a run is found again."""
        state = {
            "task": self.task,
            "params": self.parameters,
            "raw": self.raw_sha256,
            "code": self.code_sha256,
            "versions": self.versions,
        }
        return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()

    @classmethod
    def of(cls, layout: Layout, given: config.Params, libraries: dict[str, str] | None = None) -> Inputs:
        """Reads what a task's pipeline starts from; every stage can, whichever ran before it.

        Args:
            layout: of the task.
            given: all parameters.
            libraries: their versions. Those at hand while it trains (default), afterwards those of
                the checkpoint (``versions.of``): a state logged again elsewhere stays the same run.

        Raises:
            DataError: if the table is not there.
        """
        task = given.task(layout.task)
        raw = layout.root / task.raw
        if not raw.is_file():
            raise DataError(f"{raw}: no such file")
        return cls(
            task=layout.task,
            parameters={"task": task.model_dump(), **given.model_dump(exclude={"tasks", "tracking"})},
            raw=raw,
            raw_sha256=files.sha256(raw),
            code_sha256=_digest(layout.root),
            versions=versions.installed() if libraries is None else libraries,
        )


@dataclass(frozen=True)
class Outcome:
    """What a task's pipeline came to."""

    metrics: dict[str, float]
    epochs: list[Epoch]
    pages: list[Path]
    """Figures, pages and pictures."""
    errors: dict[str, list[Any]]
    """The misread forms, column by column."""
    checkpoint: Path
    rows: dict[str, int]
    """Of each part."""
    md5: dict[str, str]
    """Of every artifact, as in ``dvc.lock``."""

    @property
    def digest(self) -> str:
        """SHA-256 over the artifacts."""
        return hashlib.sha256(json.dumps(self.md5, sort_keys=True).encode()).hexdigest()

    @staticmethod
    def paths(layout: Layout) -> list[Path]:
        """The artifacts: pages, checkpoint, tables."""
        pages = [layout.metrics / page for page in PAGES]
        return [*pages, layout.manifest, layout.weights, layout.predictions, layout.errors]

    @classmethod
    def of(cls, layout: Layout) -> Outcome:
        """Reads the artifacts of a finished pipeline.

        Raises:
            DataError: if one is missing.
        """
        for path in cls.paths(layout):
            if not path.is_file():
                raise DataError(f"{path}: no such file; the pipeline has not run to its end: dvc repro")
        test = files.read_json(layout.metrics / "test.json")
        best = files.read_json(layout.metrics / "train.json")
        data = files.read_json(layout.metrics / "data.json")
        figures = flat({"test": test, "best": best})
        return cls(
            metrics={name: float(value) for name, value in figures.items() if isinstance(value, int | float)},
            epochs=history.read(layout.history),
            pages=[layout.metrics / page for page in PAGES],
            errors=tables.read(layout.errors, tables.ERRORS).to_pydict(),
            checkpoint=layout.checkpoint,
            rows={part: data["parts"][part]["rows"] for part in PARTS},
            md5={path.relative_to(layout.root).as_posix(): files.md5(path) for path in cls.paths(layout)},
        )


def finished(layout: Layout, given: config.Params) -> tuple[Inputs, Outcome]:
    """A pipeline that has run to its end.

    Args:
        layout: of the task.
        given: all parameters.

    Raises:
        DataError: if it has not.
    """
    outcome = Outcome.of(layout)
    return Inputs.of(layout, given, versions.of(layout.manifest)), outcome


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, keys joined by dots.

    >>> flat({"train": {"epochs": 20}})
    {'train.epochs': 20}
    """
    result: dict[str, Any] = {}
    for key, value in content.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result


def origin() -> dict[str, str]:
    """Tags of the commit and the DVC experiment that run here, as far as there are any."""
    tags = {}
    for name, variable in ((EXPERIMENT, "DVC_EXP_NAME"), (BASELINE, "DVC_EXP_BASELINE_REV")):
        if value := os.environ.get(variable):
            tags[name] = value
    # What DVC writes is no input: while it makes metrics/ anew, the files of the commit are missing there.
    inputs = ("--", ".", ":!metrics", ":!dvc.lock")
    commit, status = (
        _git("rev-parse", "HEAD"),
        _git("status", "--porcelain", "--untracked-files=no", *inputs),
    )
    if commit and status is not None:
        tags |= {"git.commit": commit, "git.dirty": str(bool(status)).lower()}
    return tags


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _digest(root: Path) -> str:
    """SHA-256 over the code under a root."""
    paths = sorted(path for top in CODE for path in (root / top).rglob("*") if path.suffix in KINDS)
    lines = (f"{path.relative_to(root).as_posix()} {files.sha256(path)}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
