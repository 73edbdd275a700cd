from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from esetrag.core import config
from tests.unit.core.params_file import COLUMNS, changed, refusal, written

TASK = "hun-noun-case"
KINDS = (
    "kind and source should be classify, transduce, tag or pair from unimorph or columns, or tag from conllu"
)
KEYS = "kind, raw, splits, model, sample, train, calibration, leakage, source"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            "",
            {"kind": "translate"},
            f"{KINDS}, found 'translate from unimorph'",
        ),
        (
            "",
            {**COLUMNS, "source": "x"},
            f"{KINDS}, found 'classify from x'",
        ),
        (
            "",
            7,
            f"{KINDS}, found 'nothing from unimorph'",
        ),
        ("raw", 7, "should be a valid string, found 7"),
        ("raw", "a\tb", r"String should match pattern '^[^\x00-\x1f\x7f]+$', found 'a\tb'"),
        (
            "raw",
            "https://x.org/est",
            "should be a path; bring the file in with: dvc import-url, found 'https",
        ),
        ("splits", {"train": "a", "dev": "b"}, ".test: missing"),
        (
            "splits",
            {"train": "a", "dev": "b", "test": "c", "more": "d"},
            ".more: unknown key, expected one of train, dev, test",
        ),
        ("pos", 7, "should be a part of speech or a list of them, found 7"),
        ("pos", ["N", 7], ".1: should be a valid string, found 7"),
        ("feature", "Kasus", "should be one of Aktionsart, Animacy, Aspect, Case, "),
        ("feature", ["Case", "Kasus"], "should be one of Aktionsart, Animacy, Aspect, Case, "),
        ("feature", ["Case", "all"], "should be one of Aktionsart, Animacy, Aspect, Case, "),
        ("feature", ["Case", "Case"], "should name each once, found ['Case', 'Case']"),
        ("feature", [], "List should have at least 1 item after validation, not 0, found []"),
        ("feature", 7, "should be a feature, a list of them or all, found 7"),
        ("columns", ["lemma", "tags", "tags"], "should name each once, found "),
        (
            "model",
            "gru",
            "no model 'gru'; known: bilstm, ngram, seq2seq, ",
        ),
        ("model", 7, "should be a valid string, found 7"),
        (
            "file",
            1,
            f"unknown key, expected one of {KEYS}, pos, ",
        ),
        ("leakage", "hide", "should be 'report' or 'refuse', found 'hide'"),
        ("train", {"epochs": 0}, ".epochs: should be greater than or equal to 1, found 0"),
        ("train", {"epoch": 1}, ".epoch: unknown key, expected one of seed, repeats, threads, "),
        ("train", 7, "should be a valid dictionary, found 7"),
    ],
)
def test_a_message_about_a_task_names_it(
    tmp_path: Path, content: dict[str, Any], place: str, value: Any, message: str
) -> None:
    path = f"tasks.{TASK}.{place}".rstrip(".")
    text = refusal(tmp_path, changed(content, (path, value)))
    assert text.startswith(f": {path}{message if message[0] == '.' else f': {message}'}")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            "pos",
            "N",
            f".pos: unknown key, expected one of {KEYS}, columns",
        ),
        ("columns", {"form": 1}, ".columns.label: missing"),
        ("columns", {"form": 0, "label": 2}, ".columns.form: should be greater than or equal to 1, found 0"),
        (
            "columns",
            {"form": True, "label": 2},
            ".columns.form: should be the name of a column or its number",
        ),
        ("columns", {"form": 1, "label": 2, "tags": 3}, ".columns.tags: unknown key, expected one of form, "),
    ],
)
def test_a_task_of_columns_has_fields_of_its_own(
    tmp_path: Path, content: dict[str, Any], place: str, value: Any, message: str
) -> None:
    wrong = changed(content, ("tasks.own", COLUMNS), (f"tasks.own.{place}", value))
    assert refusal(tmp_path, wrong).startswith(f": tasks.own{message}")


@pytest.mark.parametrize(
    ("task", "key"),
    [
        ({"kind": "pair", "builder": "valid", "pos": "N", "model": "siamese"}, "builder"),
        ({"kind": "pair", "source": "columns", "columns": {}, "model": "siamese"}, "columns"),
        ({"kind": "tag", "source": "conllu", "field": "upos", "model": "word_tagger"}, "field"),
    ],
)
def test_an_unknown_key_of_any_kind_of_task_is_answered_with_its_keys(
    tmp_path: Path, content: dict[str, Any], task: dict[str, Any], key: str
) -> None:
    wrong = changed(content, ("tasks.own", {"raw": "data/raw/own.tsv", **task, "more": 1}))
    (told,) = re.findall(r"tasks\.own\.more: unknown key, expected one of ([^;]*)", refusal(tmp_path, wrong))
    assert key in told.split(", ")


