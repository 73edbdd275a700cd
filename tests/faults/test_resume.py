"""A training that is killed goes on from its last saved state and ends with the same bytes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.faults.conftest import (
    OUTPUTS,
    STATES,
    TRAIN,
    Forked,
    Prepared,
    Start,
    children,
    results,
    trained_part_of_lock,
    wait_for,
)
from tests.project import Project

Fresh = Callable[..., Project]


@pytest.mark.parametrize("model", ["bilstm", "ngram"])
def test_killed_before_any_change_of_files_it_ends_with_the_same_bytes(
    model: str, prepared: Callable[..., Prepared], fresh: Fresh, forked: Forked
) -> None:
    project, whole = fresh(model), prepared(model).results

    def train(kill: int) -> tuple[int, str]:
        for name in OUTPUTS:  # as DVC does before it runs a stage
            (project.root / name).unlink(missing_ok=True)
        every = {"esetrag.training.resume.EVERY": 0.0}
        fault = [kill, ["os.rename", "os.rmdir"]]
        done = forked(project.root, *TRAIN[1:], constants=every, killed=fault)
        return done["code"], done["err"]

    number, resumed = 0, []
    while (killed := train(number)) != (0, ""):
        assert killed == (-signal.SIGKILL, "")
        code, said = train(10**6)
        assert (code, results(project)) == (0, whole), number
        assert not (project.root / STATES).exists()
        resumed.append(said.startswith("training: goes on after epoch"))
        number += 1
    if model == "bilstm":  # from the first of four states to the last of four outputs
        assert resumed == [False] + 7 * [True] + [False]
    else:  # it takes seconds, and begins anew
        assert resumed == 4 * [False]


def test_killed_under_dvc_again_and_again_the_next_repro_goes_on(
    prepared: Callable[..., Prepared], fresh: Fresh, start: Start
) -> None:
    project = fresh()
    for epoch in (1, 3):  # what the stage is doing when it has said so and is killed is left to chance
        dvc = start(project, "dvc", "repro", "train@toy")
        wait_for(dvc, f"epoch {epoch:>3}")
        os.kill(children(dvc)[0], signal.SIGKILL)
        dvc.communicate()
        assert dvc.returncode != 0
        assert "train@toy" not in (project.root / "dvc.lock").read_text()
    done = project.run("dvc", "repro", "train@toy")
    assert "training: goes on after epoch" in done.stderr
    assert results(project) == prepared().results
    assert trained_part_of_lock(project) == prepared().lock
    assert not (project.root / STATES).exists()


def test_a_state_of_other_rows_or_other_code_is_ignored(fresh: Fresh, start: Start) -> None:
    project = fresh()
    process = start(project, *TRAIN)
    wait_for(process, "epoch   3")
    process.kill()
    process.wait()
    state = (project.root / STATES / "state").read_bytes()
    with (project.root / "src/esetrag/symbols/batch.py").open("a") as file:
        file.write("# changed\n")
    assert "of another configuration" in project.stage("train").stderr
    project.write(f"{STATES}/state", state)
    project.change(sample={"seed": 2})
    for stage in ("sample", "build_vocab", "encode_pad"):
        project.stage(stage)
    assert "of another configuration" in project.stage("train").stderr
