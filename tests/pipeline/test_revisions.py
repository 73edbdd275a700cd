"""Runs of commits and experiments, logged from what git and DVC keep of them, and compared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esetrag.tracking import store
from tests.pipeline.logged import Client, Open, runs
from tests.project import Project

Copy = Callable[[Project], Project]


@pytest.fixture(scope="module")
def kept(tracked: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run in a commit, a worse experiment on it, another run in the files; tests may not change it."""
    root = tmp_path_factory.mktemp("kept") / "project"
    shutil.copytree(tracked.root, root, symlinks=True)
    project = Project(root)
    project.run("git", "tag", "first")
    worse = ("-S", "train.epochs=1", "-S", "train.analogies=0", "-S", "models.bilstm.lemmas=false")
    project.run("dvc", "exp", "run", "--name", "worse", *worse)
    project.run("git", "checkout", "-q", "first", "--", ".")
    project.change(train={"epochs": 2})
    project.run("dvc", "repro")
    return project


def by_epochs(client: Client) -> dict[str, Any]:
    return {run.data.params["train.epochs"]: run for run in runs(client)}


def without_store(project: Project) -> Project:
    (project.root / "mlflow.db").unlink()
    shutil.rmtree(project.root / "mlartifacts")
    return project


def artifacts(project: Project, run: Any) -> dict[str, bytes]:
    top = project.root / "mlartifacts" / run.info.run_id / "artifacts"
    files = [path for path in top.rglob("*") if path.is_file()]
    assert any(path.name == "predictions.parquet" for path in files)
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}


def content(project: Project, a: str, b: str) -> Any:
    return json.loads(project.run("esetrag", "compare", a, b, "--format", "json").stdout)


def test_the_run_of_a_commit_is_made_again_equal_to_the_first(
    kept: Project, copy_of: Copy, client: Open
) -> None:
    first = by_epochs(client(kept))["3"]
    assert first.info.run_id in kept.run("esetrag", "track", "--rev", "first").stdout, "found, not doubled"
    project = without_store(copy_of(kept))
    status = project.run("git", "status", "--porcelain").stdout
    shown = project.run("esetrag", "track", "--rev", "first").stdout
    assert project.run("esetrag", "track", "--rev", "HEAD").stdout == shown
    (again,) = runs(client(project))
    assert again.info.run_name == first.info.run_name
    assert again.data.params == first.data.params
    timed = {store.TRAIN_SECONDS: first.data.metrics[store.TRAIN_SECONDS]}  # no artifact knows a time
    assert again.data.metrics | timed == first.data.metrics
    assert artifacts(project, again) == artifacts(kept, first)
    assert len(again.outputs.model_outputs) == 1
    for tag in (store.KEY, store.RESULTS):
        assert again.data.tags[tag] == first.data.tags[tag]
    assert again.data.tags["git.commit"] == project.run("git", "rev-parse", "first").stdout.strip()
    assert again.data.tags["git.dirty"] == "false"
    assert project.run("git", "status", "--porcelain").stdout == status


def test_a_run_of_an_experiment_has_its_name_and_the_commit_it_was_started_on(
    kept: Project, copy_of: Copy, client: Open
) -> None:
    before = by_epochs(client(kept))["1"]
    project = without_store(copy_of(kept))
    project.run("esetrag", "track", "--rev", "worse")
    (again,) = runs(client(project))
    for run in (before, again):
        assert run.info.run_name == run.data.tags["dvc.exp.name"] == "worse"
        assert run.data.tags["dvc.exp.baseline"] == project.run("git", "rev-parse", "first").stdout.strip()
    assert len(again.data.tags) <= 12