def test_a_task_of_columns_and_of_three_tables(tmp_path: Path, content: dict[str, Any]) -> None:
    params = config.load(written(tmp_path, changed(content, ("tasks.own", COLUMNS))))
    task = params.task("own")
    assert isinstance(task, config.ColumnsTask)
    assert task.tables == ("data/raw/own/a.tsv", "data/raw/own/b.tsv", "data/raw/own/c.tsv.gz")
    assert (task.columns.form, task.columns.label, task.columns.lemma) == ("word", 2, None)
    assert params.model_of("own").experts == [params.models["ngram"]]


INFLECT = "tasks.hun-inflect"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("model", "bilstm", ".model: bilstm is no model to transduce; known: seq2seq"),
        ("source", ["lemma", "form"], ": source and target should be [features, lemma] and form, or [form]"),
        ("source", ["features"], ": source and target should be [features, lemma] and form, or [form] and"),
        ("source", ["form"], ": source and target should be [features, lemma] and form, or [form] and lemma"),
        ("source", [], ".source: List should have at least 1 item"),
        ("source", ["lemma", "lemma"], ".source: should name each once, found ['lemma', 'lemma']"),
        ("source", ["tags"], ".source.0: should be 'features', 'lemma' or 'form', found 'tags'"),
        ("target", "features", ".target: should be 'form' or 'lemma', found 'features'"),
        ("output", "words", ".output: should be 'edits' or 'letters', found 'words'"),
        ("feature", "Case", ".feature: unknown key, expected one of kind, raw, "),
        ("sample", {"train": 0}, ".sample.train: should be greater than or equal to 1, found 0"),
        ("sample", {"trian": 9}, ".sample.trian: unknown key, expected one of suspicious, split, seed, "),
        ("train", {"epochs": "9"}, ".train.epochs: should be a valid integer, found '9'"),
    ],
)
def test_a_message_about_a_task_that_writes_names_it(
    tmp_path: Path, content: dict[str, Any], place: str, value: Any, message: str
) -> None:
    text = refusal(tmp_path, changed(content, (f"{INFLECT}.{place}", value)))
    assert text.startswith(f": {INFLECT}{message}")


def test_a_classifier_cannot_write(tmp_path: Path, content: dict[str, Any]) -> None:
    text = refusal(tmp_path, changed(content, (f"tasks.{TASK}.model", "seq2seq")))
    assert text == f": tasks.{TASK}.model: seq2seq is no model to classify; known: bilstm, ngram, blend"


@pytest.mark.parametrize(
    ("source", "target", "given", "cell"),
    [
        (["features", "lemma"], "form", "lemma", ("form", "features")),
        (["lemma"], "form", "lemma", ("form",)),
        (["form"], "lemma", "form", ("form",)),
        (["form", "features"], "lemma", "form", ("form", "features")),
    ],
)
def test_what_is_given_and_what_is_wanted(
    tmp_path: Path, content: dict[str, Any], source: list[str], target: str, given: str, cell: tuple[str, ...]
) -> None:
    changes = ((f"{INFLECT}.source", source), (f"{INFLECT}.target", target))
    task = config.load(written(tmp_path, changed(content, *changes))).task("hun-inflect")
    assert isinstance(task, config.InflectionTask)
    assert (task.given, task.cell, task.pos) == (given, cell, "N")


def test_a_task_that_writes_may_be_of_columns_and_has_values_of_its_own(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    own = {"kind": "transduce", "source": "columns", "raw": "a.tsv", "model": "seq2seq",
           "columns": {"source": "word", "target": 2}, "sample": {"train": 9, "dev": None}}  # fmt: skip
    params = config.load(written(tmp_path, changed(content, ("tasks.own", own))))
    task = params.task("own")
    assert isinstance(task, config.SequencesTask)
    assert task.cell == ("form",)
    sample, usual = params.section_of("own", config.Sample), params.sample
    assert (sample.train, sample.dev, sample.test, sample.seed) == (9, None, usual.test, usual.seed)
    assert params.sections("own", [config.Sample, config.Compared]) == [sample, config.Compared()]
    assert "ngram" not in params.used_by("own")["models"], "a classifier it cannot be compared with"
    assert params.sections(TASK, [config.Compared])[0][0].name == "ngram"
    three = own | {"columns": {"source": 1, "target": 2, "features": 3}}
    task = config.load(written(tmp_path, changed(content, ("tasks.own", three)))).task("own")
    assert task.cell == ("form", "features")
