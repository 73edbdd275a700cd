"""Projects for the tests to run commands in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from tests.project import Project, copy_project, with_git


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without git, for stage scripts run alone."""
    return copy_project(tmp_path / "project")


@pytest.fixture
def repository(tmp_path: Path) -> Project:
    """A project in git, for dvc."""
    return with_git(copy_project(tmp_path / "project"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pipeline has run once, tracking off; tests may not change it."""
    project = with_git(copy_project(tmp_path_factory.mktemp("finished") / "project"))
    project.run("dvc", "repro")
    return project


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Project], Project]:
    """Copies a project, DVC's cache included, for a test that changes it."""

    def copy(source: Project) -> Project:
        shutil.copytree(source.root, tmp_path / "copy", symlinks=True)
        return Project(tmp_path / "copy")

    return copy


@pytest.fixture(scope="session")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose pipeline has run with tracking on; tests may not change it."""
    project = copy_project(tmp_path_factory.mktemp("tracked") / "project")
    project.change(tracking={"enabled": True})
    with_git(project).run("dvc", "repro")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "run")
    return project


@pytest.fixture
def changed(tracked: Project, tmp_path: Path) -> Project:
    """A copy of it that may be changed; its store is its own, the runs in it are those of the original."""
    shutil.copytree(tracked.root, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


@pytest.fixture
def client() -> Callable[[Project], mlflow.MlflowClient]:
    """Opens the store of a project."""

    def open_store(project: Project, uri: str = "") -> mlflow.MlflowClient:
        mlflow.set_tracking_uri(uri or f"sqlite:///{project.root / 'mlflow.db'}")
        return mlflow.MlflowClient()

    return open_store
