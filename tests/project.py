"""Small copies of the project, with small data, in which the real commands run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).parents[1]
CASES = {"NOM": "", "ACC": "t", "DAT": "nak", "IN+ESS": "ban", "IN+ABL": "ból", "INST": "val", "TERM": "ig"}
STEMS = [
    first + vowel + last for first in "bdfgkmps" for vowel in "aáoó" for last in ("ra", "la", "da", "sa")
]
TASK = {"kind": "classify", "raw": "data/raw/toy.tsv", "pos": "N", "feature": "Case", "model": "bilstm"}
TINY: dict[str, dict[str, Any]] = {
    "tasks": {"toy": TASK},
    "models": {"bilstm": {"embedding": 6, "hidden": 8}, "ngram": {"iterations": 5}},
    "sample": {"train": 150, "dev": 40, "test": None},
    "train": {"epochs": 3, "min_steps": 0, "batch_size": 16, "analogies": 1000},
    "evaluate": {"resamples": 100, "stress": 20},
    "tracking": {"enabled": False},
}


@dataclass
class Project:
    """A copy of the project in a folder of its own."""

    root: Path

    def run(
        self, *command: str, code: int | None = 0, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command there; ``python``, ``dvc`` and ``esetrag`` are those of the tests."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**self.environment(), **(env or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def environment(self) -> dict[str, str]:
        """That of the tests, with this project's library and nothing of a surrounding run or make."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        clean = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("MLFLOW_", "DVC_", "GIT_", "MAKE", "MFLAGS"))
        }
        return {**clean, "PYTHONPATH": str(self.root / "src"), "PATH": path}

    def stage(self, name: str, task: str = "toy", code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Runs a stage script alone."""
        return self.run("python", f"stages/{name}.py", task, code=code)

    def ran(self, done: subprocess.CompletedProcess[str]) -> list[str]:
        """The stages that a ``dvc repro`` ran."""
        return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]

    @property
    def params(self) -> dict[str, Any]:
        """The content of params.yaml."""
        content: dict[str, Any] = yaml.safe_load((self.root / "params.yaml").read_text("utf-8"))
        return content

    def change(self, **sections: dict[str, Any]) -> None:
        """Overwrites values of params.yaml, at any depth; ``tasks`` are those given and no others.

        A task without kind or model is a ``classify`` of ``bilstm``.
        """
        content = self.params
        if tasks := sections.pop("tasks", None):
            usual = {"kind": TASK["kind"], "model": TASK["model"]}
            content["tasks"] = {name: usual | values for name, values in tasks.items()}
        (self.root / "params.yaml").write_text(
            yaml.safe_dump(merged(content, sections), allow_unicode=True, sort_keys=False), "utf-8"
        )

    def use(self, model: str) -> None:
        """Gives every task that model."""
        self.change(tasks={name: {**task, "model": model} for name, task in self.params["tasks"].items()})

    def write(self, name: str, content: str | bytes) -> Path:
        """Writes a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def json(self, name: str) -> Any:
        """Reads a JSON file."""
        return json.loads((self.root / name).read_text("utf-8"))

    def outputs(self) -> set[str]:
        """All files under data/ and metrics/, but the raw ones."""
        found = (path for top in ("data", "metrics") for path in (self.root / top).rglob("*"))
        names = {path.relative_to(self.root).as_posix() for path in found if path.is_file()}
        return {name for name in names if not name.startswith("data/raw/")}


def merged(content: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A nested mapping with some of its values replaced."""
    deeper = {
        name: merged(content[name], value)
        for name, value in changes.items()
        if isinstance(value, dict) and isinstance(content.get(name), dict)
    }
    return {**content, **changes, **deeper}


def toy_table(stems: list[str] = STEMS) -> str:
    """Agglutinating made-up nouns: every stem in every case."""
    return "".join(f"{s}\t{s}{ending}\tN;{case};SG\n" for s in stems for case, ending in CASES.items())


def copy_project(root: Path) -> Project:
    """Copies what a clone holds into ``root``, with the toy task in the place of the real ones."""
    for name in ("stages", "src", ".dvc", ".dvcignore", ".gitignore", "dvc.yaml", "params.yaml", "Makefile"):
        source, target = REPO / name, root / name
        if source.is_dir():
            shutil.copytree(
                source,
                target,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "cache", "tmp", "config.local"),
            )
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    project = Project(root)
    project.change(**TINY)
    project.write("data/raw/toy.tsv", toy_table())
    return project


def with_git(project: Project) -> Project:
    """Makes it a git repository of one commit."""
    project.run("git", "init", "-q", "-b", "main")
    project.run("git", "config", "user.email", "test@example.org")
    project.run("git", "config", "user.name", "Test")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "toy")
    return project
