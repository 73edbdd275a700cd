"""Whether the artifacts at hand are those of the parameters, code and table at hand: ``dvc.lock`` knows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from esetrag.core import config, files
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.tracking.runs import flat

LOCK = Path("dvc.lock")
MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
"""Of a file, or of the list of a folder's files."""


def check(layout: Layout, given: config.Params, mend: str = "dvc repro") -> None:
    """Refuses a state that no run can show: artifacts made with other inputs than are there now.

    A stage cannot ask this of itself: DVC writes the lock file after it.

    Args:
        layout: of the task.
        given: all parameters.
        mend: what makes the artifacts anew.

    Raises:
        DataError: naming what differs, or the lock file that is not there.
    """
    known = stages(layout.root, layout.task, mend).values()
    differing = [text for stage in known for text in _differing(layout, given, stage)]
    if differing:
        first, *others = dict.fromkeys(differing)
        more = f" (and {len(others)} more)" if others else ""
        raise DataError(f"{first}{more}; make the artifacts anew: {mend}")


def stages(root: Path, task: str, mend: str = "dvc repro") -> dict[str, dict[str, Any]]:
    """What the lock file says of the stages of a task, by their names: ``params``, ``deps``, ``outs``.

    Args:
        root: of the repository.
        task: a key of ``tasks``.
        mend: what makes the artifacts anew.

    Raises:
        DataError: if there is no lock file, it is not one, or it has no stage of the task.
    """
    from dvc.utils.serialize import loads_yaml

    path = root / LOCK
    if not path.is_file():
        raise DataError(f"{LOCK}: no such file, so nothing tells what the artifacts are of; run: {mend}")
    try:
        known = loads_yaml(path.read_text("utf-8"))["stages"]
        found = {name: stage for name, stage in known.items() if name.partition("@")[2] == task}
        for stage in found.values():
            for entry in (*stage.get("deps", []), *stage.get("outs", [])):
                if not isinstance(entry["path"], str) or not MD5.fullmatch(entry.get("md5", 32 * "0")):
                    raise ValueError(entry)
    except Exception as error:  # the YAML is torn, or stands for something else: in one of many ways
        raise DataError(f"{LOCK}: not what DVC writes ({' '.join(repr(error).split())[:100]})") from error
    if not found:
        raise DataError(f"{LOCK}: has no stage of {task}; run: {mend}")
    return found


def _differing(layout: Layout, given: config.Params, stage: dict[str, Any]) -> list[str]:
    """What is not as it was when the stage ran, each with what it was."""
    sections = stage.get("params", {}).get("params.yaml", {})
    every = {f"tasks.{layout.task}": given.task(layout.task).model_dump(), **given.model_dump()}
    then, now = flat(sections), flat({name: every[name] for name in sections if name in every})
    said = [
        f"params.yaml: {key} is {_shown(now, key)}, but the artifacts were made with {_shown(then, key)}"
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    ]
    for entry in (*stage.get("deps", []), *stage.get("outs", [])):
        path = layout.root / entry["path"]
        if path.is_file() and files.md5(path) != entry["md5"]:
            said.append(f"{entry['path']}: not the file that {LOCK} names")
    return said


def _shown(values: dict[str, Any], key: str) -> str:
    return json.dumps(values[key], ensure_ascii=False) if key in values else "nothing"
