"""Runs that git and DVC keep, compared by the real command."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.project import Project


@pytest.fixture(scope="module")
def compared(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished pipeline in a commit, a longer training as an experiment, the files as committed."""
    root = tmp_path_factory.mktemp("compare") / "project"
    shutil.copytree(finished.root, root, symlinks=True)
    project = Project(root)
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "--allow-empty", "-m", "run")
    project.run("dvc", "exp", "run", "-S", "train.epochs=12", "--name", "long")
    project.run("git", "checkout", "-q", "--", ".")
    project.run("dvc", "checkout", "-q")
    return project


def content(project: Project, a: str, b: str) -> Any:
    return json.loads(project.run("esetrag", "compare", a, b, "--format", "json").stdout)


def test_an_experiment_is_compared_with_the_commit_and_the_workspace(compared: Project) -> None:
    found = content(compared, "HEAD", "long")
    assert found["params"] == {"train.epochs": [3, 12]}
    test = compared.json("metrics/toy/test.json")
    assert found["rows"] == [test["rows"]] * 2
    assert found["shared"] == test["rows"]
    assert found["accuracy"][0] == pytest.approx(test["reader"]["accuracy"])
    assert found["metrics"]["test.reader.accuracy"] == pytest.approx(found["accuracy"])
    assert found["gained"]
    net = len(found["gained"]) - len(found["lost"])
    assert found["gain"]["value"] * test["rows"] == pytest.approx(net)
    assert found["gain"]["low"] <= found["gain"]["value"] <= found["gain"]["high"]

    back = content(compared, "long", "workspace")
    assert back["params"] == {"train.epochs": [12, 3]}
    assert (back["lost"], back["gained"]) == (found["gained"], found["lost"])


def test_the_workspace_is_its_commit_where_nothing_was_changed(compared: Project) -> None:
    done = compared.run("esetrag", "compare", "HEAD", "workspace", "--task", "toy")
    assert "workspace and HEAD read the same" in done.stdout.splitlines()[-1]
    assert "differ" not in done.stdout


def test_what_is_not_there_is_one_line(compared: Project) -> None:
    for names, said in (
        (("HEAD", "lnog"), "or a finished MLflow run (unknown Git revision 'lnog'; no such run in sqlite:"),
        (("", "HEAD"), "found an empty name"),
        (("HEAD", "long", "--task", "tyo"), "no task 'tyo'"),
    ):
        done = compared.run("esetrag", "compare", *names, code=2)
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_predictions_that_no_cache_holds_are_told_and_a_remote_brings_them(
    compared: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("elsewhere") / "project"
    shutil.copytree(compared.root, root, symlinks=True)
    project = Project(root)
    shutil.move(root / ".dvc/cache", root.parent / "cache")
    done = project.run("esetrag", "compare", "workspace", "long", code=2)
    assert done.stderr == (
        "esetrag: long: data/toy/predictions.parquet is not there; get it: "
        "dvc pull, or dvc repro in that revision\n"
    )
    project.run("dvc", "remote", "add", "-q", "--local", "-d", "store", str(root.parent / "cache"))
    assert content(project, "workspace", "long")["params"] == {"train.epochs": [3, 12]}
