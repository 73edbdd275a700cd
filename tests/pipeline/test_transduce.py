"""Words that are written, from the table to the answers: inflection, lemmatisation, columns of a table."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import mlflow
import pytest

from esetrag import cli, predict
from esetrag.core import config, tables
from esetrag.core.layout import Layout
from tests.project import STEMS, Project, with_git
from tests.writing import ENDINGS, INFLECTION, LEMMATISATION

STAGES = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")
TOY = {"raw": "data/raw/toy.tsv"}
SMALL: dict[str, Any] = {
    "models": {"seq2seq": {"embedding": 8, "hidden": 16}},
    "sample": {"train": 160, "dev": 30, "test": 40},
    "train": {"epochs": 8, "learning_rate": 0.02, "analogies": 500},
}


def table() -> str:
    return "".join(f"{s}\t{s}{ending}\t{bundle}\n" for s in STEMS[:70] for bundle, ending in ENDINGS.items())


def tsv(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


@pytest.mark.slow
def test_words_are_inflected_from_the_table_to_the_answers(
    project: Project, client: Callable[[Project], mlflow.MlflowClient]
) -> None:
    project.write("data/raw/toy.tsv", table())
    project.change(tasks={"toy": {**INFLECTION, **TOY}}, tracking={"enabled": True}, **SMALL)
    with_git(project).run("dvc", "repro", warm=False)

    test = project.json("metrics/toy/test.json")
    models = test["models"]
    assert set(models) == {"seq2seq", "edit_rules", "copy"}, "a classifier cannot be compared"
    assert models["seq2seq"]["accuracy"] > 0.8 > 0.5 > models["copy"]["accuracy"]
    assert models["seq2seq"]["accuracy"] <= models["seq2seq"]["in_candidates"]
    report = (project.root / "metrics/toy/report.html").read_text("utf-8")
    for title in (
        "Results",
        "Seen and new",
        "Words written wrongly",
        "What the model uses",
        "Attention, word 1",
    ):
        assert title in report
    store = client(project)
    experiment = store.get_experiment_by_name("esetrag/toy")
    assert experiment
    (run,) = store.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert pytest.approx(models["seq2seq"]["accuracy"]) in run.data.metrics.values()

    stem, bundles = STEMS[3], sorted(ENDINGS)
    done = project.run("esetrag", "inflect", stem, *bundles, "--format", "json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["form"], answer["features"]) for answer in answers] == [
        (stem, bundle) for bundle in bundles
    ]
    assert answers[1]["labels"] == [stem + ENDINGS[bundles[1]]]
    whole = project.run("esetrag", "paradigm", stem, "--format", "json")
    assert whole.stdout == done.stdout, "a paradigm has the bundles of training"
    rows = "".join(f"{stem}\t{bundle}\n" for bundle in bundles)
    project.write("words.tsv", rows)
    header, *lines = tsv(project.run("esetrag", "predict", "--input", "words.tsv", "--format", "tsv").stdout)
    assert header[:4] == ["form", "column_2", "label", "probability"]
    assert [line[2] for line in lines] == [answer["labels"][0] for answer in answers]
    refused = project.run("esetrag", "lemmatise", stem, "--task", "toy", code=2).stderr
    assert "expected one that lemmatises" in refused


def run(root: Path) -> None:
    """Runs all stages of the toy task here, in the process of the tests."""
    params = config.load(root / "params.yaml")
    for name in STAGES:
        main = runpy.run_path(str(root / f"stages/{name}.py"))["main"]
        hints = {key: kind for key, kind in get_type_hints(main).items() if key not in ("layout", "return")}
        kinds = [config.AnyTask if key == "task" else kind for key, kind in hints.items()]
        main(Layout("toy"), *params.sections("toy", kinds))


def test_words_are_lemmatised_without_features(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    project.write("data/raw/toy.tsv", table())
    project.change(tasks={"toy": {**LEMMATISATION, **TOY}}, **SMALL)
    monkeypatch.chdir(project.root)
    run(project.root)
    test = project.json("metrics/toy/test.json")
    assert test["models"]["seq2seq"]["accuracy"] > 0.8
    assert project.json("data/toy/vocab.json").get("features") is None
    capfdbinary.readouterr()
    cli.main(["lemmatise", STEMS[5] + "nak", STEMS[6], "--format", "tsv"])
    lines = tsv(capfdbinary.readouterr().out.decode())
    assert [line[1] for line in lines[1:]] == [STEMS[5], STEMS[6]]


def test_any_two_columns_are_a_task_and_letters_can_be_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds = str.maketrans("aáoókgbm", "0123KGBM")
    lines = [f"{word}\t{word.translate(sounds)}\n" for word in STEMS]
    project.write("data/raw/toy.tsv", "".join(lines))
    task = {"kind": "transduce", **TOY, "source": "columns", "columns": {"source": 1, "target": 2}}
    project.change(tasks={"toy": {**task, "output": "letters", "model": "seq2seq"}}, **SMALL)
    project.change(sample={"train": 70, "dev": 20, "test": None}, train={"repeats": 1})
    monkeypatch.chdir(project.root)
    run(project.root)
    test = project.json("metrics/toy/test.json")
    assert (test["seeds"]["count"], test["lemmas"]) == (2, 0)
    predictions = tables.read(project.root / "data/toy/predictions.parquet", tables.TRANSDUCTIONS)
    again = predict.load(project.root / "data/toy/model").predict_table(predictions["form"])
    assert again["label"].to_pylist() == predictions["predicted"].to_pylist()
    report = (project.root / "metrics/toy/report.html").read_text("utf-8")
    assert "column 2 of" in report
