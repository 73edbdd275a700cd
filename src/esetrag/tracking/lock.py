"""Whether the artifacts at hand are those of the parameters and tables at hand: ``dvc.lock`` knows."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from esetrag.core import files, yaml_reader
from esetrag.core.errors import DataError
from esetrag.core.layout import PARAMS, Layout
from esetrag.tracking.runs import flat

LOCK = Path("dvc.lock")
CODE = ("src/", "stages/")
"""How the dependencies begin that are code, which no run is known by."""
FOLDER = ".dir"
"""How the MD5 of a folder ends, which is that of a list of its files."""
MD5 = re.compile(rf"[0-9a-f]{{32}}({re.escape(FOLDER)})?")
"""Of a file or of a folder."""


def check(layout: Layout, mend: str = "dvc repro", is_whole: bool = True) -> None:
    """Refuses artifacts that were made of other inputs than are there now.

    A stage cannot ask this of itself: DVC writes the lock file after it.

    Args:
        layout: of the task.
        mend: what makes the artifacts anew.
        is_whole: whether folders are there with all of their files; if not, they are not compared.

    Raises:
        DataError: naming what differs, or the lock file that is not there.
    """
    content, differing = yaml_reader.read(layout.root / PARAMS), []
    for stage in stages(layout.root, layout.task, mend).values():
        sections = stage.get("params", {}).get(str(PARAMS), {})
        then, now = flat(sections), flat({name: _at(content, name) for name in sections})
        differing += [
            f"{PARAMS}: {key} is {_shown(now, key)}, but the artifacts were made with {_shown(then, key)}"
            for key in sorted({*then, *now})
            if then.get(key) != now.get(key)
        ]
        for name, md5 in entries(stage):
            path = layout.root / name
            if md5 and path.is_file() and files.md5(path) != md5:
                differing.append(f"{name}: not the file that {LOCK} names")
            elif md5 and path.is_dir() and is_whole and digest(path) != md5:
                differing.append(f"{name}: not the files that {LOCK} names")
    if differing:
        first, *others = dict.fromkeys(differing)
        more = f" (and {len(others)} more)" if others else ""
        raise DataError(f"{first}{more}; make the artifacts anew: {mend}")


def stages(root: Path, task: str, mend: str = "dvc repro") -> dict[str, dict[str, Any]]:
    """What the lock file says of the stages of a task, by their names: ``params``, ``deps``, ``outs``.

    Raises:
        DataError: if there is no lock file, it is not one, or it has no stage of the task.
    """
    path = root / LOCK
    if not path.is_file():
        raise DataError(f"{LOCK}: no such file, so nothing tells what the artifacts are of; run: {mend}")
    known = {name: stage for name, stage in read(path, mend).items() if name.partition("@")[2] == task}
    if not known:
        raise DataError(f"{LOCK}: has no stage of {task}; run: {mend}")
    return known


def read(path: Path, mend: str = "dvc repro") -> dict[str, dict[str, Any]]:
    """All stages of a lock file. DVC itself goes no further with one that it was killed in.

    Raises:
        DataError: if it is not what DVC writes, as after a kill or a merge.
    """
    try:
        if not (data := path.read_bytes()):
            raise ValueError("it is empty")
        stages: dict[str, dict[str, Any]] = yaml_reader.parse(data, LOCK.name)["stages"]
        for stage in stages.values():
            for name, md5 in entries(stage):
                if not MD5.fullmatch(md5 or 32 * "0"):
                    raise ValueError(name)
    except Exception as error:  # the YAML is torn, or stands for something else: in one of many ways
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(
            f"{LOCK}: not what DVC writes ({reason}); git checkout HEAD {LOCK}, or remove it and: {mend}"
        ) from error
    return stages


def entries(stage: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Path and MD5 of the outputs of a stage, then of its dependencies that are no code.

    What lies elsewhere than on the local disk has no MD5.
    """
    listed = [*stage.get("outs", []), *stage.get("deps", [])]
    kept = [entry for entry in listed if not entry["path"].startswith(CODE)]
    return [(entry["path"], entry["md5"] if entry.get("hash") == "md5" else None) for entry in kept]


def digest(folder: Path) -> str:
    """The MD5 of a folder, as DVC computes it of those of its files."""
    listed = {path.relative_to(folder).as_posix(): files.md5(path) for path in files_of(folder)}
    entries = [{"md5": md5, "relpath": name} for name, md5 in sorted(listed.items())]
    hashed = hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False)
    return hashed.hexdigest() + FOLDER


def files_of(folder: Path) -> list[Path]:
    """All files in a folder and below it."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _at(content: Any, name: str) -> Any:
    """The value at a path of keys joined by dots, None if there is none."""
    for key in name.split("."):
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _shown(values: dict[str, Any], key: str) -> str:
    return json.dumps(values[key], ensure_ascii=False) if key in values else "nothing"
