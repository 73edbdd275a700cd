"""Finished runs of a task's pipeline: the files as they are, a revision, or what a store has logged."""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from esetrag.core import config, files, yaml_reader
from esetrag.core.config import Params
from esetrag.core.errors import DataError, EsetragError, ParamsError, TrackingError
from esetrag.core.layout import PARAMS, Layout
from esetrag.tracking import lock, runs, store
from esetrag.tracking.log_run import CURVES
from esetrag.tracking.runs import BASELINE, EXPERIMENT, Outcome
from esetrag.tracking.store import Store

WORKSPACE = "workspace"
ROW = ["lemma", "form", "features"]
"""What makes a test row of two runs the same one."""
COLUMNS = (*ROW, "label", "predicted")
GET = "get it: dvc pull, or dvc repro in that revision"


class UnknownRevisionError(DataError):
    """No revision has that name."""

    def __init__(self, name: str, reason: str) -> None:
        """Says what to do; ``reason`` is what DVC says."""
        self.reason = reason
        mend = "list them: git log, dvc exp list --all-commits"
        super().__init__(f"{name}: expected one git revision or DVC experiment ({reason}); {mend}")


@dataclass(frozen=True)
class Revision:
    """What git and DVC keep of a branch, tag, commit or DVC experiment."""

    name: str
    repo: Any
    """DVC's, at that revision."""
    origin: dict[str, str]
    """Tags of its commit and of the experiment it is, if it is one, as ``runs.origin`` has them."""

    @classmethod
    @contextmanager
    def named(cls, name: str, root: Path = Path()) -> Iterator[Revision]:
        """What git knows by a name first, then DVC's experiments.

        The project may lie in a folder of a git repository.

        Raises:
            DataError: if the name is empty.
            UnknownRevisionError: if there is none.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
        from dvc.repo.experiments.utils import exp_refs
        from dvc.scm import resolve_rev

        if not name:
            raise DataError("expected a git revision or a DVC experiment, found an empty name")
        try:
            repo = Repo(str(root))
            commit = str(resolve_rev(repo.scm, name))
        except DvcException as error:
            raise UnknownRevisionError(name, " ".join(str(error).split())) from error
        origin = {"git.commit": commit, "git.dirty": "false"}
        for experiment in exp_refs(repo.scm):
            if experiment.name and repo.scm.get_ref(str(experiment)) == commit:
                origin |= {EXPERIMENT: experiment.name, BASELINE: experiment.baseline_sha}
        with repo, repo.switch(commit):
            yield cls(name, repo, origin)

    def read(self, path: Path) -> bytes:
        """The bytes of a file of the project, from git, DVC's cache or its remote; else DataError."""
        try:
            return bytes(self.repo.dvcfs.read_bytes(path.as_posix()))
        except FileNotFoundError as error:
            raise DataError(f"{self.name}: {path} is not there; {GET}") from error
        except Exception as error:  # remotes are down, and folders missing, in one of many ways
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{self.name}: {path} cannot be read ({reason}); {GET}") from error

    def bring(self, path: Path, root: Path) -> None:
        """Writes a file to its place under another root; DataError if it cannot be read or has none."""
        if not (root / path).resolve().is_relative_to(root.resolve()):
            raise DataError(f"{self.name}: {path} is outside of the repository, which keeps no state of it")
        files.write_bytes(root / path, self.read(path))


