"""Words in segments, from the table to the answers."""

from __future__ import annotations

import json

from tests.project import STEMS, Project

NUMBERS, CASES = {"SG": "", "PL": "k"}, {"NOM": "", "ACC": "t", "DAT": "nek", "IN+ESS": "ben", "ON+ALL": "re"}


def nouns() -> str:
    return "".join(
        f"{stem}\t{stem}{plural}{ending}\tN;{case};{number}\n"
        for stem in STEMS
        for number, plural in NUMBERS.items()
        for case, ending in CASES.items()
    )


def use(project: Project, **task: object) -> None:
    project.change(
        tasks={"toy": {"kind": "tag", "raw": "data/raw/toy.tsv", "model": "tagger", **task}},
        models={"tagger": {"embedding": 8, "hidden": 16, "layers": 1, "dropout": 0.0}},
        sample={"train": 300, "dev": 40, "test": None},
        train={"epochs": 8, "learning_rate": 0.01, "analogies": 0},
    )


def test_nouns_are_split_by_a_pipeline_of_their_own(repository: Project) -> None:
    repository.write("data/raw/toy.tsv", nouns())
    use(repository, pos="N")
    repository.run("dvc", "repro")
    figures = repository.json("metrics/toy/test.json")
    own = figures["models"]["tagger"]
    assert figures["baselines"] == ["longest_suffix_split", "frequent_tags"]
    assert own["accuracy"] > 0.9 < own["f1"]
    assert own["tag_accuracy"] >= own["accuracy"]
    assert figures["stress"]["new lemma"]["f1"] == own["f1"]
    assert (repository.root / "metrics/toy/report.html").stat().st_size > 50_000
    done = repository.run("esetrag", "predict", "--format", "json", "barakben", "🙂", "a" * 200)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0]["labels"] == ["bara|k|ben"]
    assert rows[0]["names"] == "stem number case"
    assert rows[0]["tags"] == ["|stem:=", "=", "=", "=", "|number:=", "|case:=", "=", "="]
    assert len(rows[0]["tag_probabilities"]) == 8
    assert rows[2]["labels"][0].replace("|", "") == "a" * 200  # no letter of a long word is lost
    repository.write("words.tsv", "barak\nbaraben\n")
    table = repository.run("esetrag", "predict", "--input", "words.tsv").stdout.splitlines()
    assert table[0].split("\t") == ["form", "label", "probability", "label_set", "unknown", "names"]
    assert table[1].split("\t")[:2] == ["barak", "bara|k"]


def test_given_segmentations_are_learned_with_what_they_restore(project: Project) -> None:
    rows = [(f"{stem}{end}", f"{stem} @@{end}") for stem in STEMS for end in ("nek", "ben")]
    rows += [(stem.replace("a", "e") + "z", f"{stem} @@ez") for stem in STEMS if "a" in stem]
    project.write("data/raw/toy.tsv", "".join(f"{form}\t{label}\n" for form, label in rows))
    use(project, source="columns", columns={"form": 1, "segments": 2})
    project.change(sample={"train": 100, "dev": 10}, train={"epochs": 1})
    for stage in ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis"):
        project.stage(stage)
    assert "a" in project.json("data/toy/vocab.json")["labels"]
    assert project.json("metrics/toy/test.json")["models"]["tagger"]["f1"] > 0


def test_a_model_of_another_kind_is_refused(project: Project) -> None:
    use(project, pos="N")
    project.use("bilstm")
    done = project.stage("sample", code=2)
    assert done.stderr.strip().endswith("tasks.toy.model: bilstm is no model to tag; known: tagger")
