"""Copies of the project in folders of their own, where its real commands run."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import yaml

from bench.child import REPO, Ran, environment, run

PARTS = ("src", "stages", ".dvc", ".dvcignore", ".gitignore", "dvc.yaml", "params.yaml", "data/raw")
TASK, RAW = "hun-noun-case", "data/raw/hun.tsv.gz"
STAGES = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")


class Copy:
    """A copy of the project with DVC, without git."""

    def __init__(self, root: Path, rev: str | None = None, raw: Path | None = None) -> None:
        """Copies.

        Args:
            root: a folder that is not there yet.
            rev: a commit; None is the working tree.
            raw: a table in the place of the task's.
        """
        self.root = root
        root.mkdir(parents=True)
        if rev is None:
            for name in PARTS:
                _copy(REPO / name, root / name)
        else:
            command = ["git", "-C", str(REPO), "archive", rev, *PARTS]
            archive = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(root, filter="data")
        (root / ".dvc/config.local").write_text("[core]\n    no_scm = true\n    analytics = false\n", "utf-8")
        (root / ".dvc/tmp").mkdir(exist_ok=True)
        if raw is not None:
            shutil.copyfile(raw, root / RAW)

    def run(self, *command: str) -> Ran:
        """Runs a command there, with the copy's library."""
        return run(list(command), self.root, environment(self.root))

    def stage(self, name: str) -> Ran:
        """Runs a stage's script."""
        return self.run("python", f"stages/{name}.py", TASK)

    def change(self, **sections: dict[str, Any]) -> None:
        """Overwrites values of params.yaml."""
        place = self.root / "params.yaml"
        content = yaml.safe_load(place.read_text("utf-8"))
        for name, values in sections.items():
            content[name] = values if name == "tasks" else {**content[name], **values}
        place.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        passed = shutil.ignore_patterns("__pycache__", "*.egg-info", "cache", "tmp", "config.local")
        shutil.copytree(source, target, ignore=passed)
    else:
        shutil.copyfile(source, target)
