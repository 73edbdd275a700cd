"""One stage at a time, none without its DVC, and a clean end where one is asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import STATES, Prepared, Start, results, set_constant, slow_down, wait_for
from tests.project import Project

HOLDER = ".esetrag/toy/train.holder"
TRAIN = ("python", "stages/train.py", "toy")
SHELL_THAT_STAYS = '#!/bin/sh\n/bin/sh "$@"\nexit $?\n'
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


def holder(project: Project) -> int:
    """The process that runs the training."""
    found = re.match(
        r"process (\d+) since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", (project.root / HOLDER).read_text()
    )
    assert found
    return int(found[1])


def is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(reached: Callable[[], bool], what: str) -> None:
    for _ in range(300):
        if reached():
            return
        time.sleep(0.1)
    pytest.fail(f"not within half a minute: {what}")


def tree(project: Project) -> dict[str, tuple[int, int]]:
    """All files but the libraries', each with its time and inode."""
    tops = ("data", "metrics", ".esetrag", ".dvc/tmp/esetrag-ran")
    found = [path for top in tops for path in (project.root / top).rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in found}


@pytest.mark.parametrize(
    ("shell", "number"),
    [("/bin/sh", signal.SIGKILL), ("/bin/bash", signal.SIGTERM), ("one that stays", signal.SIGKILL)],
)
def test_a_stage_ends_with_its_dvc(
    shell: str, number: signal.Signals, endless: Project, start: Start
) -> None:
    if shell == "one that stays":
        path = endless.write("shell", SHELL_THAT_STAYS)
        path.chmod(0o755)
        shell = str(path)
    dvc = start(endless, "dvc", "repro", "train@toy", SHELL=shell)
    wait_for(dvc, "epoch   2")
    stage = holder(endless)
    os.kill(dvc.pid, number)
    dvc.wait()
    wait_until(lambda: not is_there(stage), "the end of the stage")
    assert not (endless.root / HOLDER).exists(), "it ended by itself"
    assert json.loads(newest(endless).read_bytes())["epoch"] >= 2


def newest(project: Project) -> Path:
    """The seal of the newest state."""
    return max((project.root / STATES).glob("*.json"), key=lambda path: path.stat().st_mtime_ns)


def test_the_repro_after_a_killed_one_is_the_only_writer_and_goes_on(
    prepared: Callable[[str], Prepared], fresh: Callable[[str], Project], start: Start
) -> None:
    project = fresh("lstm")
    slow_down(project, 0.5)
    dvc = start(project, "dvc", "repro", "train@toy")
    wait_for(dvc, "epoch   1")
    dvc.kill()
    dvc.wait()
    done = project.run("dvc", "repro", "train@toy")  # at once: the orphan may still be ending
    assert "training: goes on after epoch" in done.stderr
    assert results(project) == prepared("lstm").results


def test_a_stage_whose_dvc_died_before_it_looked_ends(endless: Project, start: Start) -> None:
    # The parent is gone when the stage begins, and who adopted it is of another session.
    command = "sleep 1; exec python stages/train.py toy > said 2>&1"
    shell = start(endless, "python", "-c", f"import subprocess; subprocess.Popen({['sh', '-c', command]!r})",
                  DVC_STAGE="train@toy")  # fmt: skip
    shell.wait()
    said = endless.root / "said"
    wait_until(lambda: said.exists() and "stopped by" in said.read_text(), "the end of the stage")
    assert said.read_text() == "train: stopped by SIGTERM\n"


def test_a_stage_that_dvc_did_not_start_outlives_its_parent(
    prepared: Callable[[str], Prepared], fresh: Callable[[str], Project], start: Start
) -> None:
    project = fresh("lstm")
    command = f"import subprocess; subprocess.Popen({list(TRAIN)!r}, stdout=open('said', 'w'))"
    start(project, "python", "-c", command).wait()
    wait_until(lambda: (project.root / "metrics/toy/train.json").exists(), "the end of the training")
    assert results(project) == prepared("lstm").results


@pytest.mark.parametrize(("kind", "name"), [("lstm", "SIGINT"), ("lstm", "SIGHUP"), ("ngram", "SIGTERM")])
def test_a_signal_ends_a_training_in_one_line_with_its_state_saved(
    name: str, kind: str, prepared: Callable[[str], Prepared], fresh: Callable[[str], Project], start: Start
) -> None:
    project = fresh(kind)
    # Not by the clock: only because the signal came.
    set_constant(project, "learning/resumption", "EVERY", 1000.0)
    slow_down(project, 0.5)
    process = start(project, *TRAIN)
    wait_for(process, "epoch   1")
    process.send_signal(getattr(signal, name))
    said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (CODES[name], f"train: stopped by {name}\n")
    assert not (project.root / "data/toy/model").exists()
    done = int(said.splitlines()[-1].split()[1]) if said else 1
    assert json.loads(newest(project).read_bytes())["epoch"] == done
    again = project.stage("train")
    assert again.stderr == f"training: goes on after epoch {done} ({STATES})\n"
    assert results(project) == prepared(kind).results


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
def test_ctrl_c_ends_a_repro_without_a_traceback(shell: str, endless: Project, start: Start) -> None:
    dvc = start(endless, "dvc", "repro", "train@toy", SHELL=shell)
    wait_for(dvc, "epoch   2")
    os.killpg(dvc.pid, signal.SIGINT)
    _, complained = dvc.communicate(timeout=60)
    assert dvc.returncode != 0
    assert "train: stopped by SIGINT\n" in complained
    # A shell that stays between hears the signal itself and dies of it.
    assert re.search(r"exited with (130|-2)\n", complained)
    assert "Traceback" not in complained
    assert not list((endless.root / STATES).glob(".*")), "no half-written file"


