"""The commands of the README and of docs/experiments.md, run as they stand there, on small tables."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.docs.test_experiments import PARAMS, text_of
from tests.docs.test_lab import wait_for_the_queue
from tests.project import CASES, STEMS, Project, copy_project, toy_table, with_git

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
NUMBERS = (("", "SG"), ("k", "PL"))
NOT_HERE = re.compile(r"make (repro|test|ui|serve)|esetrag serve|curl|pip install|hun-segments|analyze")
"""What has tests of its own: set-up, servers, Ray, and two kinds of task (tests/pipeline)."""

FEWER = {"--trials 30": "--trials 4", "seed=1,2,3": "seed=1,2", "epochs=20,30": "epochs=2", "--seeds 3": ""}
"""In place of numbers that would only take time."""


def verbs(name: str) -> list[str]:
    """The commands of a document, in their order, but for those that are tested elsewhere."""
    blocks = re.findall(r"```console\n(.*?)```", text_of(name), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line[2:] for line in lines if line.startswith("$ ") and not NOT_HERE.search(line)]


def project_of(root: Path, *tasks: str) -> Project:
    """A finished project of tasks of params.yaml, on a small table."""
    project = copy_project(root / "project")
    rows = ((stem, *number, *case) for stem in STEMS for number in NUMBERS for case in CASES.items())
    table = "".join(f"{s}\t{s}{plural}{end}\tN;{case};{number}\n" for s, plural, number, case, end in rows)
    project.write("data/raw/small.tsv", table)
    changes = {"raw": "data/raw/small.tsv", "sample": {"train": 200, "dev": 40, "test": 100}, "train": {}}
    project.change(
        tasks={name: {**PARAMS["tasks"][name], **changes} for name in tasks},
        models={name: {"embedding": 8, "hidden": 8} for name in ("seq2seq", "tagger")},
        train={"epochs": 2, "analogies": 0},
        tracking={"enabled": True},
    )
    with_git(project).run("dvc", "repro")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "results")
    return project


def run(project: Project, command: str) -> str:
    """The output of a command, which a shell runs."""
    done = project.run("bash", "-c", command, code=None, env={"COLUMNS": "100"})
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    project = project_of(tmp_path, "hun-noun-case", "hun-inflect")
    project.write("words.tsv", "1\tbarában\n2\tbarát\n")
    told = {command: run(project, command) for command in verbs("README.md")}
    assert len(told) > 7
    assert "ngram" in told[next(command for command in told if "exp show" in command)]
    assert len(pq.read_table(project.root / "labelled.parquet")) == 2


def test_the_commands_of_an_experiment_lead_to_a_commit(tmp_path: Path) -> None:
    project = project_of(tmp_path, "hun-noun-case")
    for part, stems in (("train", STEMS[:20]), ("dev", STEMS[20:25]), ("test", STEMS[25:])):
        rows = (line.split("\t") for line in toy_table(stems).splitlines())
        project.write(f"probing/toy/{part}.tsv", "".join(f"{row[1]}\t{row[2]}\n" for row in rows))
    (project.root / "docs").mkdir()
    project.write("tune.yaml", text_of("tune.yaml"))
    for command in verbs("docs/experiments.md"):
        for much, little in FEWER.items():
            command = command.replace(much, little)
        run(project, command.replace("/mnt/results", str(tmp_path / "results")))
        if "queue start" in command:
            wait_for_the_queue(project)
    assert "rate" in project.run("git", "log", "-1", "--format=%D").stdout
    assert (project.root / "docs/probing.md").is_file()
