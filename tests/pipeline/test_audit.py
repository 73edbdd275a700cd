"""A table with wrong rows through the pipeline: what is kept, dropped, or stops it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.project import CASES, Project, toy_table

OFF = "zura"
"""A lemma whose forms have the value of the row below."""


def spoilt(project: Project, policy: str) -> Project:
    values = list(CASES)
    cells = pairwise(values[1:])
    rows = [f"{OFF}\t{OFF}{CASES[case]}\tN;{below};SG\n" for case, below in cells]
    project.write("data/raw/toy.tsv", toy_table() + "".join(rows))
    project.change(sample={"suspicious": policy})
    return project


AUDIT = {f"metrics/toy/{name}" for name in ("data_audit.json", "review.tsv")}
SUSPICIOUS = len(CASES) - 2


@pytest.mark.parametrize(("policy", "dropped"), [("keep", 0), ("drop", SUSPICIOUS)])
def test_suspicious_rows_are_kept_or_dropped(project: Project, policy: str, dropped: int) -> None:
    spoilt(project, policy).stage("sample")
    data, found = project.json("metrics/toy/data.json"), project.json("metrics/toy/data_audit.json")
    assert found["suspicious"]["label"] == SUSPICIOUS
    assert data["dropped"].get("suspicious label", {"rows": 0})["rows"] == dropped
    assert data["kept"] == len(toy_table().splitlines()) + SUSPICIOUS - dropped
    listed = (project.root / "metrics/toy/review.tsv").read_text("utf-8").splitlines()
    assert [line.split("\t")[1] for line in listed] == ["lemma", *[OFF] * SUSPICIOUS]


def test_dvc_stops_and_leaves_the_list(repository: Project) -> None:
    spoilt(repository, "stop")
    done = repository.run("dvc", "repro", "sample@toy", code=None)
    assert done.returncode != 0
    line = next(line for line in done.stderr.splitlines() if line.startswith("sample: "))
    assert f"{SUSPICIOUS} of " in line
    assert OFF in line
    assert "metrics/toy/review.tsv" in line
    assert repository.outputs() == AUDIT, "the list, and no rows to train on"
    assert OFF in (repository.root / "metrics/toy/review.tsv").read_text("utf-8")
