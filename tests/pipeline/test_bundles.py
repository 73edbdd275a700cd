"""Several features at once, from the table to the answers."""

from __future__ import annotations

import json

import pytest

from tests.project import STEMS, Project

NUMBERS, CASES = {"SG": "", "PL": "k"}, {"NOM": "", "ACC": "t", "DAT": "nek", "IN+ESS": "ben"}
POSSESSED = {"ACC": "emet", "DAT": "emnek"}


def nouns() -> str:
    """Case and number of every stem; some forms are possessed, and some have two bundles."""
    rows = [
        (stem, f"{stem}{plural}{ending}", f"{case};{number}")
        for stem in STEMS
        for number, plural in NUMBERS.items()
        for case, ending in CASES.items()
    ]
    rows += [(s, f"{s}{end}", f"{case};SG;PSS1S") for s in STEMS for case, end in POSSESSED.items()]
    rows += [(stem, f"{stem}z", f"{case};{number}") for stem in STEMS for case, number in BOTH]
    return "".join(f"{lemma}\t{form}\tN;{bundle}\n" for lemma, form, bundle in rows)


BOTH = (("NOM", "PL"), ("ACC", "SG"))


def use(project: Project, feature: object) -> None:
    project.write("data/raw/toy.tsv", nouns())
    task = {"raw": "data/raw/toy.tsv", "pos": "N"}
    project.change(
        tasks={
            "toy": {**task, "feature": feature, "model": "ngram"},
            "lemmas": {
                "kind": "transduce", "raw": "data/raw/toy.tsv", "source": ["form"], "target": "lemma",
                "model": "seq2seq", "train": {"epochs": 1, "analogies": 0},
            },
        },
        sample={"train": 300, "dev": 40, "test": None},
        models={"ngram": {"iterations": 50}, "seq2seq": {"embedding": 8, "hidden": 8}},
    )  # fmt: skip


def test_bundles_are_classified_by_a_pipeline_of_their_own(repository: Project) -> None:
    use(repository, ["Case", "Number", "Possession"])
    repository.run("dvc", "repro", warm=False)
    figures = repository.json("metrics/toy/test.json")
    assert list(figures["features"]) == ["Case", "Number", "Possession"]
    assert {*figures["features"]["Case"]} == {*figures["models"]}
    own = figures["models"]["ngram"]
    assert own["any_correct"] > 0.9 < own["set_f1"]
    for scores in figures["features"].values():
        assert scores["ngram"]["accuracy"] >= own["any_correct"]
        assert scores["ngram"]["low"] <= scores["ngram"]["accuracy"] <= scores["ngram"]["high"]
    report = (repository.root / "metrics/toy/report.html").read_text("utf-8")
    assert "Each feature" in report

    stem = STEMS[0]
    words = [f"{stem}knek", f"{stem}emet", f"{stem}z"]
    done = repository.run("esetrag", "analyze", *words, "--lemmas", "lemmas", "--format", "json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["label_set"] for row in rows] == ["DAT;PL", "ACC;SG;PSS1S", "ACC;SG/NOM;PL"]
    assert [next(iter(row["by_feature"]["Possession"])) for row in rows] == ["_", "PSS1S", "_"]
    assert {*rows[2]["by_feature"]["Case"]} == {"NOM", "ACC"}  # improbable values are left out
    assert all(row["lemma"] and 0 < row["lemma_probability"] <= 1 for row in rows)

    shown = repository.run("esetrag", "analyze", words[0]).stdout
    assert shown.startswith(f"{words[0]}  DAT;PL ")
    assert "  Case DAT " in shown
    assert "  Number PL " in shown
    repository.write("words.tsv", "\n".join(words))
    table = repository.run("esetrag", "predict", "--task", "toy", "--input", "words.tsv").stdout.splitlines()
    head = table[0].split("\t")
    assert head[:5] == ["form", "label", "probability", "label_set", "unknown"]
    assert head[5:9] == ["Case", "Case_probability", "Number", "Number_probability"]
    assert table[2].split("\t")[head.index("Possession")] == "PSS1S"

    done = repository.run("esetrag", "analyze", "--task", "lemmas", words[0], code=2)
    assert done.stderr.strip() == "esetrag: task lemmas: expected one that analyzes, known: toy"


def test_all_features_that_vary_are_found(project: Project) -> None:
    use(project, "all")
    for stage in ("sample", "build_vocab"):
        project.stage(stage)
    assert project.json("data/toy/vocab.json")["dimensions"] == ["Case", "Number", "Possession"]


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (["Case", "Case"], ["tasks.toy.feature", "each once", "['Case', 'Case']"]),
        ([], ["tasks.toy.feature", "at least 1", "[]"]),
        (["Case", "all"], ["tasks.toy.feature", "should be one of Aktionsart, "]),
        (["Case", "Tense"], ["toy.tsv", "no row of N has a value of Tense", "N;NOM;SG", "leave Tense out"]),
        (3, ["tasks.toy.feature", "should be a feature, a list of them or all", "3"]),
    ],
)
def test_features_that_cannot_be_had_are_refused_in_one_line(
    project: Project, feature: object, words: list[str]
) -> None:
    use(project, feature)
    done = project.stage("sample", code=2)
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr
