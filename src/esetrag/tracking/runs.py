"""What a tracker logs of a pipeline run, collected from inputs and artifacts alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from esetrag.core import config, files
from esetrag.core.errors import DataError, TrackingError
from esetrag.core.layout import PARTS, Layout
from esetrag.tracking import store
from esetrag.training import history
from esetrag.training.history import Epoch

REPORTS = (
    *("data.md", "data.json", "data_audit.md", "data_audit.json", "review.tsv", "encoding.json"),
    *("history.csv", "train.json", "test.json", "classes.csv", "calibration.csv", "coverage.csv"),
    *("masking.csv", "stress.csv", "model_card.md", "report.html", "errors.md", "errors.json"),
)
PLOTS = ("lengths.png", "curves.png", "confusion.png")
"""What a run shows of a task's metrics, and of the plots among them."""
EXPERIMENT, BASELINE = "dvc.exp.name", "dvc.exp.baseline"
"""Tags: the name of a DVC experiment, and the commit it was started on."""


@dataclass(frozen=True)
class Inputs:
    """All that a task's pipeline starts from, but its code; a training knows it before there are results."""

    task: str
    params: dict[str, Any]
    """Those that the task uses, keys joined by dots."""
    raw: dict[str, str]
    """SHA-256 of the raw tables by path."""

    @property
    def key(self) -> str:
        """SHA-256 over all of it."""
        return _digest([self.task, self.params, list(self.raw.values())])

    @classmethod
    def of(cls, layout: Layout, params: config.Params) -> Inputs:
        """Reads what a task's pipeline starts from; DataError if a raw table is not there."""
        raw = {}
        for name in params.task(layout.task).tables:
            if not (layout.root / name).is_file():
                raise DataError(f"{layout.root / name}: no such file")
            raw[name] = files.sha256(layout.root / name)
        return cls(layout.task, flat(params.used_by(layout.task)), raw)


@dataclass(frozen=True)
class Outcome:
    """What a task's pipeline came to."""

    metrics: dict[str, float]
    epochs: list[Epoch]
    test: dict[str, Any]
    """``test.json``."""
    artifacts: dict[str, Path]
    """What a run shows, by the path it has there."""
    md5: dict[str, str]
    """Of every artifact, as in ``dvc.lock``."""
    results: str
    """SHA-256 over model and predictions: pages may be made anew, in another style."""
    rows: dict[str, int]
    """Of each part."""

    @staticmethod
    def paths(layout: Layout) -> list[Path]:
        """The artifacts: samples, checkpoint, tables, pages."""
        tables = [*map(layout.sample, PARTS), layout.manifest, layout.weights]
        return [*tables, layout.predictions, layout.errors, *_shown(layout).values()]

    @classmethod
    def of(cls, layout: Layout) -> Outcome:
        """Reads the artifacts of a finished pipeline; DataError if one is missing."""
        for path in cls.paths(layout):
            if not path.is_file():
                raise DataError(f"{path}: no such file; the pipeline has not run to its end: dvc repro")
        test = files.read_json(layout.metrics / "test.json")
        md5 = {path.relative_to(layout.root).as_posix(): files.md5(path) for path in cls.paths(layout)}
        decisive = (layout.manifest, layout.weights, layout.predictions)
        return cls(
            metrics=figures(test, files.read_json(layout.metrics / "train.json")),
            epochs=history.read(layout.history),
            test=test,
            artifacts={**_shown(layout), layout.predictions.name: layout.predictions},
            md5=md5,
            results=_digest([md5[path.relative_to(layout.root).as_posix()] for path in decisive]),
            rows={part: pq.read_metadata(layout.sample(part)).num_rows for part in PARTS},
        )


MAIN = ("accuracy", "macro_f1", "edit_distance", "ece")
"""Scores of the model that a run shows, as far as its kind of task has them."""


