"""What the documents show exists: parameters, commands, flags, targets, files, metrics, limits."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from esetrag.cli import main
from esetrag.core import config, files
from esetrag.predict import server
from esetrag.tracking import runs
from tests.project import REPO, merged

DOCS = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))]
PARAMS: dict[str, Any] = yaml.safe_load((REPO / "params.yaml").read_text("utf-8"))
every_document = pytest.mark.parametrize("path", DOCS, ids=lambda path: path.relative_to(REPO).as_posix())


def text_of(name: str) -> str:
    """A document."""
    return (REPO / name).read_text("utf-8")


def commands(text: str, program: str) -> list[list[str]]:
    """The commands of a program in the consoles of a document, split as a shell does."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    listed = [part for line in lines if line.startswith("$ ") for part in re.split(r" && |; ", line[2:])]
    return [shlex.split(command, comments=True) for command in listed if command.startswith(f"{program} ")]


def tasks_in(text: str) -> dict[str, Any]:
    """The tasks of a document's blocks of YAML."""
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return {name: task for block in blocks for name, task in yaml.safe_load(block)["tasks"].items()}


@every_document
def test_parameters_exist_and_may_have_these_values(path: Path) -> None:
    text = path.read_text("utf-8")
    params = merged(PARAMS, {"tasks": tasks_in(text)})
    config.Params.model_validate(params)
    for name, values in re.findall(r"-S '?([\w.-]+)=([^\s'`]+)", text):
        for value in values.split(","):
            change: Any = yaml.safe_load(value)
            for key in reversed(name.split(".")):
                change = {key: change}
            config.Params.model_validate(merged(params, change))


def test_the_columns_of_the_table_are_parameters_and_metrics() -> None:
    text = text_of("docs/experiments.md")
    (show,) = [command for command in commands(text, "dvc") if command[1:3] == ["exp", "show"]]
    task = "hun-noun-case"
    summary = f"metrics/{task}/summary.json"
    figures = {f"{summary}:{name}" for name in files.read_json(REPO / summary)}
    columns = {
        "Experiment",
        *figures,
        *runs.flat({"tasks": {task: PARAMS["tasks"][task]}, "train": PARAMS["train"]}),
    }
    kept = {name for name in columns if re.match(show[show.index("--keep") + 1], name)}
    chosen = (f"{summary}:dev_accuracy", "tasks.hun-noun-case.model", "train.learning_rate")
    assert kept == {"Experiment", *chosen}
    assert show[show.index("--sort-by") + 1] in figures


@cache
def dvc_flags(*command: str) -> set[str]:
    program = [sys.executable, "-m", "dvc", *command, "--help"]
    usage = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", usage))


@every_document
def test_the_flags_of_dvc_exist(path: Path) -> None:
    for command in commands(path.read_text("utf-8"), "dvc"):
        known = dvc_flags(*command[1 : 3 if command[1] in ("exp", "queue", "remote") else 2])
        flags = {word.split("=")[0] for word in command if re.fullmatch(r"--?[a-zA-Z][a-z-]*", word)}
        assert flags <= known, command


@every_document
def test_the_commands_of_esetrag_are_understood(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(path.read_text("utf-8"), "esetrag"):
        with pytest.raises(SystemExit) as exit_info:
            main([command[1], "--help"])
        assert exit_info.value.code == 0
        usage = capsys.readouterr().out
        assert all(word in usage for word in command if word.startswith("--"))


@every_document
def test_targets_of_make_and_linked_files_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE)
    assert set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", text, re.MULTILINE)) <= set(targets)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert [link for link in links if not (path.parent / link).is_file()] == []


def test_the_metrics_of_a_run_and_the_limits_of_the_server_are_those_of_the_code() -> None:
    text, folder = text_of("docs/tracking.md"), REPO / "metrics/hun-noun-case"
    figures = runs.figures(*(files.read_json(folder / f"{name}.json") for name in ("test", "train")))
    assert figures
    assert [name for name in figures if f"`{name}`" not in text] == []
    limits = (f"{server.SYMBOLS} symbols", f"{server.WORDS:,} words", f"{server.LABELS:,} labels")
    assert all(limit in text for limit in (*limits, f"{server.BYTES >> 20} MiB"))