@contextmanager
def restored(revision: Revision, task: str | None = None) -> Iterator[tuple[list[Layout], Params]]:
    """Puts what the runs of a revision are made from into a temporary folder.

    Yields:
        The layouts of the tasks (all, or the one wanted), and the parameters of that time.

    Raises:
        DataError: if a file is kept nowhere, or ``dvc.lock`` names others.
        ParamsError: if there is no such task, or this version knows other parameters.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        revision.bring(PARAMS, root)
        try:
            params = config.load(root / PARAMS)
        except ParamsError as error:
            reason = str(error).replace(f"{root}/", "")
            mend = "if these are parameters of another version, check it out and track it there"
            raise ParamsError(f"{revision.name}: {reason}; {mend}") from error
        layouts = [Layout(name, root) for name in ([task] if task else params.tasks)]
        try:
            tables = [Path(name) for layout in layouts for name in params.task(layout.task).tables]
            artifacts = [path.relative_to(root) for layout in layouts for path in Outcome.paths(layout)]
            for path in dict.fromkeys([*tables, *artifacts, lock.LOCK]):
                revision.bring(path, root)
            for layout in layouts:
                lock.check(layout, "dvc repro in that revision", is_whole=False)
        except EsetragError as error:
            prefix = f"{revision.name}: "
            raise type(error)(prefix + str(error).removeprefix(prefix)) from error
        yield layouts, params


@dataclass(frozen=True)
class State:
    """What a comparison needs of a run, wherever it comes from."""

    name: str
    params: dict[str, Any]
    """Those that the task uses, keys joined by dots."""
    metrics: dict[str, float]
    """Those of ``runs.figures``."""
    predictions: pa.Table
    """``COLUMNS`` of every test row."""
    files: Callable[[Path], Layout] | None = None
    """Gives a place of checkpoint, training and development rows: a folder that it may write, or its own."""

    @classmethod
    def named(cls, name: str, layout: Layout, experiment: str) -> State:
        """The workspace, a revision, or a logged run (by id or name), in this order.

        Raises:
            DataError: if nothing has that name, or a file of it is kept nowhere.
            TrackingError: if the store of the runs cannot be used, or it is a run of another task.
        """
        if name == WORKSPACE:
            state = _state(name, layout, lambda path: (layout.root / path).read_bytes())
            return replace(state, files=lambda _: layout)

        def files(root: Path) -> Layout:
            with Revision.named(name, layout.root) as revision:
                for path in (layout.manifest, layout.weights, *map(layout.sample, ("train", "dev"))):
                    revision.bring(path.relative_to(layout.root), root)
            return Layout(layout.task, root)

        try:
            with Revision.named(name, layout.root) as revision:
                return replace(_state(name, layout, revision.read), files=files)
        except UnknownRevisionError as error:
            unknown = error
        if store.exists():
            with store.opened(experiment) as opened:
                if run := opened.named(name):
                    return cls.logged(name, run, layout, opened)
        raise DataError(
            f"{name}: expected {WORKSPACE}, a git revision, a DVC experiment or a finished MLflow run "
            f"({unknown.reason}; no such run in {store.address()}); "
            "list them: git log, dvc exp list --all-commits, make ui"
        ) from unknown

    @classmethod
    def logged(cls, name: str, run: Any, layout: Layout, opened: Store) -> State:
        """What an opened store has of a run; TrackingError if it has no predictions."""
        file = layout.predictions.name
        with tempfile.TemporaryDirectory() as folder:
            if file not in {artifact.path for artifact in opened.client.list_artifacts(run.info.run_id)}:
                raise TrackingError(f"{name}: the run has no {file}; log it again: esetrag track --rev REV")
            path = opened.client.download_artifacts(run.info.run_id, file, folder)
            predictions = pq.read_table(path).select(COLUMNS)
        params = {key: _typed(text) for key, text in run.data.params.items()}
        metrics = {
            key: value for key, value in run.data.metrics.items() if key not in (*CURVES, store.TRAIN_SECONDS)
        }
        return cls(name, params, metrics, predictions)


def _state(name: str, layout: Layout, read: Callable[[Path], bytes]) -> State:
    """Reads a state's files with a function that gives the bytes of one by its path in the project."""

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

    def params(data: bytes) -> dict[str, Any]:  # not checked: an older revision may have other ones
        content = yaml_reader.parse(data, f"{name}: {PARAMS}")
        if layout.task not in content["tasks"]:
            known = ", ".join(sorted(content["tasks"]))
            raise DataError(f"{name}: no task {layout.task!r} in {PARAMS}; known: {known}")
        return runs.used(content, layout.task)

    test = parsed(layout.metrics / "test.json", json.loads)
    return State(
        name,
        parsed(layout.root / PARAMS, params),
        parsed(layout.metrics / "train.json", lambda data: runs.figures(test, json.loads(data))),
        parsed(layout.predictions, lambda data: pq.read_table(pa.BufferReader(data)).select(COLUMNS)),
    )


def _typed(text: str) -> Any:
    """A parameter as it was before MLflow made a text of it."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