def figures(test: dict[str, Any], train: dict[str, Any]) -> dict[str, float]:
    """The figures that distinguish runs, by the same plain names for every kind of task, to four places.

    They are taken from ``test.json`` and ``train.json``; those of an older version give none.
    """
    if "models" not in test:
        return {}
    models, ours = test["models"], test["model"]
    others = [name for name in models if name != ours and name not in test["baselines"]]
    baselines = {f"baseline_{name}_accuracy": models[name]["accuracy"] for name in test["baselines"]}
    values = {
        **{f"test_{name}": models[ours][name] for name in MAIN if name in models[ours]},
        **{f"test_accuracy_{bound}": models[ours][bound] for bound in ("low", "high")},
        **{f"best_{name}": train[name] for name in ("dev_accuracy", "epoch")},
        "baseline_accuracy": max(baselines.values()),
        **baselines,
        **{f"{name}_accuracy": models[name]["accuracy"] for name in others},
        **{f"test_accuracy_{name}": of[ours]["accuracy"] for name, of in test.get("features", {}).items()},
        "upper_bound": test["upper_bound"]["accuracy"],
    }
    return {name: round(float(value), 4) for name, value in values.items() if value is not None}


def finished(layout: Layout, params: config.Params) -> tuple[Inputs, Outcome]:
    """A pipeline that has run to its end; DataError if it has not."""
    outcome = Outcome.of(layout)
    return Inputs.of(layout, params), outcome


@contextmanager
def checkpoint_of(
    layout: Layout, params: config.Params, name: str | None = None, champion: bool = False
) -> Iterator[Path]:
    """The folder of a checkpoint, for as long as the block lasts: of the champion, a run or the workspace.

    ``checkpoint.load`` holds its weights against its manifest.

    Raises:
        DataError: if the workspace has none.
        TrackingError: if there is no such run, no champion, or the store cannot be used.
    """
    if name is None and not champion:
        if not layout.manifest.is_file():
            raise DataError(f"{layout.manifest}: no such file; make it: dvc repro; or name a run: --run RUN")
        yield layout.checkpoint
        return
    with tempfile.TemporaryDirectory() as folder:
        with store.opened(params.experiment_of(layout.task)) as opened:
            if champion:
                version, mend = opened.champion(layout.task), "has no champion; esetrag promote makes one"
                uri = version and version.source
            else:
                run = opened.named(str(name))
                mend = f"has no finished run called {name}; list them: make ui; log one: esetrag track"
                uri = run and f"models:/{run.data.tags[store.MODEL]}"
            if not uri:
                raise TrackingError(f"{opened.uri}: {layout.task} {mend}")
            place = opened.checkpoint(uri, Path(folder))
        yield place


def origin() -> dict[str, str]:
    """Tags of the commit and the DVC experiment that run here, as far as there are any."""
    tags = {}
    for name, variable in ((EXPERIMENT, "DVC_EXP_NAME"), (BASELINE, "DVC_EXP_BASELINE_REV")):
        if value := os.environ.get(variable):
            tags[name] = value
    # What DVC writes is no input: while it makes metrics/ anew, the files of the commit are missing there.
    commit = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!metrics", ":!dvc.lock")
    if commit and status is not None:
        tags |= {"git.commit": commit, "git.dirty": str(bool(status)).lower()}
    return tags


def used(content: Any, task: str) -> dict[str, Any]:
    """The parameters of ``params.yaml`` that a task uses, keys joined by dots; all of an older file."""
    try:
        return flat(config.Params.model_validate(content).used_by(task))
    except ValueError:
        rest = {name: value for name, value in content.items() if name not in ("tasks", "tracking")}
        return flat({"task": content["tasks"][task], **rest})


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, keys joined by dots.

    >>> flat({"train": {"epochs": 20}})
    {'train.epochs': 20}
    """
    result: dict[str, Any] = {}
    for key, value in content.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result


def _shown(layout: Layout) -> dict[str, Path]:
    reports = {f"reports/{name}": layout.metrics / name for name in REPORTS}
    return reports | {f"plots/{name}": layout.plots / name for name in PLOTS}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
