"""The lab's commands, as they stand there, on a small table of verbs."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import yaml

from tests.docs.test_experiments import commands
from tests.project import REPO, STEMS, Project, copy_project, with_git

TEXT = (REPO / "docs/lab.md").read_text("utf-8")
ENDINGS = {
    "IND;PRS;INDF;1;SG": "ok",
    "IND;PST;DEF;2;SG": "tad",
    "COND;PRS;INDF;2;SG": "nál",
    "SBJV;PRS;INDF;3;SG": "jon",
    "IND;PRS;DEF;3;SG": "ja",
    "SBJV;PRS;DEF;3;SG": "ja",
}
QUICK = {"analogies": 300, "epochs": 2}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose only task is the lab's, its table a small one."""
    project = copy_project(tmp_path_factory.mktemp("lab") / "project")
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    tasks = yaml.safe_load(block)["tasks"]
    assert (REPO / tasks["hun-verb-mood"]["raw"]).is_file()
    table = [f"{stem}\t{stem}{ending}\tV;{tags}\n" for stem in STEMS for tags, ending in ENDINGS.items()]
    project.write("data/raw/verbs.tsv", "".join(table))
    tasks["hun-verb-mood"]["raw"] = "data/raw/verbs.tsv"
    project.change(tasks=tasks, train=QUICK, model={"kind": "ngram"})
    return with_git(project)


def run(project: Project, command: list[str]) -> str:
    """Runs a command; one that starts workers is waited for."""
    out = project.run(*command).stdout
    deadline = time.monotonic() + 480
    while command[:3] == ["dvc", "queue", "start"]:
        status = project.run("dvc", "queue", "status").stdout
        assert time.monotonic() < deadline, status
        if "Queued" not in status and "Running" not in status:
            assert "Failed" not in status
            break
        time.sleep(1)
    return out


@pytest.mark.slow
def test_the_commands_do_what_the_lab_says(lab: Project) -> None:
    run(lab, ["dvc", "repro"])
    assert set(lab.json("data/hun-verb-mood/vocab.json")["labels"]) == {"COND", "IND", "SBJV"}
    lab.run("git", "add", "-A")
    lab.run("git", "commit", "-q", "-m", "verbs")
    queue, start, show = (command for command in commands(TEXT, "dvc") if command[1] in ("exp", "queue"))
    run(lab, queue)
    run(lab, start)
    table = run(lab, show)
    shown = {line.split("[")[1].split("]")[0]: line for line in table.splitlines() if "[unit" in line}
    assert len(shown) == 6
    kinds = {tuple(re.findall(r"\b(?:char|bpe|word|ngram|lstm)\b", line)) for line in shown.values()}
    assert len(kinds) == 6, "every unit with every reader"
    assert "dev_accuracy" in table
    (compare,) = (command for command in commands(TEXT, "esetrag") if command[1] == "compare")
    assert re.search(r"build_vocab\.unit +char +bpe", run(lab, compare))


@pytest.mark.slow
def test_the_curve_of_the_lab_is_drawn(lab: Project, tmp_path: Path) -> None:
    (command,) = (command for command in commands(TEXT, "esetrag") if command[1] == "curve")
    run(lab, [*command, "--seeds", "1", "--sizes", "30"])
    assert (lab.root / "metrics/hun-verb-mood/learning_curve.png").read_bytes()[1:4] == b"PNG"


def test_the_sentences_agree_with_the_tables() -> None:
    """Whole forms are read worse than subwords, and the two readers alike."""
    rows = re.findall(r"^\| (char|bpe|word) \|(.*)\|$", TEXT, re.MULTILINE)
    assert [unit for unit, _ in rows] == ["char", "bpe", "word"]
    figures = {unit: [float(cell) for cell in cells.split("|")[1:]] for unit, cells in rows}
    assert all(max(of) <= 100 for of in figures.values())
    nouns, nouns_again, verbs, verbs_again = figures["word"]
    assert (nouns, verbs) == (nouns_again, verbs_again), "all unseen forms are one symbol to both readers"
    assert max(figures["word"]) < min(figures["bpe"]) < min(figures["char"])
