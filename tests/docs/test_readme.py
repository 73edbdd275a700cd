"""The README agrees with the artifacts in the repository, and those with the code."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml

from esetrag.cli import main
from esetrag.core import files
from tests.docs.test_experiments import text_of
from tests.project import REPO

README = text_of("README.md")


def test_the_table_of_results_is_that_of_the_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    main(["results", "--check"])
    (tmp_path / "metrics").symlink_to(REPO / "metrics")
    (tmp_path / "README.md").write_text(README.replace("| upper bound", "| ceiling"), "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["results", "--check"])


def test_figures_over_samples_are_those_of_the_bench() -> None:
    measured = text_of("bench/results.md") + text_of("docs/results.md")
    figures = re.findall(r"\d\d\.\d\d \(\d\d\.\d\d–\d\d\.\d\d\)", README)  # with intervals
    assert [figure for figure in figures if figure not in measured] == []


def test_the_lock_file_is_of_these_files() -> None:
    stages = yaml.safe_load(text_of("dvc.lock"))["stages"].values()
    md5_of = {dep["path"]: dep["md5"] for stage in stages for dep in stage["deps"]}
    inputs = [path for path in md5_of if path.startswith(("src/", "stages/", "data/raw/"))]
    assert len(inputs) > 10
    stale = [path for path in inputs if md5(REPO / path) != md5_of[path]]
    assert stale == [], "commit dvc.lock after dvc repro"


def md5(path: Path) -> str:
    """As DVC computes it: of a folder, that of the list of its files."""
    if path.is_file():
        return files.md5(path)
    listed = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    entries = [{"md5": files.md5(file), "relpath": file.relative_to(path).as_posix()} for file in listed]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def test_it_fits_on_a_few_screens_and_names_the_stages() -> None:
    assert len(README.splitlines()) < 235
    stages = list(yaml.safe_load(text_of("dvc.yaml"))["stages"])
    assert re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE)[-len(stages) :] == stages
    assert " --> ".join(stages) in README
