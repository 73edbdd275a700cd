"""Finished runs of a task's pipeline, from the files as they are or from a git revision."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from esetrag import runs, tables
from esetrag.errors import DataError, EsetragError
from esetrag.layout import Layout

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
    def named(cls, name: str, layout: Layout) -> State:
        """The state a user means by a name.

        Args:
            name: ``workspace``, or of a revision.
            layout: of the task.
        """
        return cls.of_workspace(layout) if name == WORKSPACE else cls.of_revision(name, layout)

    @classmethod
    def of_workspace(cls, layout: Layout) -> State:
        """The files as they are.

        Args:
            layout: of the task.

        Raises:
            DataError: if the pipeline has not run to its end.
        """
        return _state(WORKSPACE, layout, lambda path: (layout.root / path).read_bytes(), "dvc repro")

    @classmethod
    def of_revision(cls, name: str, layout: Layout) -> State:
        """What git and DVC keep of a revision; its files are read from git, DVC's cache or remote.

        Args:
            name: of a branch, tag, commit or DVC experiment. DVC resolves it: what git knows
                first, then the experiments, those of the current commit before others.
            layout: of the task.

        Raises:
            DataError: if there is no such revision, or a file of it is kept nowhere.
        """
        from dvc.api import DVCFileSystem  # type: ignore[import-untyped]
        from dvc.exceptions import DvcException  # type: ignore[import-untyped]

        if not name:  # DVC would take it for the workspace
            raise DataError("expected a git revision or a DVC experiment, found an empty name")
        try:
            revision = DVCFileSystem(str(layout.root), rev=name)
            revision.repo.get_rev()
        except DvcException as error:
            reason = " ".join(str(error).split())
            raise DataError(
                f"{name}: expected one git revision or DVC experiment ({reason}); "
                "list them: git log, dvc exp list --all-commits"
            ) from error
        return _state(
            name,
            layout,
            lambda path: bytes(revision.read_bytes(path.as_posix())),
            "dvc pull, or dvc repro in that revision",
        )


def _state(name: str, layout: Layout, read: Callable[[Path], bytes], mend: str) -> State:
    """Reads a state's files.

    Args:
        name: of the state.
        layout: of the task.
        read: gives the bytes of a file of the state by its path in the repository.
        mend: the command that brings a missing file.
    """

    def parsed(path: Path, parse: Callable[[bytes], Any]) -> Any:
        path = path.relative_to(layout.root)
        try:
            return parse(read(path))
        except EsetragError:
            raise
        except FileNotFoundError as error:
            raise DataError(f"{name}: {path} is not there; get it: {mend}") from error
        except Exception as error:  # torn files, remotes that are down in one of many ways
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{name}: {path} cannot be read ({reason})") from error

    return State(
        name,
        parsed(layout.root / "params.yaml", lambda data: _params(name, layout.task, data)),
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
    from dvc.utils.serialize import loads_yaml  # type: ignore[import-untyped]

    content = loads_yaml(data)
    tasks = content["tasks"]
    if task not in tasks:
        raise DataError(f"{name}: no task {task!r} in params.yaml; known: {', '.join(sorted(tasks))}")
    return runs.flat(
        {"task": tasks[task], **{k: v for k, v in content.items() if k not in ("tasks", "tracking")}}
    )
