"""Whether the artifacts at hand are those of the parameters, code and table at hand: ``dvc.lock`` knows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from esetrag import params
from esetrag.errors import DataError
from esetrag.layout import Layout
from esetrag.runs import flat

LOCK = Path("dvc.lock")


def check(layout: Layout, given: params.Params, mend: str = "dvc repro") -> None:
    """Refuses a state that no run can show: artifacts made with other inputs than are there now.

    A stage cannot ask this of itself: DVC writes the lock file after it.

    Args:
        layout: of the task.
        given: all parameters.
        mend: what makes the artifacts anew.

    Raises:
        DataError: naming what differs, or the lock file that is not there.
    """
    from dvc.utils.serialize import loads_yaml

    path = layout.root / LOCK
    if not path.is_file():
        raise DataError(f"{LOCK}: no such file, so nothing tells what the artifacts are of; run: {mend}")
    known: dict[str, Any] = loads_yaml(path.read_text("utf-8")).get("stages") or {}
    stages = [stage for name, stage in known.items() if name.partition("@")[2] == layout.task]
    if not stages:
        raise DataError(f"{LOCK}: has no stage of {layout.task}; run: {mend}")
    differing = [text for stage in stages for text in _differing(layout, given, stage)]
    if differing:
        first, *others = dict.fromkeys(differing)
        more = f" (and {len(others)} more)" if others else ""
        raise DataError(f"{first}{more}; make the artifacts anew: {mend}")


def _differing(layout: Layout, given: params.Params, stage: dict[str, Any]) -> list[str]:
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
        if (
            path.is_file()
            and hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != entry["md5"]
        ):
            said.append(f"{entry['path']}: not the file that {LOCK} names")
    return said


def _shown(values: dict[str, Any], key: str) -> str:
    return json.dumps(values[key], ensure_ascii=False) if key in values else "nothing"
