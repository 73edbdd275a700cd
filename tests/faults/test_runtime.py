"""One stage at a time, none without its DVC, and a clean end where one is asked for."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import (
    STATES,
    TRAIN,
    Prepared,
    Start,
    children,
    results,
    saved,
    set_constant,
    slow_down,
    wait_for,
)
from tests.project import Project

CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
Fresh = Callable[..., Project]


def is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(reached: Callable[[], bool], what: str) -> None:
    for _ in range(1200):
        if reached():
            return
        time.sleep(0.1)
    pytest.fail(f"not within two minutes: {what}")


def tree(project: Project) -> dict[str, tuple[int, int]]:
    """All files but the libraries', each with its time and inode."""
    paths = [path for top in ("data", "metrics", ".esetrag") for path in (project.root / top).rglob("*")]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths if path.is_file()}


@pytest.mark.parametrize(("shell", "name"), [("/bin/sh", "SIGKILL"), ("/bin/bash", "SIGTERM")])
def test_a_stage_ends_with_its_dvc(shell: str, name: str, endless: Project, start: Start) -> None:
    dvc = start(endless, "dvc", "repro", "train@toy", SHELL=shell)
    wait_for(dvc, "epoch   2")
    (stage,) = children(dvc)
    assert b"stages/train.py" in Path(f"/proc/{stage}/cmdline").read_bytes()
    dvc.send_signal(getattr(signal, name))
    dvc.wait()
    wait_until(lambda: not is_there(stage), "the end of the stage")
    assert len(saved(endless)["epochs"]) > 2
    before = tree(endless)
    time.sleep(1)
    assert tree(endless) == before, "nobody writes any more"


def test_a_stage_whose_dvc_is_dead_when_it_begins_ends(endless: Project, start: Start) -> None:
    # The parent is gone when the stage begins, and who adopted it is of another session.
    command = "sleep 1; exec python stages/train.py toy > said 2>&1"
    script = f"import subprocess; subprocess.Popen({['sh', '-c', command]!r})"
    start(endless, "python", "-c", script, DVC_STAGE="train@toy").wait()
    said = endless.root / "said"
    wait_until(lambda: said.exists() and "stopped" in said.read_text(), "the end of the stage")
    assert said.read_text() == "train: stopped by SIGTERM\n"


def test_a_stage_that_dvc_did_not_start_outlives_its_parent(
    prepared: Callable[..., Prepared], fresh: Fresh, start: Start
) -> None:
    project = fresh()
    script = f"import subprocess; subprocess.Popen({list(TRAIN)!r}, stdout=open('said', 'w'))"
    start(project, "python", "-c", script).wait()
    wait_until(lambda: (project.root / "metrics/toy/train.json").exists(), "the end of the training")
    assert results(project) == prepared().results


def test_the_repro_after_a_killed_one_is_the_only_writer_and_goes_on(
    prepared: Callable[..., Prepared], fresh: Fresh, start: Start
) -> None:
    project = fresh()
    set_constant(project, "core/runtime", "FINISH, WAIT", "60, 120")
    slow_down(project, "time.sleep(0.5)")
    dvc = start(project, "dvc", "repro", "train@toy")
    wait_for(dvc, "epoch   1")
    dvc.kill()
    dvc.wait()
    done = project.run("dvc", "repro", "train@toy")  # at once: the orphan may still be ending
    assert "training: goes on after epoch" in done.stderr
    assert results(project) == prepared().results


@pytest.mark.parametrize("name", CODES)
def test_a_signal_ends_a_training_in_one_line_with_its_state_saved(
    name: str, prepared: Callable[..., Prepared], fresh: Fresh, start: Start
) -> None:
    project = fresh()
    set_constant(project, "training/resume", "EVERY", 1000.0)  # so that only the signal saves the state
    set_constant(project, "core/runtime", "FINISH, WAIT", "60, 120")
    slow_down(project, "time.sleep(0.5)")
    process = start(project, *TRAIN)
    wait_for(process, "epoch   1")
    process.send_signal(getattr(signal, name))
    said, complained = process.communicate(timeout=300)
    assert (process.returncode, complained) == (CODES[name], f"train: stopped by {name}\n")
    assert not (project.root / "data/toy/model").exists()
    last = int(said.splitlines()[-1].split()[1]) if said else 1
    assert len(saved(project)["epochs"]) == last + 1
    assert project.stage("train").stderr == f"training: goes on after epoch {last} ({STATES})\n"
    assert results(project) == prepared().results


