"""Runs of commits and experiments, logged from what git and DVC keep of them, and compared."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esetrag.tracking import store
from tests.pipeline import logged
from tests.pipeline.logged import Client, Open
from tests.project import Project

Copy = Callable[[Project], Project]


@pytest.fixture(scope="module")
def kept(tracked: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run in a commit, two experiments on it, another run in the files; tests may not change it."""
    root = tmp_path_factory.mktemp("kept") / "project"
    shutil.copytree(tracked.root, root, symlinks=True)
    project = Project(root)
    project.run("git", "tag", "first")
    for epochs in (1, 4):
        project.run("dvc", "exp", "run", "--name", f"of-{epochs}", "-S", f"train.epochs={epochs}")
    project.change(train={"epochs": 2})
    project.run("dvc", "repro")
    return project


def runs(client: Client) -> dict[str, Any]:
    """All of the store by their names, parents as well; no name stands for two."""
    found = [*logged.runs(client), *logged.parents(client)]
    named = {run.info.run_name: run for run in found}
    assert len(named) == len(found)
    return named


def without_store(project: Project) -> Project:
    (project.root / "mlflow.db").unlink()
    shutil.rmtree(project.root / "mlartifacts")
    return project


def artifacts(project: Project, run: Any) -> dict[str, bytes]:
    top = project.root / "mlartifacts" / run.info.run_id / "artifacts"
    files = [path for path in top.rglob("*") if path.is_file()]
    assert any(path.name == "predictions.parquet" for path in files)
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}


def first(found: dict[str, Any]) -> Any:
    (run,) = [run for run in found.values() if run.data.params.get("train.epochs") == "3"]
    return run


def test_the_run_of_a_commit_is_made_again_equal_to_the_first(
    kept: Project, copy_of: Copy, client: Open
) -> None:
    before = first(runs(client(kept)))
    project = without_store(copy_of(kept))
    status = project.run("git", "status", "--porcelain").stdout
    told = project.run("esetrag", "track", "--rev", "first").stdout
    assert project.run("esetrag", "track", "--rev", "HEAD").stdout == told
    (after,) = runs(client(project)).values()
    assert after.info.run_id in told
    assert after.info.run_name == before.info.run_name
    assert after.data.params == before.data.params
    assert after.data.metrics == before.data.metrics
    assert artifacts(project, after) == artifacts(kept, before)
    assert len(after.outputs.model_outputs) == 1
    for tag in (store.KEY, "esetrag.outputs", "version.torch", "version.numpy"):
        assert after.data.tags[tag] == before.data.tags[tag]
    assert after.data.tags["git.commit"] == project.run("git", "rev-parse", "first").stdout.strip()
    assert after.data.tags["git.dirty"] == "false"
    assert project.run("git", "status", "--porcelain").stdout == status


def test_a_run_that_the_store_has_is_found_by_its_commit(kept: Project, copy_of: Copy, client: Open) -> None:
    project = copy_of(kept)
    before = runs(client(project))
    assert first(before).info.run_id in project.run("esetrag", "track", "--rev", "first").stdout
    assert runs(client(project)).keys() == before.keys()


def test_experiments_logged_at_once_are_children_of_one_parent(
    kept: Project, copy_of: Copy, client: Open
) -> None:
    before = runs(client(kept))
    project = without_store(copy_of(kept))
    program = str(Path(sys.executable).parent / "esetrag")
    users = [
        subprocess.Popen([program, "track", "--rev", name], cwd=project.root, env=project.environment())
        for name in ("of-1", "of-4")
    ]
    assert [user.wait() for user in users] == [0, 0]
    baseline = project.run("git", "rev-parse", "first").stdout.strip()
    parent = f"toy sweep on {baseline[:7]}"
    after = runs(client(project))
    assert after.keys() == {"of-1", "of-4", parent}
    assert after.keys() < before.keys()
    for found in (before, after):
        above = found[parent]
        assert above.info.status == "FINISHED"
        assert (above.data.params, above.data.metrics) == ({}, {})
        assert above.data.tags["esetrag.sweep"] == f"toy {baseline}"
        for name in ("of-1", "of-4"):
            run = found[name]
            assert run.data.tags["mlflow.parentRunId"] == above.info.run_id
            assert run.data.tags["dvc.exp.name"] == name
            assert run.data.tags["dvc.exp.baseline"] == baseline
            assert run.data.tags[store.KEY] == before[name].data.tags[store.KEY]
    others = [run for name, run in before.items() if name not in after]
    assert len(others) == 2  # of the commit and of the files: dvc repro has no parent
    assert not any("mlflow.parentRunId" in run.data.tags for run in others)