def test_what_is_kept_nowhere_is_one_line_and_no_run_and_a_remote_brings_it(
    kept: Project, copy_of: Copy
) -> None:
    project = without_store(copy_of(kept))
    shutil.move(project.root / ".dvc/cache", project.root.parent / "cache")
    for arguments, text in (
        (("track", "--rev", "first"), "first: data/toy/"),
        (("track", "--rev", "fisrt"), "fisrt: expected one git revision or DVC experiment"),
        (("track", "--rev", "first", "--task", "tyo"), "first: no task 'tyo' in params.yaml; known: toy"),
        (("track", "--rev", ""), "found an empty name"),
        (
            ("compare", "workspace", "worse"),
            "worse: data/toy/predictions.parquet is not there; get it: dvc pull",
        ),
        (
            ("compare", "workspace", "lnog"),
            "or a finished MLflow run (unknown Git revision 'lnog'; ",
        ),
        (("compare", "workspace", "o'clock"), "o'clock: expected workspace, a git revision"),
        (("compare", "first", "worse", "--task", "tyo"), "no task 'tyo'"),
    ):
        done = project.run("esetrag", *arguments, code=2)
        assert done.stderr.startswith("esetrag: ")
        assert text in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (project.root / "mlflow.db").exists()
    project.run("dvc", "remote", "add", "-q", "--local", "-d", "store", str(project.root.parent / "cache"))
    assert content(project, "workspace", "worse")["params"]["train.epochs"] == [2, 1]


def test_parameters_of_another_version_are_told(kept: Project, copy_of: Copy) -> None:
    project = copy_of(kept)
    project.change(train={"heads": 8})
    project.run("git", "commit", "-q", "-am", "heads")
    project.run("git", "checkout", "-q", "first", "--", "params.yaml")
    done = project.run("esetrag", "track", "--rev", "HEAD", code=2)
    assert done.stderr.startswith("esetrag: HEAD: params.yaml: train.heads: unknown key")
    assert done.stderr.count("\n") == 1


def test_revisions_workspace_and_logged_runs_are_compared_alike(kept: Project, client: Open) -> None:
    by_revision = content(kept, "first", "worse")
    different = {"train.epochs": [3, 1], "train.analogies": [1000, 0], "models.bilstm.lemmas": [True, False]}
    assert by_revision["params"] == different
    assert by_revision["lost"]
    assert by_revision["rows"] == [84, 84]
    assert by_revision["shared"] == 84
    assert by_revision["metrics"]["test_accuracy"] == pytest.approx(by_revision["accuracy"], abs=1e-4)
    net = len(by_revision["gained"]) - len(by_revision["lost"])
    assert by_revision["gain"]["value"] * 84 == pytest.approx(net)
    found = by_epochs(client(kept))
    by_run = content(kept, found["3"].info.run_name, found["1"].info.run_id)
    for result in (by_revision, by_run):
        del result["a"], result["b"], result["sentence"]
    assert by_run == by_revision
    back = content(kept, "worse", "workspace")
    assert back["params"]["train.epochs"] == [1, 2]
    shown = kept.run("esetrag", "compare", "workspace", "workspace").stdout
    assert shown.startswith("workspace and workspace are correct on the same ")


@pytest.fixture
def below(finished: Project, tmp_path: Path) -> Project:
    """A project in a folder of a git repository, its run in a commit."""
    root = tmp_path / "repository/papers/toy"
    shutil.copytree(finished.root, root, symlinks=True)
    shutil.rmtree(root / ".git")
    project = Project(root)
    project.run("git", "init", "-q", "-b", "main", str(tmp_path / "repository"))
    for name, value in (("user.email", "test@example.org"), ("user.name", "Test")):
        project.run("git", "config", name, value)
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "run")
    return project


def test_revisions_of_a_project_below_the_top_of_its_repository(
    below: Project, tmp_path: Path, client: Open
) -> None:
    assert "are correct on the same" in below.run("esetrag", "compare", "HEAD", "workspace").stdout
    below.run("esetrag", "track", "--rev", "HEAD")
    assert [run.info.status for run in runs(client(below))] == ["FINISHED"]

    below.run("git", "worktree", "add", "-q", str(tmp_path / "tree"))
    tree = Project(tmp_path / "tree/papers/toy")
    tree.run("dvc", "cache", "dir", "--local", str(below.root / ".dvc/cache"))
    tree.run("esetrag", "track", "--rev", "HEAD")
    assert [run.info.status for run in runs(client(tree))] == ["FINISHED"]
