from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from esetrag.core import config
from esetrag.data import leakage, sampling
from esetrag.data.families import Families
from esetrag.data.selection import COLUMNS, select
from esetrag.report import data_report


@pytest.fixture
def account(tiny_rows: pa.Table, given: config.Params) -> dict[str, Any]:
    extra = [
        ("kana", "kana", "V;PRS"),
        ("kana", "kanaja", "N;SG;PSS3S"),
        ("bor", "a|b", "N;NOM;ACC;SG"),
        ("bor", "", "N;NOM;SG"),
    ]
    rows = tiny_rows.select(list(COLUMNS)).cast(pa.schema({name: pa.string() for name in COLUMNS}))
    more = pa.Table.from_arrays([pa.array(column) for column in zip(*extra, strict=True)], schema=rows.schema)
    raw = pa.concat_tables([rows, rows.slice(0, 3), more])
    selection = select(raw, Path("hun.tsv"), "N", "Case")
    sample = given.sample.model_copy(update={"train": 20, "dev": None, "test": None})
    available = sampling.split(selection.table, sample)
    drawn = sampling.draw(available, sample)
    split = leakage.account("lemma", drawn, Families.of(selection.table))
    return data_report.figures(given.task("hun-noun-case"), "c0ffee", selection, available, drawn, split)


def test_every_row_of_the_file_is_accounted_for(account: dict[str, Any]) -> None:
    read = account["read"]
    assert (read["rows"], read["duplicates"]) == (84 + 3 + 4, 3)
    assert read["parts_of_speech"] == {"N": 87, "V": 1}
    dropped = sum(entry["rows"] for entry in account["dropped"].values())
    assert read["rows"] - read["duplicates"] - read["parts_of_speech"]["V"] - dropped == account["kept"] == 84
    assert sum(part["available"] for part in account["parts"].values()) == account["kept"]


def test_the_parts_are_told_with_their_sizes_and_labels(account: dict[str, Any]) -> None:
    parts = account["parts"]
    assert [(name, part["rows"], part["available"]) for name, part in parts.items()] == [
        ("train", 20, 70),
        ("dev", 7, 7),
        ("test", 7, 7),
    ]
    assert [parts[name]["lemmas"] for name in ("dev", "test")] == [1, 1]
    for part in parts.values():
        assert sum(part["labels"].values()) == part["rows"]
        assert list(part["labels"]) == sorted(part["labels"])
        assert part["forms"] <= part["rows"]


def test_the_account_is_json(account: dict[str, Any]) -> None:
    assert json.loads(json.dumps(account, allow_nan=False)) == account


def test_counts_are_sorted_by_value() -> None:
    assert list(data_report.counts(pa.chunked_array([["b", "a"], ["b"]])).items()) == [("a", 1), ("b", 2)]
