"""Revisions of the repository: what git and DVC keep of a branch, tag, commit or DVC experiment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esetrag.core import config, files
from esetrag.core.config import Params
from esetrag.core.errors import DataError, ParamsError
from esetrag.core.layout import PARAMS, Layout
from esetrag.tracking import lock
from esetrag.tracking.runs import BASELINE, CODE, EXPERIMENT, Outcome


class UnknownRevisionError(DataError):
    """No revision has that name."""

    def __init__(self, name: str, reason: str) -> None:
        """Says what to do; ``reason`` is what DVC says."""
        self.reason = reason
        super().__init__(
            f"{name}: expected one git revision or DVC experiment ({reason}); "
            "list them: git log, dvc exp list --all-commits"
        )


@dataclass(frozen=True)
class Revision:
    """One of them; its files are read from git, DVC's cache or remote."""

    name: str
    tree: Any
    """DVC's file system of it."""

    @classmethod
    def named(cls, name: str, root: Path = Path()) -> Revision:
        """The revision that a user means by a name.

        Args:
            name: of a branch, tag, commit or DVC experiment. DVC resolves it: what git knows
                first, then the experiments, those of the current commit before others.
            root: of the repository.

        Raises:
            DataError: if the name is empty.
            UnknownRevisionError: if there is none.
        """
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException

        if not name:  # DVC would take it for the workspace
            raise DataError("expected a git revision or a DVC experiment, found an empty name")
        try:
            tree = DVCFileSystem(str(root), rev=name)
            tree.repo.get_rev()
        except DvcException as error:
            raise UnknownRevisionError(name, " ".join(str(error).split())) from error
        return cls(name, tree)

    @property
    def origin(self) -> dict[str, str]:
        """Tags of its commit and of the experiment it is, if it is one, as ``runs.origin`` has them."""
        from dvc.repo.experiments.utils import exp_refs

        commit, scm = str(self.tree.repo.get_rev()), self.tree.repo.scm
        tags = {"git.commit": commit, "git.dirty": "false"}
        for experiment in exp_refs(scm):
            if experiment.name and scm.get_ref(str(experiment)) == commit:
                return tags | {EXPERIMENT: experiment.name, BASELINE: experiment.baseline_sha}
        return tags

    def read(self, path: Path) -> bytes:
        """The bytes of a file.

        Args:
            path: of the file in the repository.

        Raises:
            DataError: if it is kept nowhere or cannot be read.
        """
        mend = "get it: dvc pull, or dvc repro in that revision"
        try:
            return bytes(self.tree.read_bytes(path.as_posix()))
        except FileNotFoundError as error:
            raise DataError(f"{self.name}: {path} is not there; {mend}") from error
        except Exception as error:  # remotes are down, and folders missing, in one of many ways
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{self.name}: {path} cannot be read ({reason}); {mend}") from error

    def bring(self, path: Path, root: Path) -> None:
        """Writes a file to its place under another root.

        Raises:
            DataError: if it cannot be read, or has no place there.
        """
        if not (root / path).resolve().is_relative_to(root.resolve()):
            raise DataError(f"{self.name}: {path} is outside of the repository, which keeps no state of it")
        files.write_bytes(root / path, self.read(path))


@contextmanager
def restored(revision: Revision, task: str | None = None) -> Iterator[tuple[list[Layout], Params]]:
    """Puts what a run is made from into a temporary folder.

    Args:
        revision: the one.
        task: the only one wanted; None is all that the revision has.

    Yields:
        The layouts of the tasks, and the parameters of that time.

    Raises:
        DataError: if a file is kept nowhere, or ``dvc.lock`` names others.
        ParamsError: if there is no such task, or this version knows other parameters.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        revision.bring(PARAMS, root)
        try:
            given = config.load(root / PARAMS)
        except ParamsError as error:
            said = str(error).replace(f"{root}/", "")
            mend = "if these are parameters of another version, check it out and track it there"
            raise ParamsError(f"{revision.name}: {said}; {mend}") from error
        layouts = [Layout(name, root) for name in ([task] if task else given.tasks)]
        try:
            tables = [Path(given.task(layout.task).raw) for layout in layouts]
        except ParamsError as error:
            raise ParamsError(f"{revision.name}: {error}") from error
        code = [Path(name) for folder in CODE for name in revision.tree.find(folder)]
        artifacts = [path.relative_to(root) for layout in layouts for path in Outcome.paths(layout)]
        for path in dict.fromkeys([*code, *tables, *artifacts, lock.LOCK]):
            revision.bring(path, root)
        for layout in layouts:
            try:
                lock.check(layout, given, "dvc repro in that revision")
            except DataError as error:
                raise DataError(f"{revision.name}: {error}") from error
        yield layouts, given
