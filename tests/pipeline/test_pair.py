"""Pairs, from the table to the answers."""

from __future__ import annotations

import json
from itertools import product

import pandas as pd
import pytest

from esetrag.predict import pyfunc
from tests.pipeline.test_tag import nouns
from tests.project import STEMS, Project

HARMONY = {"nak": "nek", "ban": "ben", "k": "k"}


def inflected() -> str:
    """Nouns of two kinds: those with an o or ó have other endings."""
    lines = []
    for line in nouns().splitlines():
        lemma, form, tags = line.split("\t")
        ending = form.removeprefix(lemma)
        lines.append(f"{lemma}\t{lemma}{ending.replace('e', 'a') if lemma[1] in 'aá' else ending}\t{tags}\n")
    return "".join(lines)


def use(project: Project, **task: object) -> None:
    project.change(
        tasks={"toy": {"kind": "pair", "raw": "data/raw/toy.tsv", "model": "siamese", **task}},
        models={"siamese": {"embedding": 8, "hidden": 16, "layers": 1, "dropout": 0.0}},
        sample={"train": 300, "dev": 40, "test": None},
        train={"epochs": 4, "learning_rate": 0.02, "analogies": 0},
    )


def test_forms_are_judged_by_a_pipeline_of_their_own(repository: Project) -> None:
    repository.write("data/raw/toy.tsv", inflected())
    use(repository, pos="N", builder="valid")
    repository.run("dvc", "repro", warm=False)
    figures = repository.json("metrics/toy/test.json")
    assert figures["baselines"] == ["differing_endings", "similarity", "majority"]
    assert figures["models"]["siamese"]["accuracy"] > 0.6
    assert 0.5 < figures["models"]["siamese"]["auc"] <= 1
    assert (repository.root / "metrics/toy/report.html").stat().st_size > 50_000
    assert "~" in (repository.root / "metrics/toy/errors.md").read_text("utf-8")
    query = "bara\tbaranak\tN;DAT;SG"
    done = repository.run("esetrag", "predict", "--format", "json", query)
    (answer,) = (json.loads(line) for line in done.stdout.splitlines())
    assert (answer["form"], answer["features"]) == ("bara\tbaranak", "N;DAT;SG")
    assert answer["labels"][0] in ("right", "wrong")
    repository.write("table.tsv", f"{query}\nbara\tbaranek\tN;DAT;SG\n")
    table = repository.run("esetrag", "predict", "--input", "table.tsv").stdout.splitlines()
    assert table[0].split("\t") == [
        "form",
        "column_2",
        "column_3",
        "label",
        "probability",
        "label_set",
        "unknown",
    ]
    assert len(table) == 3
    served = pyfunc.load(repository.root / "data/toy/model")
    columns = {"features": ["N;DAT;SG"] * 2, "second": ["baranak", "baranek"], "first": ["bara"] * 2}
    assert list(served.predict(pd.DataFrame(columns))["label"]) == [row.split("\t")[3] for row in table[1:]]
    repository.write("doubtful.tsv", f"{inflected()}bara\tbaranak\tN;NOM;SG\n")
    repository.run("esetrag", "audit", "doubtful.tsv", "--with", "toy", "--output", "found.tsv")
    head, *found = (repository.root / "found.tsv").read_text("utf-8").splitlines()
    assert head.startswith("kind\tlemma\tform\tfeatures\tstated\tlikelier\tprobability\tevidence")
    listed = ["\t".join(line.split("\t")[1:4]) for line in found]
    assert 0 < len(listed) == len({*listed} & {*f"{inflected()}bara\tbaranak\tN;NOM;SG".splitlines()})
    for word in ("bara", "bara\tbaranak", "bara\t\tN;DAT;SG", "bara\tbara\tN;XYZ"):
        failed = repository.run("esetrag", "predict", word, code=2)
        assert failed.stderr.startswith("esetrag: ")
        assert failed.stderr.count("\n") == 1
    text = repository.run("esetrag", "predict", "--text", "Bara baranak.", code=2)
    assert text.stderr.startswith("esetrag: --text: this model is asked for first, second, features")


@pytest.mark.parametrize("unit", ["word", "bpe"])
def test_pairs_of_a_table_of_ones_own(project: Project, unit: str) -> None:
    subjects, verbs = ("the cat", "a dog", "my bird", "this fish"), ("sleeps", "eats", "sings", "swims now")
    rows = [
        (f"{subject} {verb}", f"{other} {verb}", "yes" if subject == other else "no", verb)
        for subject, other, verb in product(subjects, subjects, verbs)
    ]
    head = "one\tother\tsame\tgroup\n"
    project.write("data/raw/toy.tsv", head + "".join("\t".join(row) + "\n" for row in rows))
    names = {"first": "one", "second": "other", "label": "same", "lemma": "group"}
    use(project, source="columns", columns=names)
    project.change(
        build_vocab={"unit": unit, "merges": 20}, models={"siamese": {"symmetric": True}}, train={"epochs": 1}
    )
    for stage in ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis"):
        project.stage(stage)
    assert project.json("metrics/toy/test.json")["rows"] == 16
    done = project.run("esetrag", "predict", "--format", "json", "the cat eats\ta dog eats")
    assert json.loads(done.stdout)["labels"][0] in ("no", "yes")


def test_a_table_is_audited_by_a_trained_task_of_right_forms_alone(project: Project) -> None:
    project.write("data/raw/toy.tsv", inflected())
    for task, message in (
        ({"pos": "N", "builder": "same-lemma"}, "no task of params.yaml judges; docs/pairs.md shows how"),
        ({"pos": "N", "builder": "valid"}, "make it: dvc repro"),
    ):
        use(project, **task)
        failed = project.run("esetrag", "audit", "data/raw/toy.tsv", code=2)
        assert message in failed.stderr
        assert failed.stderr.count("\n") == 1
    failed = project.run("esetrag", "audit", "data/raw/toy.tsv", "--with", "nouns", code=2)
    assert failed.stderr.startswith("esetrag: no task 'nouns' in params.yaml; known: toy")


def test_faults_of_a_table_are_one_line(project: Project) -> None:
    project.write("data/raw/toy.tsv", "one\tother\tsame\nab\tabc\tyes\n")
    use(project, source="columns", columns={"first": "one", "second": "other", "label": "label"})
    assert (
        project.stage("sample", code=2).stderr.strip().endswith("no column 'label'; found one, other, same")
    )
    project.write("data/raw/toy.tsv", "one\tother\tlabel\nab\t\tyes\nab\t\tno\n")
    assert "none of the 2 rows has" in project.stage("sample", code=2).stderr
    use(project, pos="N", builder="other")
    assert "builder" in project.stage("sample", code=2).stderr


def test_forms_of_one_lemma_are_found(project: Project) -> None:
    stems = [stem + end for stem in STEMS for end in ("", "n", "ri", "nat")]
    lines = (
        f"{s}\t{s}{e}\tN;{c};SG\n" for s in stems for c, e in {"NOM": "", "DAT": "nak", "INST": "val"}.items()
    )
    project.write("data/raw/toy.tsv", "".join(lines))
    use(project, pos="N", builder="same-lemma")
    project.stage("sample")
    counts = project.json("metrics/toy/data.json")["parts"]["train"]["labels"]
    assert counts["same"] > 10 < counts["different"]