def test_ctrl_c_ends_a_repro_without_a_traceback(endless: Project, start: Start) -> None:
    dvc = start(endless, "dvc", "repro", "train@toy")
    wait_for(dvc, "epoch   2")
    os.killpg(dvc.pid, signal.SIGINT)
    _, complained = dvc.communicate(timeout=300)
    assert dvc.returncode != 0
    assert "train: stopped by SIGINT\n" in complained
    assert "exited with 130\n" in complained
    assert "Traceback" not in complained
    assert [path.name for path in (endless.root / STATES).iterdir()] == ["state"], "no half-written file"


def test_a_stage_started_to_ignore_a_signal_ignores_it(endless: Project, start: Start) -> None:
    process = start(endless, "sh", "-c", "trap '' HUP; exec python stages/train.py toy")
    wait_for(process, "epoch   1")
    process.send_signal(signal.SIGHUP)
    wait_for(process, "epoch")
    wait_for(process, "epoch")
    assert process.poll() is None


SCRIPT = """
import sys, time
from esetrag.core import runtime
runtime.handle_signals()
runtime.FINISH = SECONDS
try:
    with runtime.patiently() as check:
        print("begun", flush=True)
        time.sleep(EPOCH)
        print("epoch over", flush=True)
    time.sleep(600)
except runtime.Stopped as stopped:
    print(stopped)
    sys.exit(stopped.code)
"""


@pytest.mark.parametrize(
    ("epoch", "finish", "signals", "after"),
    [(1, 600, 1, ["epoch over"]), (600, 600, 2, []), (600, 1, 1, [])],
    ids=["the end of the epoch", "a second signal", "the end of patience"],
)
def test_a_signal_waits_for_the_end_of_an_epoch(
    epoch: int, finish: int, signals: int, after: list[str], endless: Project, start: Start
) -> None:
    script = SCRIPT.replace("EPOCH", str(epoch)).replace("SECONDS", str(finish))
    process = start(endless, "python", "-c", script)
    wait_for(process, "begun")
    for _ in range(signals):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # of two at once the kernel keeps one
    said, complained = process.communicate(timeout=300)
    assert (process.returncode, complained) == (143, "")
    assert said.splitlines() == [*after, "stopped by SIGTERM"]


def test_of_two_stages_at_once_one_works_and_the_other_touches_nothing(
    endless: Project, start: Start
) -> None:
    set_constant(endless, "core/runtime", "FINISH, WAIT", "5, 0.2")
    first = start(endless, *TRAIN)
    wait_for(first, "epoch   2")
    first.send_signal(signal.SIGSTOP)  # so that what it changes is not taken for the other's work
    before = tree(endless)
    second = endless.stage("train", code=2)
    assert second.stderr == "train: another process runs train of toy; wait for it or end it\n"
    assert (second.stdout, tree(endless)) == ("", before)
    endless.stage("sample")  # another stage is not held up
    first.kill()
    first.wait()
    wait_for(start(endless, *TRAIN), "epoch   2")  # the kernel has freed the lock


def test_a_stage_waits_for_one_that_is_about_to_end(
    prepared: Callable[..., Prepared], fresh: Fresh, start: Start
) -> None:
    project = fresh()
    set_constant(project, "core/runtime", "FINISH, WAIT", "5, 300")
    both = [start(project, *TRAIN) for _ in range(2)]
    assert [process.communicate(timeout=300)[1] for process in both] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]
    assert results(project) == prepared().results


def test_a_folder_that_cannot_be_written_is_told_in_one_line(fresh: Fresh) -> None:
    project = fresh()
    shutil.rmtree(project.root / ".esetrag")
    project.write(".esetrag", "in the way")
    done = project.stage("train", code=2)
    assert done.stderr == "train: .esetrag/toy: cannot be written (Not a directory)\n"


def test_parameters_that_change_while_a_stage_runs_are_not_noted_as_those_of_its_results(
    fresh: Fresh, start: Start
) -> None:
    project = fresh()
    slow_down(project, "time.sleep(0.5)")
    dvc = start(project, "dvc", "repro", "train@toy")
    wait_for(dvc, "epoch   1")
    project.change(train={"seed": 9})  # as an editor does, or the checkout of another branch
    _, complained = dvc.communicate()
    assert "train: params.yaml was changed while this ran" in complained
    assert dvc.returncode != 0
    assert "train@toy" not in (project.root / "dvc.lock").read_text()
    project.run("dvc", "repro", "train@toy")
    assert project.json("data/toy/model/manifest.json")["training"]["seed"] == 9