def test_what_is_kept_nowhere_is_one_line_and_no_run(kept: Project, copy_of: Copy) -> None:
    project = without_store(copy_of(kept))
    shutil.rmtree(project.root / ".dvc/cache")
    for arguments, said in (
        (("--rev", "first"), "first: data/toy/model/manifest.json"),
        (("--rev", "fisrt"), "fisrt: expected one git revision or DVC experiment"),
        (("--rev", "first", "--task", "tyo"), "first: no task 'tyo' in params.yaml; known: toy"),
        (("--rev", ""), "found an empty name"),
    ):
        done = project.run("esetrag", "track", *arguments, code=2)
        assert done.stderr.startswith("esetrag: ")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
        assert ("dvc pull" in done.stderr) == (arguments == ("--rev", "first"))
    assert not (project.root / "mlflow.db").exists()


def test_parameters_of_another_version_are_told(kept: Project, copy_of: Copy) -> None:
    project = copy_of(kept)
    project.change(model={"heads": 8})
    project.run("git", "commit", "-q", "-am", "heads")
    project.run("git", "checkout", "-q", "first", "--", "params.yaml")
    done = project.run("esetrag", "track", "--rev", "HEAD", code=2)
    assert done.stderr.startswith("esetrag: HEAD: params.yaml: model.heads: unknown key")
    assert done.stderr.count("\n") == 1


def compared(project: Project, a: str, b: str) -> Any:
    content = json.loads(project.run("esetrag", "compare", a, b, "--format", "json").stdout)
    del content["a"], content["b"], content["sentence"]
    return content


def test_logged_runs_are_compared_as_their_revisions_are(kept: Project, client: Open) -> None:
    found = runs(client(kept))
    by_revision = compared(kept, "first", "of-4")
    assert by_revision["params"] == {"train.epochs": [3, 4]}
    assert by_revision["metrics"]
    assert compared(kept, first(found).info.run_name, found["of-4"].info.run_id) == by_revision
    assert compared(kept, first(found).info.run_id, "workspace")["params"] == {"train.epochs": [3, 2]}


def test_a_name_of_nothing_is_one_line_and_no_store(kept: Project, copy_of: Copy, client: Open) -> None:
    project = copy_of(kept)
    (parent,) = [name for name in runs(client(project)) if "sweep" in name]
    for name in ("lnog", parent, "o'clock"):  # a parent is no run of the pipeline
        done = project.run("esetrag", "compare", "first", name, code=2)
        assert done.stderr.startswith(
            f"esetrag: {name}: expected workspace, a git revision, a DVC experiment"
        )
        assert done.stderr.count("\n") == 1
    done = without_store(project).run("esetrag", "compare", "first", "lnog", code=2)
    assert "no such run in sqlite:///" in done.stderr
    assert not (project.root / "mlflow.db").exists()


def test_runs_of_one_name_and_of_another_task_are_told(kept: Project, copy_of: Copy, client: Open) -> None:
    project = copy_of(kept)
    opened = client(project)
    found = runs(opened)
    ids = sorted(found[name].info.run_id for name in ("of-1", "of-4"))
    for run_id in ids:
        opened.update_run(run_id, name="twin")
    done = project.run("esetrag", "compare", "twin", "workspace", code=2)
    assert "twin: more than one run has this name" in done.stderr
    assert all(run_id in done.stderr for run_id in ids)
    opened.set_tag(ids[0], "task", "other")
    done = project.run("esetrag", "compare", ids[0], "workspace", code=2)
    assert done.stderr == f"esetrag: {ids[0]}: a run of the task other; to compare such runs: --task other\n"
