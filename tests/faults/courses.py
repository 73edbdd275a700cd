"""Runs the stages of many small projects, each stage in a fork, until one of them fails.

``python -m tests.faults.courses``; standard input names the projects' folders, as JSON. The
libraries are imported once, so that all of these take little more than one. Prints for each how
its last stage ended and all that was said.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.faults.conftest import STAGES
from tests.faults.scarce import forked, warm


def course(folder: Path) -> dict[str, Any]:
    """Runs a project's stages."""
    os.chdir(folder)
    said = Path("said")
    for stage in STAGES:
        with said.open("ab") as file:
            code = forked([f"stages/{stage}.py", "toy"], {}, file.fileno())
        if code != 0:
            break
    lines = [line for line in said.read_text("utf-8").splitlines() if not line.startswith("epoch ")]
    return {"stage": stage, "code": code, "said": lines}


def main() -> None:
    folders = json.load(sys.stdin)
    os.chdir(folders[0])
    warm()
    sys.path[0] = str(Path("src").resolve())
    print(json.dumps([course(Path(folder)) for folder in folders]))


if __name__ == "__main__":
    main()
