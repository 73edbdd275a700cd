from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esetrag.core import config
from tests.unit.core.params_file import COLUMNS, changed, refusal, written

TASK = "hun-noun-case"
KINDS = "kind and source should be classify, transduce or tag from unimorph or columns"
KEYS = "kind, raw, splits, model, sample, train, leakage, source"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            "",
            {"kind": "poem"},
            f"{KINDS}, found 'poem from unimorph'",
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
        ("splits", {"train": "a", "dev": "b"}, ".test: missing"),
        (
            "splits",
            {"train": "a", "dev": "b", "test": "c", "more": "d"},
            ".more: unknown key, expected one of train, dev, test",
        ),
        ("pos", 7, "should be a part of speech or a list of them, found 7"),
        ("pos", ["N", 7], ".1: should be a valid string, found 7"),
        ("feature", "Kasus", "should be one of Aktionsart, Animacy, Aspect, Case, "),
        ("columns", ["lemma", "tags", "tags"], "should name each once, found "),
        ("model", "gru", "no model 'gru'; known: bilstm, ngram, seq2seq, tagger, blend"),
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


def test_a_task_of_columns_and_of_three_tables(tmp_path: Path, content: dict[str, Any]) -> None:
    params = config.load(written(tmp_path, changed(content, ("tasks.own", COLUMNS))))
    task = params.task("own")
    assert isinstance(task, config.ColumnsTask)
    assert task.tables == ("data/raw/own/a.tsv", "data/raw/own/b.tsv", "data/raw/own/c.tsv.gz")
    assert (task.columns.form, task.columns.label, task.columns.lemma) == ("word", 2, None)
    assert params.model_of("own").experts == [params.models["ngram"]]
