"""Words of sentences with tags, from a CoNLL-U file to the answers."""

from __future__ import annotations

import json
import random

from tests.project import STEMS, Project

ROLES = {"NOUN": "", "VERB": "ik", "ADJ": "os"}


def treebank(sentences: int = 240) -> str:
    """Sentences of an article, a noun, a verb; *ma* is a noun behind an article, else an adverb."""
    rng, blocks = random.Random(1), []
    for number in range(sentences):
        noun, verb = (rng.choice(STEMS) for _ in range(2))
        words = [("az", "DET"), (noun, "NOUN"), (f"{verb}ik", "VERB"), ("ma", "ADV"), (".", "PUNCT")]
        if number % 3 == 0:
            words = [("a", "DET"), (f"{noun}os", "ADJ"), ("ma", "NOUN"), (f"{verb}ik", "VERB"), ("hm", "_")]
        lines = [f"{n}\t{form}\t_\t{tag}\t_\t_\t0\t_\t_\t_" for n, (form, tag) in enumerate(words, 1)]
        blocks.append(
            "\n".join([f"# sent_id = {number}", f"1-2\t{words[0][0]}\t" + "\t".join("_" * 8), *lines])
        )
    return "\n\n".join(blocks) + "\n\n"


def use(project: Project, **task: object) -> None:
    entry = {"kind": "tag", "source": "conllu", "raw": "data/raw/toy.conllu", "field": "upos", **task}
    project.change(
        tasks={"toy": {"model": "word_tagger", **entry}},
        models={"word_tagger": {"embedding": 8, "hidden": 16, "dropout": 0.0, "ensemble": 2}},
        sample={"train": None, "dev": None, "test": None},
        train={"epochs": 12, "batch_size": 16, "learning_rate": 0.02, "analogies": 0},
    )


def test_words_are_tagged_by_a_pipeline_of_their_own(repository: Project) -> None:
    repository.write("data/raw/toy.conllu", treebank())
    use(repository)
    repository.run("dvc", "repro", warm=False)
    figures = repository.json("metrics/toy/test.json")
    own = figures["models"]["word_tagger"]
    assert own["accuracy"] > figures["models"]["longest_suffix"]["accuracy"] > 0.8
    assert figures["lemmas"] == repository.json("metrics/toy/data.json")["parts"]["test"]["rows"]
    assert figures["rows"] < 5 * figures["lemmas"]  # hm has no tag
    assert 0 < figures["exact_sentences"]["value"] <= own["accuracy"]
    assert {"seen word", "new word"} >= {*figures["stress"]} >= {"seen word"}
    assert (repository.root / "metrics/toy/report.html").stat().st_size > 50_000

    done = repository.run("esetrag", "predict", "a barakos ma karaik", "az ma .")
    lines = [line.split()[:2] for line in done.stdout.splitlines()]
    assert lines[:5] == [["a", "DET"], ["barakos", "ADJ"], ["ma", "NOUN"], ["karaik", "VERB"], []]
    done = repository.run("esetrag", "predict", "--format", "json", "--text", "Az bara\n karaik ma.")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["words"] for row in rows] == [["Az", "bara"], ["karaik", "ma", "."]]
    assert rows[1]["tags"] == ["VERB", "ADV", "PUNCT"]
    assert len(rows[1]["tag_probabilities"]) == 3
    repository.write("sentences.txt", "az bara karaik  ma .\n" + "a " * 300 + "\n")
    table = repository.run("esetrag", "predict", "--input", "sentences.txt").stdout.splitlines()
    assert table[0].split("\t")[:2] == ["form", "label"]
    assert table[1].split("\t")[1] == "DET NOUN VERB ADV PUNCT"
    assert len(table[2].split("\t")[1].split()) == 300
    same = repository.run("esetrag", "compare", "workspace", "workspace").stdout
    assert "correct on the same" in same


def test_a_model_of_letters_is_refused(project: Project) -> None:
    use(project, model="tagger")
    done = project.stage("sample", code=2)
    assert done.stderr.strip().endswith("tasks.toy.model: tagger is no model to tag; known: word_tagger")


def test_a_field_that_there_is_not_is_refused(project: Project) -> None:
    use(project, field="lemma")
    assert "tasks.toy.field" in project.stage("sample", code=2).stderr
