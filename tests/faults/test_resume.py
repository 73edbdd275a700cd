"""A training that is killed goes on from its last saved state and ends with the same bytes."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import OUTPUTS, STATES, Prepared, Start, results, trained_part_of_lock, wait_for
from tests.project import REPO, Project

Fresh = Callable[[str], Project]

KILLER = """
import os, signal, sys
if "FAULT" in os.environ and [Path.rpartition("/")[2] for Path in sys.orig_argv[-2:]] == ["train.py", "toy"]:
    left = int(os.environ["FAULT"])
    def hook(event, arguments):
        global left
        if event == "os.rename" and os.environ["AT"] in str(arguments[1]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
"""
"""A ``sitecustomize`` that kills the stage, wherever it is run from, before a file gets its name."""


@pytest.mark.parametrize("kind", ["lstm", "ngram"])
def test_killed_before_any_change_of_files_it_ends_with_the_same_bytes(
    kind: str, fresh: Fresh, tmp_path: Path
) -> None:
    project = fresh(kind)
    project.change(train={"epochs": 2, "iterations": 3})
    path = os.pathsep.join([str(project.root / "src"), str(REPO)])
    done = project.run(
        "python", "-m", "tests.faults.moments", str(tmp_path / "log"), env={"PYTHONPATH": path}
    )
    found = json.loads(done.stdout.splitlines()[-1])
    whole, moments = found["whole"], found["moments"]
    assert sorted(whole) == sorted(OUTPUTS)
    assert len(moments) > 15
    assert {moment["killed"] for moment in moments} == {-signal.SIGKILL}
    for moment in moments:
        assert (moment["again"], moment["outputs"], moment["left"]) == (0, whole, []), moment
    # From when the first state has its seal until that of the last one is removed it goes on, and
    # never does it say that a state is damaged: a kill damages none.
    changes = [moment["change"] for moment in moments]
    sealed = next(
        number for number, change in enumerate(changes) if re.match("os.rename.*state-0.json", change)
    )
    last = next(number for number, change in enumerate(changes) if change.endswith("train.json"))
    for number, moment in enumerate(moments):
        said = " ".join(moment["said"])
        assert "damaged" not in said, moment
        assert "goes on after epoch" in said or not sealed < number <= last, moment


@pytest.mark.parametrize(
    ("kind", "at", "count"),
    [
        ("lstm", "state-1.safetensors", 2),
        ("ngram", "state-0.json", 3),
    ],
)
def test_killed_under_dvc_the_next_repro_goes_on(
    kind: str, at: str, count: int, prepared: Callable[[str], Prepared], fresh: Fresh, tmp_path: Path
) -> None:
    project = fresh(kind)
    project.write("faults/sitecustomize.py", KILLER)
    path = os.pathsep.join([str(project.root / "faults"), str(project.root / "src")])
    killed = project.run(
        "dvc", "repro", "train@toy", code=None, env={"FAULT": str(count), "AT": at, "PYTHONPATH": path}
    )
    assert killed.returncode != 0
    assert "train@toy" not in (project.root / "dvc.lock").read_text()
    assert any((project.root / STATES).iterdir())
    done = project.run("dvc", "repro", "train@toy")
    assert "training: goes on after epoch" in done.stderr
    assert results(project) == prepared(kind).results
    assert trained_part_of_lock(project) == prepared(kind).lock
    assert not (project.root / STATES).exists()


@pytest.mark.parametrize("kind", ["lstm", "ngram"])
def test_killed_again_and_again_at_any_time_it_ends_with_the_same_bytes(
    kind: str, prepared: Callable[[str], Prepared], fresh: Fresh, start: Start
) -> None:
    project = fresh(kind)
    for epoch in (1, 3):  # what the stage is doing when it has said so and is killed is left to chance
        process = start(project, "python", "stages/train.py", "toy")
        wait_for(process, f"epoch {epoch:>3}")
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert not (project.root / OUTPUTS[0]).exists()
    assert "goes on after epoch" in project.stage("train").stderr
    assert results(project) == prepared(kind).results


@pytest.fixture
def killed(fresh: Fresh, start: Start) -> Callable[..., Project]:
    """A project whose training was killed after a few epochs."""

    def kill(**train: int) -> Project:
        project = fresh("lstm")
        project.change(train=train)
        process = start(project, "python", "stages/train.py", "toy")
        wait_for(process, "epoch   3")
        process.kill()
        process.wait()
        return project

    return kill


@pytest.mark.parametrize("damage", ["truncated", "tampered"])
def test_a_damaged_state_is_ignored(
    damage: str, killed: Callable[..., Project], prepared: Callable[[str], Prepared]
) -> None:
    project = killed()
    for path in (project.root / STATES).glob("*.safetensors"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1  # a weight, which may be any number
        path.write_bytes(data if damage == "tampered" else data[:-100])
    done = project.stage("train")
    assert done.stderr == f"training: begins anew; saved state ignored: damaged ({STATES})\n"
    assert results(project) == prepared("lstm").results


def test_a_state_of_other_parameters_is_ignored(
    killed: Callable[..., Project], prepared: Callable[[str], Prepared]
) -> None:
    project = killed(seed=2)
    project.change(train={"seed": 1})
    done = project.stage("train")
    assert done.stderr == f"training: begins anew; saved state ignored: of another configuration ({STATES})\n"
    assert results(project) == prepared("lstm").results


def test_a_state_of_other_rows_or_other_code_is_ignored(killed: Callable[..., Project]) -> None:
    project = killed()
    states = {path.name: path.read_bytes() for path in (project.root / STATES).iterdir()}
    with (project.root / "src/esetrag/symbols/batch.py").open("a") as file:
        file.write("# changed\n")
    assert "of another configuration" in project.stage("train").stderr
    for name, data in states.items():
        project.write(f"{STATES}/{name}", data)
    project.change(sample={"seed": 2})
    for stage in ("sample", "build_vocab", "encode_pad"):
        project.stage(stage)
    assert "of another configuration" in project.stage("train").stderr
