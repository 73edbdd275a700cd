"""Whether artifacts and DVC's cache are, byte for byte, what ``dvc.lock`` names.

DVC knows a file it has seen by size and time, and trusts the objects of its cache: one whose bits have
changed is checked out as if it were whole. Here all is read and hashed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from esetrag.core import files
from esetrag.core.errors import CheckpointError, DataError
from esetrag.core.layout import Layout
from esetrag.tracking import lock

FOLDER = ".dir"
"""How the MD5 of a folder ends, which is that of a list of its files."""


@dataclass
class Report:
    """What was looked at, and what is wrong with it."""

    root: Path
    cache: Path
    """Where DVC keeps its objects."""
    files: int = 0
    """Of the workspace."""
    objects: int = 0
    """Of DVC's cache."""
    damaged: dict[str, str] = field(default_factory=dict)
    """What is wrong and how to mend it, by path."""

    @property
    def text(self) -> str:
        """A line for each damaged file, or one that says that all is whole."""
        lines = [f"{path}: {problem}" for path, problem in self.damaged.items()]
        return "\n".join(lines or [f"whole: {self.files:,} files, {self.objects:,} objects in DVC's cache"])

    def place(self, md5: str) -> Path:
        """Where the cache keeps an object."""
        return self.cache / md5[:2] / md5[2:]

    def add(self, path: Path, problem: str) -> None:
        """Takes down what is wrong with a file."""
        self.damaged.setdefault(self.name(path), problem)

    def name(self, path: Path) -> str:
        """A file's path as it is shown."""
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()


def verify(tasks: list[str], root: Path = Path()) -> Report:
    """Reads every artifact of some tasks, the raw tables, and the objects of the cache that belong to them.

    Args:
        tasks: keys of ``tasks``, all of them run once.
        root: of the repository.

    Raises:
        DataError: if ``dvc.lock`` is missing, or names what lies outside of the repository.
    """
    report = Report(root, _cache(root))
    for task in tasks:
        stages = lock.stages(root, task)
        made = {entry["path"] for stage in stages.values() for entry in stage.get("outs", [])}
        seen = set[str]()
        for stage, content in stages.items():
            for name, md5 in lock.entries(content):
                if name in made and not _within(root, root / name):
                    raise DataError(
                        f"{lock.LOCK}: {root / name} is outside of the repository, where no stage writes"
                    )
                if name not in seen and md5 is not None:
                    _check(report, root / name, md5, stage if name in made else None)
                seen.add(name)
        _check_checkpoint(report, Layout(task, root))
    return report


def _check(report: Report, path: Path, md5: str, stage: str | None) -> None:
    """Checks an output of a stage, or a raw table, which none makes."""
    listed = {path: md5}
    if _check_object(report, md5, stage) and md5.endswith(FOLDER):
        listed = _listed(report, path, md5, stage)
    elif md5.endswith(FOLDER):  # nothing tells which file of it is wrong
        own = {file.relative_to(path).as_posix(): files.md5(file) for file in _files(path)}
        report.files += len(own)
        if _digest(own) != md5.removesuffix(FOLDER):
            report.add(path, f"not the files that {lock.LOCK} names; {_mend(report, path, md5, stage)}")
        return
    for file, expected in listed.items():
        if not file.is_file():
            report.add(file, f"no such file; {_mend(report, file, expected, stage)}")
            continue
        report.files += 1
        if files.md5(file) != expected:
            report.add(file, f"not the file that {lock.LOCK} names; {_mend(report, file, expected, stage)}")


def _listed(report: Report, folder: Path, md5: str, stage: str | None) -> dict[Path, str]:
    """The MD5 of the files of a folder, by the list that the cache has; those beyond it are told."""
    place = report.place(md5)
    try:
        listed = {folder / entry["relpath"]: str(entry["md5"]) for entry in files.read_json(place)}
        if not all(lock.MD5.fullmatch(known) and _within(folder, path) for path, known in listed.items()):
            raise DataError("files elsewhere")
    except (DataError, KeyError, TypeError):
        report.add(place, f"no list of files, or of files elsewhere; {_anew(report, place, stage)}")
        return {}
    for known in listed.values():
        _check_object(report, known, stage)
    for path in _files(folder):
        if path not in listed:
            report.add(path, "no file of this folder; remove it")
    return listed


def _check_object(report: Report, md5: str, stage: str | None) -> bool:
    """Whether the cache has an object, and whole."""
    place = report.place(md5)
    if not place.is_file():
        return False
    report.objects += 1
    whole = files.md5(place) == md5.removesuffix(FOLDER)
    if not whole:
        report.add(place, f"an object of DVC's cache that was changed; {_anew(report, place, stage)}")
    return whole


def _anew(report: Report, place: Path, stage: str | None) -> str:
    """How to get an object of the cache anew: DVC keeps the one that is there."""
    made = f"dvc repro -f -s {stage}" if stage else "put the table back"
    return f"rm -f {report.name(place)}; then dvc fetch if there is a remote, else {made}"


def _mend(report: Report, path: Path, md5: str, stage: str | None) -> str:
    """How to get a file of the workspace back."""
    if stage is None:
        return "if that was not you, put the table back (git checkout or dvc checkout), else: dvc repro"
    place = report.place(md5)
    if place.is_file() and files.md5(place) == md5.removesuffix(FOLDER):
        # DVC knows a file by size and time, and would leave the damaged one where it is.
        return f"rm -f {report.name(path)}; dvc repro -s {stage}"
    return f"make it anew: dvc repro -f -s {stage}"


def _check_checkpoint(report: Report, layout: Layout) -> None:
    """Checks a checkpoint against its manifest, unless it is known to be damaged."""
    folder = report.name(layout.checkpoint)
    if any(PurePosixPath(path).is_relative_to(folder) for path in report.damaged):
        return
    from esetrag.models import checkpoint  # imports torch

    try:
        checkpoint.load(layout.checkpoint)
    except CheckpointError as error:
        report.damaged[folder] = str(error)


def _cache(root: Path) -> Path:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            place, top = Path(repo.cache.local.path), root.resolve()
    except DvcException as error:
        raise DataError(f"no cache of DVC's to be read ({' '.join(str(error).split())})") from error
    return root / place.relative_to(top) if place.is_relative_to(top) else place


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(listed: dict[str, str]) -> str:
    """The MD5 of a folder, as DVC computes it of those of its files."""
    entries = [{"md5": md5, "relpath": name} for name, md5 in sorted(listed.items())]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _within(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
