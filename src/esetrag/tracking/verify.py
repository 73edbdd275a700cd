"""Whether artifacts and DVC's cache are, byte for byte, what ``dvc.lock`` names.

DVC knows a file it has seen by size and time, and trusts the objects of its cache: one whose bits have
changed is checked out as if it were whole. Here all is read and hashed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from esetrag.core import files
from esetrag.core.errors import CheckpointError, DataError
from esetrag.core.layout import Layout
from esetrag.tracking import lock, runs

FOLDER = ".dir"
"""How the MD5 of a folder ends, which is that of a list of its files."""
Files = dict[str, str]
"""MD5 by path within a folder."""


@dataclass
class Report:
    """What was looked at, and what is wrong with it."""

    files: int = 0
    """Of the workspace."""
    objects: int = 0
    """Of DVC's cache."""
    damaged: dict[str, str] = field(default_factory=dict)
    """What is wrong and how to mend it, by path."""

    @property
    def text(self) -> str:
        """A line for each damaged file, or one that says that all is whole."""
        lines = [f"{path}: {said}" for path, said in self.damaged.items()]
        return "\n".join(lines or [f"whole: {self.files:,} files, {self.objects:,} objects in DVC's cache"])


def verify(tasks: list[str], root: Path = Path()) -> Report:
    """Reads every artifact of some tasks, the raw tables, and the objects of the cache that belong to them.

    Args:
        tasks: keys of ``tasks``, all of them run once.
        root: of the repository.

    Raises:
        DataError: if ``dvc.lock`` is missing, or names what lies outside of the repository.
    """
    report, cache = Report(), _cache(root)
    for task in tasks:
        stages = lock.stages(root, task)
        made = {entry["path"] for stage in stages.values() for entry in stage.get("outs", [])}
        seen = set()
        for name, stage in stages.items():
            for entry in (*stage.get("outs", []), *stage.get("deps", [])):
                path = PurePosixPath(entry["path"])
                if entry["path"] in seen or any(path.is_relative_to(folder) for folder in runs.CODE):
                    continue
                seen.add(entry["path"])
                _Entry(root, cache, report, name, entry["path"] not in made).check(entry)
        _checkpoint(Layout(task, root), report)
    return report


@dataclass(frozen=True)
class _Entry:
    """An output, or a raw table that no stage makes, under inspection."""

    root: Path
    cache: Path
    report: Report
    stage: str
    is_raw: bool

    def check(self, entry: dict[str, Any]) -> None:
        path, md5 = self.root / entry["path"], entry.get("md5")
        if not (self.is_raw or _within(self.root, path)):
            raise DataError(f"{lock.LOCK}: {path} is outside of the repository, where no stage writes")
        if md5 is None or entry.get("hash") != "md5":  # of another store than the local disk
            return
        listed = self._objects(md5)
        if md5.endswith(FOLDER):
            self._folder(path, md5, listed)
        else:
            self._file(path, md5)

    def _objects(self, md5: str) -> Files | None:
        """Checks what the cache has of it; gives the list of a folder's files, if it has that."""
        if not self._object(md5) or not md5.endswith(FOLDER):
            return None
        place = self._place(md5)
        listed = _listed(place)
        if listed is None:
            self._say(place, f"no list of files, or of files elsewhere; {self._anew(place)}")
            return None
        for one in listed.values():
            self._object(one)
        return listed

    def _object(self, md5: str) -> bool:
        """Whether the cache has the object, and whole."""
        place = self._place(md5)
        if not place.is_file():
            return False
        self.report.objects += 1
        if files.md5(place) != md5.removesuffix(FOLDER):
            self._say(place, f"an object of DVC's cache that was changed; {self._anew(place)}")
            return False
        return True

    def _file(self, path: Path, md5: str) -> None:
        if not path.is_file():
            self._say(path, f"no such file; {self._back(path, md5)}")
            return
        self.report.files += 1
        if files.md5(path) != md5:
            self._say(path, f"not the file that {lock.LOCK} names; {self._back(path, md5)}")

    def _folder(self, path: Path, md5: str, listed: Files | None) -> None:
        found = {
            file.relative_to(path).as_posix(): files.md5(file)
            for file in sorted(path.rglob("*"))
            if file.is_file()
        }
        if _digest(found) == md5.removesuffix(FOLDER):
            self.report.files += len(found)
        elif listed is None:
            self._say(path, f"not the files that {lock.LOCK} names; {self._back(path, md5)}")
        else:
            for name in sorted({*found, *listed}):
                if name in listed:
                    self._file(path / name, listed[name])
                else:
                    self._say(path / name, "no file of this folder; remove it")

    def _place(self, md5: str) -> Path:
        return self.cache / md5[:2] / md5[2:]

    def _say(self, path: Path, said: str) -> None:
        self.report.damaged.setdefault(self._shown(path), said)

    def _shown(self, path: Path) -> str:
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def _anew(self, place: Path) -> str:
        """How to get an object of the cache anew: DVC keeps the one that is there."""
        made = "put the table back" if self.is_raw else f"dvc repro -f -s {self.stage}"
        return f"rm -f {self._shown(place)}; then dvc fetch if there is a remote, else {made}"

    def _back(self, path: Path, md5: str) -> str:
        """How to get a file of the workspace back."""
        if self.is_raw:
            return "if that was not you, put the table back (git checkout or dvc checkout), else: dvc repro"
        place = self._place(md5)
        if place.is_file() and files.md5(place) == md5.removesuffix(FOLDER):
            # DVC knows a file by size and time, and would leave the damaged one where it is.
            return f"rm -f {self._shown(path)}; dvc repro -s {self.stage}"
        return f"make it anew: dvc repro -f -s {self.stage}"


def _checkpoint(layout: Layout, report: Report) -> None:
    """Checks a checkpoint against its manifest, unless it is known to be damaged."""
    folder = layout.checkpoint.relative_to(layout.root).as_posix()
    if any(PurePosixPath(path).is_relative_to(folder) for path in report.damaged):
        return
    from esetrag.models import checkpoint  # imports torch

    try:
        checkpoint.load(layout.checkpoint)
    except CheckpointError as error:
        report.damaged[folder] = str(error)


def _cache(root: Path) -> Path:
    """Where DVC keeps its objects."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            place, top = Path(repo.cache.local.path), root.resolve()
    except DvcException as error:
        raise DataError(f"no cache of DVC's to be read ({' '.join(str(error).split())})") from error
    return root / place.relative_to(top) if place.is_relative_to(top) else place


def _listed(place: Path) -> Files | None:
    """The files that an object of a folder lists; None if they could not lie in one."""
    try:
        listed = {entry["relpath"]: entry["md5"] for entry in files.read_json(place)}
        sound = all(lock.MD5.fullmatch(md5) and _within(place, place / name) for name, md5 in listed.items())
    except (DataError, KeyError, TypeError, ValueError):
        return None
    return listed if sound else None


def _digest(found: Files) -> str:
    """The MD5 of a folder, as DVC reckons it."""
    listed = [{"md5": md5, "relpath": name} for name, md5 in sorted(found.items())]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _within(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
