"""A language whose forms bear several values, from the table to the answers."""

from __future__ import annotations

import json

import pyarrow.parquet as pq

from tests.project import STEMS, Project

STAGES = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")
ENDINGS = {"": ("NOM", "ACC"), "s": ("GEN",), "m": ("DAT",), "n": ("ACC", "DAT")}
"""As in German, where *Haus* is nominative and accusative."""


def table() -> str:
    rows = [
        f"{s}\t{s}{ending}\tN;{case};SG" for s in STEMS for ending, cases in ENDINGS.items() for case in cases
    ]
    choice = [f"{s}\t{s}x\tN;NOM/GEN;PL" for s in STEMS]  # a table that writes a choice itself
    return "\n".join([*rows, *choice, ""])


def test_forms_of_several_values_are_learned_and_scored_as_sets(project: Project) -> None:
    project.write("data/raw/toy.tsv", table())
    project.change(
        sample={"train": 250, "dev": None},
        models={"ngram": {"iterations": 60}},
        train={"repeats": 1},
    )
    project.use("ngram")
    for stage in STAGES:
        project.stage(stage)
    rows = pq.read_table(project.root / "data/toy/sample/test.parquet").to_pylist()
    assert {row["label"] for row in rows} == {"ACC/NOM", "GEN", "DAT", "ACC/DAT", "GEN/NOM"}
    assert len({row["form"] for row in rows}) == len(rows)
    figures = project.json("metrics/toy/test.json")
    scores = figures["models"]["ngram"]
    assert scores["any_correct"] > 0.95
    assert scores["set_f1"] > 0.95
    assert scores["accuracy"] <= figures["upper_bound"]["accuracy"] < 0.7
    assert figures["seeds"]["count"] == 2
    stem = rows[0]["lemma"]
    done = project.run("python", "-m", "esetrag", "predict", stem, f"{stem}s", "--format", "json")
    sets = [json.loads(line)["label_set"] for line in done.stdout.splitlines()]
    assert sets == ["ACC/NOM", "GEN"]
