"""Whether artifacts and DVC's cache are, byte for byte, what ``dvc.lock`` names.

DVC knows a file it has seen by size and time, and trusts the objects of its cache: one whose bits have
changed is checked out as if it were whole. Here all is read and hashed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from esetrag.core import files
from esetrag.core.errors import CheckpointError, DataError
from esetrag.core.layout import Layout
from esetrag.tracking import lock


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

    def add(self, path: Path, problem: str, mend: str) -> None:
        """Notes what is wrong with a file or folder, which must go before it can be made anew."""
        name = (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()
        self.damaged.setdefault(name, f"{problem}; {mend.format(name)}")


def verify(tasks: list[str], root: Path = Path()) -> Report:
    """Reads every artifact of some tasks, the raw tables, and the objects of the cache that belong to them.

    Args:
        tasks: keys of ``tasks``, all of them run once.
        root: of the repository.

    Raises:
        DataError: if ``dvc.lock`` is missing, or names what lies outside of the repository.
    """
    from esetrag.models import checkpoint  # PyTorch

    report, seen = Report(root, _cache(root)), set[str]()
    for task in tasks:
        stages = lock.stages(root, task)
        made = {entry["path"]: stage for stage in stages for entry in stages[stage].get("outs", [])}
        for name, md5 in (entry for stage in stages.values() for entry in lock.entries(stage)):
            path = root / name
            if name in made and not path.resolve().is_relative_to(root.resolve()):
                raise DataError(f"{lock.LOCK}: {path} is outside of the repository, where no stage writes")
            if md5 and name not in seen:
                whole = _check_objects(report, md5, made.get(name))
                _check(report, path, md5, made.get(name), whole)
            seen.add(name)
        folder = Layout(task, root).checkpoint
        if f"data/{task}/model" not in report.damaged:
            try:
                checkpoint.load(folder)
            except CheckpointError as error:
                report.damaged[f"data/{task}/model"] = str(error)
    return report


def _check(report: Report, path: Path, md5: str, stage: str | None, cached: bool) -> None:
    """Checks an output of a stage, or a raw table, which no stage makes."""
    if stage is None:
        mend = "if that was not you, put the table back (git checkout or dvc checkout), else: dvc repro"
    else:  # DVC knows a file by size and time, and would leave the damaged one where it is
        mend = f"rm -rf {{}}; dvc repro {'' if cached else '-f '}-s {stage}"
    is_folder = md5.endswith(lock.FOLDER)
    if not (path.is_dir() if is_folder else path.is_file()):
        report.add(path, f"no such {'folder' if is_folder else 'file'}", mend)
        return
    report.files += len(lock.files_of(path)) if is_folder else 1
    if (lock.digest(path) if is_folder else files.md5(path)) != md5:
        report.add(path, f"not what {lock.LOCK} names", mend)


def _check_objects(report: Report, md5: str, stage: str | None) -> bool:
    """Whether the cache has an object, and whole; of a folder also those of its files."""
    place = report.cache / md5[:2] / md5[2:]
    if not place.is_file():
        return False
    report.objects += 1
    # DVC keeps an object that is there.
    made = f"dvc repro -f -s {stage}" if stage else "put the table back"
    mend = f"rm -f {{}}; then dvc fetch if there is a remote, else {made}"
    if files.md5(place) != md5.removesuffix(lock.FOLDER):
        report.add(place, "an object of DVC's cache that was changed", mend)
        return False
    if not md5.endswith(lock.FOLDER):
        return True
    try:
        listed = [str(entry["md5"]) for entry in files.read_json(place, list)]
        if not all(map(lock.MD5.fullmatch, listed)):
            raise DataError("leads elsewhere")
    except (DataError, KeyError, TypeError):
        report.add(place, "no list of files", mend)
        return False
    checked = [_check_objects(report, known, stage) for known in listed]  # all of them, and not the first
    return all(checked)


def _cache(root: Path) -> Path:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            place, top = Path(repo.cache.local.path), root.resolve()
    except DvcException as error:
        raise DataError(f"no cache of DVC's to be read ({' '.join(str(error).split())})") from error
    return root / place.relative_to(top) if place.is_relative_to(top) else place
