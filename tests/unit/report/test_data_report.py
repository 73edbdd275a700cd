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


def test_the_page_shows_the_account(account: dict[str, Any]) -> None:
    page = data_report.page("hun-noun-case", account)
    assert page.startswith("# Data of hun-noun-case\n")
    assert "91 rows read, 3 exact duplicates dropped, 84 rows of the part of speech kept." in page
    assert "| V | 1 |" in page
    assert "| train | 20 | 70 | " in page
    assert "| empty cell | 1 | " in page
    assert "| no value of Case | 1 | `kana kanaja N;SG;PSS3S` |" in page
    assert "`bor a\\|b N;NOM;ACC;SG`" in page, "a bar must not end the cell"
    assert "| IN+ESS | " in page
    assert page.endswith("|\n")


def test_a_page_of_which_nothing_was_left_out_says_so(account: dict[str, Any]) -> None:
    page = data_report.page("hun-noun-case", account | {"dropped": {}})
    assert "## Rows of N left out\n\nNone.\n" in page


def test_counts_are_sorted_by_value() -> None:
    assert list(data_report.counts(pa.chunked_array([["b", "a"], ["b"]])).items()) == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("split", leakage.GUARANTEES)
def test_the_page_says_what_the_split_guarantees_and_what_is_shared(
    account: dict[str, Any], split: str
) -> None:
    told = account["split"] | {"kind": split, "guarantee": leakage.GUARANTEES[split]}
    page = data_report.page("hun-noun-case", account | {"split": told})
    assert f"Split `{split}`: {leakage.GUARANTEES[split]}" in page
    assert "Test and train share 0 lemmas, 0 forms and 0 of 12 families of lemmas." in page
    assert ("No lemma is in two parts" in page) == (split != "form")


def test_the_page_names_the_heads_that_were_passed_over(account: dict[str, Any]) -> None:
    heads = [f"szó{i:02}" for i in range(data_report.HEADS_SHOWN + 3)]
    page = data_report.page("toy", account | {"split": account["split"] | {"heads_passed_over": heads}})
    assert "since too many lemmas end in them: *szó00*, *szó01*" in page
    assert "*szó09* and 3 more." in page
    assert "szó10" not in page
    assert "Not taken" not in data_report.page("toy", account)
