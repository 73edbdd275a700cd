"""The README says what is so: its commands exist, its table is that of the metrics."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from esetrag.cli import main
from esetrag.core import files
from tests.project import REPO

README = (REPO / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.removeprefix("$ ").split("   #")[0] for block in BLOCKS for line in block.splitlines()]


def test_the_table_of_results_is_that_of_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    main(["results", "--check"])
    test = files.read_json(REPO / "metrics/hun-noun-case/test.json")
    assert f"{100 * test['reader']['accuracy']:.2f}" in README


def test_a_table_that_is_out_of_date_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics").symlink_to(REPO / "metrics")
    (tmp_path / "README.md").write_text(README.replace("longest known suffix", "longest suffix"), "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_info:
        main(["results", "--check"])
    assert exit_info.value.code == 2
    assert "esetrag results" in capsys.readouterr().err
    main(["results"])
    main(["results", "--check"])


def test_its_figures_over_samples_are_those_of_the_bench() -> None:
    results = (REPO / "bench/results.md").read_text("utf-8")
    (table,) = re.findall(r"^\| test accuracy, %, trained on .*\n\|.*\n((?:\|.*\n)+)", README, re.MULTILINE)
    figures = re.findall(r"\d\d\.\d\d \(\d\d\.\d\d–\d\d\.\d\d\)", table)
    assert len(figures) == 10
    assert [figure for figure in figures if f"| {figure} |" not in results] == []


def test_the_lock_file_is_of_these_files() -> None:
    lock = yaml.safe_load((REPO / "dvc.lock").read_text("utf-8"))
    inputs = [dep for stage in lock["stages"].values() for dep in stage["deps"]]
    code = [dep for dep in inputs if dep["path"].startswith(("src/", "stages", "data/raw/"))]
    assert len(code) > 50
    stale = [dep["path"] for dep in code if md5(REPO / dep["path"]) != dep["md5"]]
    assert stale == [], "commit dvc.lock after dvc repro"


def md5(path: Path) -> str:
    """As DVC computes it: of a folder, that of the list of its files."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    entries = [{"md5": md5(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def test_it_fits_on_a_few_screens() -> None:
    assert len(README.splitlines()) < 210


def test_every_make_target_it_names_exists() -> None:
    makefile = (REPO / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:`|^\$ )make ([a-z]+)", README, re.MULTILINE))
    assert {"repro", "test", "ui", "results", "help"} <= named <= targets


def test_the_parameters_it_sets_exist() -> None:
    params = yaml.safe_load((REPO / "params.yaml").read_text("utf-8"))
    named = re.findall(r"-S ([a-z]+)\.([a-z_]+)=", README) + re.findall(r"`([a-z]+)\.([a-z]+)[:`]", README)
    known = {(section, key) for section, keys in params.items() for key in keys}
    assert ("train", "epochs") in named
    assert {(section, key) for section, key in named if section in params} <= known


def test_the_files_it_links_to_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    assert all((REPO / link).is_file() for link in links)


def test_its_commands_of_esetrag_are_understood(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPO)
    commands = [shlex.split(command)[1:] for command in COMMANDS if command.startswith("esetrag ")]
    assert commands
    for command in commands:
        with pytest.raises(SystemExit) as exit_info:
            main([command[0], "--help"])
        assert exit_info.value.code == 0
        usage = capsys.readouterr().out
        assert all(word in usage for word in command if word.startswith("--"))


def test_the_stages_are_those_of_the_pipeline() -> None:
    stages = list(yaml.safe_load((REPO / "dvc.yaml").read_text("utf-8"))["stages"])
    assert re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE) == stages
    assert " --> ".join(stages) in README
