"""The lab's commands, as they stand there, on a small table of verbs."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.docs.test_experiments import commands, tasks_in, text_of
from tests.project import STEMS, Project, copy_project, with_git

TASK = "hun-verb-mood"
ENDINGS = {"IND;PRS": "ok", "IND;PST": "tad", "COND;PRS": "nál", "SBJV;PRS": "jon", "IND": "ja", "SBJV": "ja"}
DEADLINE = 480
"""Seconds for the workers."""


def wait_for_the_queue(project: Project) -> None:
    end = time.monotonic() + DEADLINE
    while "Queued" in (status := project.run("dvc", "queue", "status").stdout) or "Running" in status:
        assert time.monotonic() < end, status
        time.sleep(1)
    assert "Failed" not in status


@pytest.mark.slow
def test_the_commands_do_what_the_lab_says(tmp_path: Path) -> None:
    text, project = text_of("docs/lab.md"), copy_project(tmp_path / "project")
    table = [f"{stem}\t{stem}{ending}\tV;{tags}\n" for stem in STEMS for tags, ending in ENDINGS.items()]
    project.write("data/raw/verbs.tsv", "".join(table))
    task = {**tasks_in(text)[TASK], "raw": "data/raw/verbs.tsv"}
    project.change(tasks={TASK: task}, train={"analogies": 300, "epochs": 2})
    with_git(project).run("dvc", "repro")
    assert set(project.json(f"data/{TASK}/vocab.json")["labels"]) == {"COND", "IND", "SBJV"}
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "verbs")

    queue, start, show = (command for command in commands(text, "dvc") if command[1] in ("exp", "queue"))
    project.run(*queue)
    project.run(*start)
    wait_for_the_queue(project)
    shown = project.run(*show, env={"COLUMNS": "200"}).stdout
    rows = [line for line in shown.splitlines() if "[unit" in line]
    combinations = {tuple(re.findall(r"\b(?:char|bpe|word|ngram|bilstm)\b", line)) for line in rows}
    assert (len(rows), len(combinations)) == (6, 6), "every unit with both models"
    assert "dev_accuracy" in shown

    compare, curve = commands(text, "esetrag")
    assert re.search(r"build_vocab\.unit +char +bpe", project.run(*compare).stdout)
    project.run(*curve, "--seeds", "1", "--sizes", "30")
    assert (project.root / f"metrics/{TASK}/learning_curve.png").read_bytes()[1:4] == b"PNG"
