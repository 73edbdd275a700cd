"""Finished runs of a task's pipeline: the files as they are, a revision, or what a store has logged."""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from esetrag.core import tables
from esetrag.core.errors import DataError, EsetragError, TrackingError
from esetrag.core.layout import PARAMS, Layout
from esetrag.tracking import runs, store
from esetrag.tracking.revisions import Revision, UnknownRevisionError
from esetrag.tracking.store import Store

WORKSPACE = "workspace"
COLUMNS = (*tables.SAMPLE.names, "predicted")


@dataclass(frozen=True)
class State:
    """What a comparison needs of a run, wherever it comes from."""

    name: str
    params: dict[str, Any]
    """Those of the task and of all sections but tracking, keys joined by dots."""
    metrics: dict[str, float | None]
    """Figures of the test and of the best epoch, keys joined by dots."""
    predictions: pa.Table
    """Lemma, form, features, label and predicted label of every test row."""

    @classmethod
    def named(cls, name: str, layout: Layout, experiment: str) -> State:
        """The state a user means by a name: the workspace, a revision, or a logged run, in this order.

        Args:
            name: ``workspace``, of a revision, or a run's id or name.
            layout: of the task.
            experiment: that of MLflow which holds the runs.

        Raises:
            DataError: if nothing has that name, or a file of it is kept nowhere.
            TrackingError: if the store of the runs cannot be used.
        """
        if name == WORKSPACE:
            return cls.of_workspace(layout)
        try:
            return cls.of_revision(name, layout)
        except UnknownRevisionError as error:
            unknown = error
        found = cls.of_run(name, layout, experiment) if store.exists(store.place()) else None
        if found is None:
            raise DataError(
                f"{name}: expected {WORKSPACE}, a git revision, a DVC experiment or a finished MLflow run "
                f"({unknown.reason}; no such run in {store.place()}); "
                "list them: git log, dvc exp list --all-commits, make ui"
            ) from unknown
        return found

    @classmethod
    def of_workspace(cls, layout: Layout) -> State:
        """The files as they are.

        Args:
            layout: of the task.

        Raises:
            DataError: if the pipeline has not run to its end.
        """
        return _state(WORKSPACE, layout, lambda path: (layout.root / path).read_bytes())

    @classmethod
    def of_revision(cls, name: str, layout: Layout) -> State:
        """What git and DVC keep of a revision.

        Args:
            name: of a branch, tag, commit or DVC experiment.
            layout: of the task.

        Raises:
            DataError: if there is no such revision, or a file of it is kept nowhere.
        """
        revision = Revision.named(name, layout.root)
        return _state(name, layout, revision.read)

    @classmethod
    def of_run(cls, name: str, layout: Layout, experiment: str) -> State | None:
        """What the store has of a run; None if it has no such run.

        Args:
            name: of the run, or its id.
            layout: of the task.
            experiment: that of MLflow which holds the run.

        Raises:
            TrackingError: if it is a run of another task, has no predictions, or the store cannot be used.
        """
        with store.opened(experiment) as opened:
            run = opened.named(name)
            return cls.logged(name, run, layout, opened) if run else None

    @classmethod
    def logged(cls, name: str, run: Any, layout: Layout, opened: Store) -> State:
        """What an opened store has of a run.

        Args:
            name: of the state.
            run: MLflow's.
            layout: of the task.
            opened: the store.

        Raises:
            TrackingError: if it is a run of another task, or has no predictions.
        """
        if (task := run.data.tags["task"]) != layout.task:
            raise TrackingError(f"{name}: a run of the task {task}; to compare such runs: --task {task}")
        wanted = layout.predictions.name
        with tempfile.TemporaryDirectory() as folder:
            if wanted not in {file.path for file in opened.client.list_artifacts(run.info.run_id)}:
                raise TrackingError(
                    f"{name}: the run has no {wanted}, which older versions did not log; "
                    "delete the run and log it again: esetrag track --rev REV"
                )
            path = opened.client.download_artifacts(run.info.run_id, wanted, folder)
            predictions = pq.read_table(path).select(COLUMNS)
        values = {key: _typed(text) for key, text in run.data.params.items()}
        figures = {
            key: int(value) if value.is_integer() else value
            for key, value in run.data.metrics.items()
            if key.startswith(("test.", "best."))
        }
        return cls(name, values, figures, predictions)


def _state(name: str, layout: Layout, read: Callable[[Path], bytes]) -> State:
    """Reads a state's files.

    Args:
        name: of the state.
        layout: of the task.
        read: gives the bytes of a file of the state by its path in the repository.
    """

    def parsed(path: Path, parse: Callable[[bytes], Any]) -> Any:
        path = path.relative_to(layout.root)
        try:
            return parse(read(path))
        except EsetragError:
            raise
        except FileNotFoundError as error:
            raise DataError(f"{name}: {path} is not there; get it: dvc repro") from error
        except Exception as error:  # a torn file
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{name}: {path} cannot be read ({reason})") from error

    return State(
        name,
        parsed(layout.root / PARAMS, lambda data: _params(name, layout.task, data)),
        runs.flat(
            {
                "test": parsed(layout.metrics / "test.json", json.loads),
                "best": parsed(layout.metrics / "train.json", json.loads),
            }
        ),
        parsed(layout.predictions, lambda data: pq.read_table(pa.BufferReader(data)).select(COLUMNS)),
    )


def _params(name: str, task: str, data: bytes) -> dict[str, Any]:
    """The parameters of a task. They are not checked: an older revision may have other ones."""
    from dvc.utils.serialize import loads_yaml

    content = loads_yaml(data)
    tasks = content["tasks"]
    if task not in tasks:
        raise DataError(f"{name}: no task {task!r} in params.yaml; known: {', '.join(sorted(tasks))}")
    return runs.flat(
        {"task": tasks[task], **{k: v for k, v in content.items() if k not in ("tasks", "tracking")}}
    )


def _typed(text: str) -> Any:
    """A parameter as it was before MLflow made a text of it."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
