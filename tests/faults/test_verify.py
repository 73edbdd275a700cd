"""Bits that change in the workspace or in DVC's cache unseen by DVC are noticed and can be mended."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from esetrag.core.errors import DataError
from esetrag.tracking import verify
from tests.faults.conftest import copied
from tests.project import Project

WEIGHTS = "data/toy/model/model.safetensors"
PREDICTIONS = "data/toy/predictions.parquet"


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    return copied(finished.root, tmp_path / "project")


def flip(path: Path) -> None:
    """Changes a bit in place; size, time and permissions stay, as when a disk fails."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(before.st_mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def damaged(project: Project) -> dict[str, str]:
    return verify.verify(["toy"], project.root).damaged


def told(project: Project, code: int) -> list[str]:
    return project.run("esetrag", "verify", code=code).stdout.splitlines()


def mend(project: Project, line: str) -> None:
    """Does what a line says."""
    for command in re.findall(r"rm -r?f [^\s;]+|dvc repro (?:-f )?-s \S+", line):
        project.run(*command.split())


def test_what_is_whole_is_said_to_be(finished: Project) -> None:
    (line,) = told(finished, code=0)
    assert re.fullmatch(r"whole: \d\d files, \d\d objects in DVC's cache", line)


def test_an_object_of_the_cache_that_changed_is_noticed_when_dvc_does_not(project: Project) -> None:
    md5 = hashlib.md5((project.root / WEIGHTS).read_bytes()).hexdigest()
    place = f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"
    flip(project.root / place)
    shutil.rmtree(project.root / "data/toy/model")
    project.run("dvc", "checkout", "train@toy")  # brings the damage back and is content
    assert "Data and pipelines are up to date" in project.run("dvc", "status").stdout
    refused = project.run("esetrag", "predict", "ház", "--task", "toy", code=2)
    assert refused.stderr.startswith(f"esetrag: {WEIGHTS}: its SHA-256 is not the one in its manifest")
    assert project.stage("evaluate", code=2).stderr.startswith(f"evaluate: {WEIGHTS}: its SHA-256")
    lines = told(project, code=1)
    assert [line.split(": ")[0] for line in lines] == [place, "data/toy/model"]
    for line in lines:
        mend(project, line)
    assert damaged(project) == {}


def test_a_file_that_changed_under_dvcs_eyes_is_noticed_and_got_back(project: Project) -> None:
    project.run("dvc", "status")  # DVC has seen every file
    flip(project.root / PREDICTIONS)
    assert "Data and pipelines are up to date" in project.run("dvc", "status").stdout
    (line,) = told(project, code=1)
    assert line.startswith(f"{PREDICTIONS}: not what dvc.lock names; rm -rf {PREDICTIONS}; ")
    mend(project, line)
    assert damaged(project) == {}


CHANGED = "not what dvc.lock names; "
KINDS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a changed table": ("data/raw/toy.tsv", flip, f"{CHANGED}if that was not you"),
    "a changed vocabulary": ("data/toy/vocab.json", flip, f"{CHANGED}rm -rf"),
    "a changed score": ("metrics/toy/test.json", flip, CHANGED),
    "a cut file": (PREDICTIONS, lambda path: os.truncate(path, 100), CHANGED),
    "a missing file": (PREDICTIONS, Path.unlink, "no such file; rm -rf"),
    "a file too many": ("data/toy/model", lambda path: (path / "notes.txt").write_text("x"), CHANGED),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_line_tells_of_a_file(kind: str, project: Project) -> None:
    name, harm, expected = KINDS[kind]
    path = project.root / name
    if path.is_file():
        path.chmod(0o644)
    harm(path)
    found = damaged(project)
    assert list(found) == [name]
    assert found[name].startswith(expected)


def test_a_checkpoint_that_was_put_in_and_committed_is_held_against_its_manifest(project: Project) -> None:
    flip(project.root / WEIGHTS)
    project.run("dvc", "commit", "-f")
    assert "its SHA-256 is not the one in its manifest" in damaged(project)["data/toy/model"]


def of_train(project: Project, **changed: str) -> None:
    """Changes what dvc.lock says of the checkpoint."""
    path = project.root / "dvc.lock"
    content = yaml.safe_load(path.read_text())
    for stage in content["stages"].values():
        for entry in (*stage["outs"], *stage["deps"]):
            if entry["path"] == "data/toy/model":
                entry.update(changed)
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    "changed", [{"path": "../elsewhere"}, {"path": "/etc"}, {"md5": "../../../../etc/passwd"}]
)
def test_a_lock_that_leads_elsewhere_is_refused(project: Project, changed: dict[str, str]) -> None:
    of_train(project, **changed)
    with pytest.raises(DataError, match=r"outside of the repository, where|not what DVC writes"):
        damaged(project)


@pytest.mark.parametrize("text", ["", "stages: [", "stages: 3", "- 1", "stages: {a@toy: {outs: [{}]}}", "\0"])
def test_a_torn_lock_is_refused(project: Project, text: str) -> None:
    project.write("dvc.lock", text)
    with pytest.raises(DataError, match=r"^dvc\.lock: "):
        damaged(project)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("schema: '2.0'\n<<<<<<< HEAD\nstages: {}\n", "line 2: .*a merge conflict is left"),
        ("stages: [", "line 1"),
    ],
)
def test_a_torn_lock_is_told_before_dvc_fails_and_the_line_mends_it(
    text: str, reason: str, project: Project
) -> None:
    project.run("esetrag", "check")
    project.run("git", "add", "dvc.lock")
    project.run("git", "commit", "-q", "-m", "lock")
    project.write("dvc.lock", text)
    for command in ("check", "verify", "track"):
        (line,) = project.run("esetrag", command, code=2).stderr.splitlines()
        assert re.search(rf"^esetrag: dvc\.lock: .*{reason}.*; git checkout HEAD dvc\.lock, or remove", line)
    project.run("git", "checkout", "HEAD", "dvc.lock")
    project.run("esetrag", "check")
    (project.root / "dvc.lock").unlink()
    project.run("esetrag", "check")


def test_a_folders_list_that_leads_elsewhere_is_noticed(project: Project) -> None:
    data = json.dumps([{"md5": "../../../../../etc/passwd", "relpath": "x"}]).encode()
    md5 = hashlib.md5(data).hexdigest()
    place = f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}.dir"
    project.write(place, data)
    of_train(project, md5=f"{md5}.dir")
    found = damaged(project)
    assert found[place].startswith(f"no list of files; rm -f {place}; ")
    assert not any("passwd" in path for path in found)
