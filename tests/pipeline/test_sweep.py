"""Runs computed elsewhere become those of the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from esetrag.tracking import store
from tests.project import TASK, Project, copy_project, with_git

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = copy_project(tmp_path / "project")
    project.write("data/raw/broken.tsv", "no table\n")
    tasks = {"toy": {**TASK, "model": "ngram"}, "broken": {**TASK, "raw": "data/raw/broken.tsv"}}
    project.change(tasks=tasks, evaluate={"compare": []}, tracking={"enabled": True})
    with_git(project)
    return project


def test_a_sweep_writes_the_lock_of_a_sequential_run_and_goes_on(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no DVC remote" in project.run("esetrag", "sweep", code=2).stderr
    project.run("dvc", "remote", "add", "--local", "--default", "store", str(tmp_path / "store"))
    done = project.run("esetrag", "sweep", "--workers", "2", code=1)
    assert sorted(line.split()[:2] for line in done.stdout.splitlines()) == [
        ["DONE", "toy"],
        ["FAILED", "broken"],
    ]
    (log,) = (project.root / ".esetrag/sweep").rglob("*.log")
    assert "data/raw/broken.tsv" in log.read_text("utf-8")

    project.run("git", "clone", "-q", str(project.root), str(tmp_path / "other"))
    other = Project(tmp_path / "other")
    other.run("dvc", "repro", "error_analysis@toy", env={"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/m.db"})
    for name in ("dvc.lock", "metrics/toy/report.html", "metrics/toy/test.json"):
        assert (project.root / name).read_bytes() == (other.root / name).read_bytes()
    assert project.outputs() == other.outputs()

    monkeypatch.chdir(project.root)
    with store.opened("esetrag/broken") as opened:
        (run,) = opened.runs("attributes.run_name != ''", 10)
    assert (run.info.run_name, run.info.status) == ("broken", "FAILED")

    again = project.run("esetrag", "sweep", "--task", "toy")
    assert "DONE  toy\n" in again.stdout  # without seconds: not computed again
    grid = project.run("esetrag", "sweep", "--task", "toy", "-S", "train.seed=1")
    assert grid.stdout.startswith("DONE  toy-train.seed=1  ")
    assert project.run("dvc", "exp", "list", "--name-only").stdout.split() == ["train.seed=1"]


def test_what_is_not_committed_is_not_computed(project: Project) -> None:
    project.change(train={"epochs": 2})
    assert "params.yaml: changed" in project.run("esetrag", "sweep", code=2).stderr