def test_a_stage_that_is_told_to_ignore_a_signal_does(endless: Project, start: Start) -> None:
    process = start(endless, "sh", "-c", "trap '' HUP; exec python stages/train.py toy")
    wait_for(process, "epoch   1")
    process.send_signal(signal.SIGHUP)
    wait_for(process, "epoch")
    wait_for(process, "epoch")
    assert process.poll() is None


SCRIPT = """
import sys, time
from pathlib import Path
from esetrag.core import runtime
runtime.FINISH, runtime.END, runtime.WAIT = 0.3, 0.6, 0.2
try:
    with runtime.guarded(Path("lock/toy"), "some"):
        BODY
except runtime.Stopped as stopped:
    print(stopped)
    sys.exit(stopped.code)
"""
BEGUN = 'print("begun", flush=True)'
BODIES = {
    "anywhere": f"{BEGUN}; time.sleep(60)",
    "in a step that lasts": f"with runtime.patiently() as between: {BEGUN}; time.sleep(60)",
    "between two steps": f"""with runtime.patiently() as between:
            {BEGUN}
            while True: time.sleep(0.01); between(0)""",
    "after the last step": f"""with runtime.patiently() as between: {BEGUN}; time.sleep(0.2)
        time.sleep(60)""",
    "where all is caught": f"""while True:
            try: {BEGUN}; time.sleep(60)
            except BaseException: pass""",
}


@pytest.mark.parametrize("where", BODIES)
def test_a_signal_ends_a_stage_wherever_it_is(where: str, endless: Project, start: Start) -> None:
    process = start(endless, "python", "-c", SCRIPT.replace("BODY", BODIES[where]))
    wait_for(process, "begun")
    process.send_signal(signal.SIGTERM)
    said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (143, "")
    # Where all is caught it goes on until the process is ended.
    assert set(said.splitlines()) == {"begun" if where == "where all is caught" else "stopped by SIGTERM"}


def test_of_two_stages_at_once_one_works_and_the_other_says_who(endless: Project, start: Start) -> None:
    set_constant(endless, "project/runtime", "WAIT", 0.2)
    first = start(endless, *TRAIN)
    wait_for(first, "epoch   2")
    os.kill(first.pid, signal.SIGSTOP)  # so that what it changes is not taken for the other's work
    before = tree(endless)
    second = endless.stage("train", code=2)
    assert re.fullmatch(
        rf"train: toy is in the hands of process {first.pid} since [0-9 :-]{{19}}; wait for it, or end it\n",
        second.stderr,
    )
    assert second.stdout == ""
    assert tree(endless) == before
    os.kill(first.pid, signal.SIGCONT)
    first.kill()
    first.wait()
    third = start(endless, *TRAIN)  # the kernel has freed the lock
    wait_for(third, "epoch   2")


def test_stages_of_other_names_and_tasks_are_not_held_up(endless: Project, start: Start) -> None:
    first = start(endless, *TRAIN)
    wait_for(first, "epoch   1")
    endless.stage("sample")
    content = endless.params["tasks"]
    endless.change(tasks=content | {"other": content["toy"]})
    for stage in ("sample", "build_vocab", "encode_pad"):
        endless.stage(stage, task="other")
    other = start(endless, "python", "stages/train.py", "other")
    wait_for(other, "epoch   1")
    assert first.poll() is None


def test_a_stage_waits_for_one_that_is_about_to_end(
    prepared: Callable[[str], Prepared], fresh: Callable[[str], Project], start: Start
) -> None:
    project = fresh("lstm")
    both = [start(project, *TRAIN) for _ in range(2)]
    assert [process.communicate(timeout=120)[1] for process in both] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]
    assert results(project) == prepared("lstm").results


def test_of_two_repros_at_once_one_works_and_the_other_touches_nothing(
    endless: Project, start: Start
) -> None:
    first = start(endless, "dvc", "repro", "train@toy")
    wait_for(first, "epoch   2")
    stage = holder(endless)
    os.kill(stage, signal.SIGSTOP)
    before = tree(endless)
    second = endless.run("dvc", "repro", "train@toy", code=None)
    assert second.returncode != 0
    assert f"PID {first.pid}" in second.stderr
    assert tree(endless) == before
    os.kill(stage, signal.SIGCONT)
    assert is_there(stage)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(fresh: Callable[[str], Project]) -> None:
    project = fresh("lstm")
    shutil.rmtree(project.root / ".esetrag")
    project.write(".esetrag", "in the way")
    done = project.stage("train", code=2)
    assert done.stderr == "train: .esetrag/toy: cannot be written (Not a directory)\n"
