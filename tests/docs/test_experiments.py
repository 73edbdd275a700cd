"""The documents that show commands show ones that exist: parameters, flags, files, metrics."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from esetrag.cli import main
from tests.project import REPO

DOCS = [REPO / "docs/experiments.md", REPO / "docs/tracking.md", REPO / "docs/lab.md", REPO / "README.md"]
TEXT = DOCS[0].read_text("utf-8")
PARAMS = yaml.safe_load((REPO / "params.yaml").read_text("utf-8"))


def commands(text: str, program: str) -> list[list[str]]:
    """The commands of a program in the consoles of a document, split as a shell does."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    shown = [part for line in lines if line.startswith("$ ") for part in re.split(r" && |; ", line[2:])]
    return [shlex.split(command, comments=True) for command in shown if command.startswith(f"{program} ")]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_the_parameters_that_are_set_exist(path: Path) -> None:
    words = [word for command in commands(path.read_text("utf-8"), "dvc") for word in command]
    named = [word.split("=")[0].split(".") for flag, word in pairwise(words) if flag == "-S"]
    assert all(key in PARAMS[section] for section, key in named)
    assert named or path.name == "tracking.md"


def test_the_columns_of_the_table_are_parameters_and_metrics() -> None:
    (show,) = [command for command in commands(TEXT, "dvc") if command[1:3] == ["exp", "show"]]
    figures = set(yaml.safe_load((REPO / "metrics/hun-noun-case/train.json").read_text("utf-8")))
    columns = {"Experiment", *figures, *(f"train.{key}" for key in PARAMS["train"])}
    shown = {name for name in columns if re.match(show[show.index("--keep") + 1], name)}
    assert shown == {"Experiment", "dev_accuracy", "dev_loss", "train.learning_rate"}
    assert show[show.index("--sort-by") + 1] in figures


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_the_flags_of_dvc_exist(path: Path) -> None:
    for command in commands(path.read_text("utf-8"), "dvc"):
        two = command[1] in ("exp", "queue", "metrics", "params", "plots")
        program = ["-m", "dvc", *command[1 : 3 if two else 2]]
        done = subprocess.run([sys.executable, *program, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        flags = [word.split("=")[0] for word in command if re.fullmatch(r"--?[a-zA-Z][a-z-]*", word)]
        usage = set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", done.stdout))
        assert set(flags) <= usage, command


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_the_commands_of_esetrag_are_understood(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPO)
    found = commands(path.read_text("utf-8"), "esetrag")
    assert found
    for command in found:
        with pytest.raises(SystemExit) as exit_info:
            main([command[1], "--help"])
        assert exit_info.value.code == 0
        usage = capsys.readouterr().out
        assert all(word in usage for word in command if word.startswith("--"))


def test_the_sentences_agree_with_the_table() -> None:
    """Whoever brings the document up to date brings all of it up to date."""
    table = dict(re.findall(r"\[([a-z]+-?\d?)\] +([\d.]+)  ", TEXT))
    best = max((name for name in table if name.startswith("rate")), key=lambda name: float(table[name]))
    assert f"dvc exp apply {best}" in TEXT
    sets = [word for command in commands(TEXT, "dvc") for word in command if "learning_rate=" in word]
    rates = sets[0].split("=")[1].split(",")
    rows = re.findall(r"\[rate-(\d)\] .* ([\d.]+)$", TEXT, re.MULTILINE)
    assert {int(number): rate for number, rate in rows} == dict(enumerate(rates, 1))


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_the_files_that_are_linked_exist(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8"))
    assert all((path.parent / link).is_file() for link in links if not link.startswith("http"))


def test_the_pictures_are_small() -> None:
    pictures = sorted((REPO / "docs").glob("experiments-*.png"))
    assert [picture.name for picture in pictures] == re.findall(
        r"experiments-\w+\.png", "".join(sorted(TEXT.split()))
    )
    assert all(picture.stat().st_size < 250_000 for picture in pictures)
