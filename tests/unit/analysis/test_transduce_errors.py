"""Kinds of wrongly written words."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from esetrag.analysis import error_analysis, transduce_errors
from esetrag.analysis.error_analysis import Analysis
from esetrag.core import tables
from esetrag.symbols.vocabulary import SPECIAL, Vocabulary
from tests.writing import asked

VOCABULARY = Vocabulary((*SPECIAL, *"aehkmnrtz"), (), features=("DAT", "N", "SG"), bundles=("N;DAT;SG",))
TRAIN = asked(("kert", "N;DAT;SG", "kertnek"))


def analysed(*rows: tuple[str, str | None, str, str], vocabulary: Vocabulary = VOCABULARY) -> Analysis:
    """Of word, features, right words, written word."""
    table = asked(*[row[:3] for row in rows]).select(tables.ROWS.names)
    written = [row[3] for row in rows]
    candidates, shares = [[word, "kertnek"] for word in written], [[0.5, 0.25]] * len(rows)
    more: list[Any] = [written, written, [0.5] * len(rows), candidates, shares]
    predictions = pa.table([*table.columns, *more], schema=tables.TRANSDUCTIONS)
    return transduce_errors.analyse(predictions, vocabulary)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (("kert", "N;DU", "kertnek", "kertx"), "unknown value"),
        (("kert", "N;DAT;SG", "kertnek", "kert"), "copied"),
        (("kert", "N;DAT;SG", "kertnek", "kertne"), "truncated"),
        (("kert", "N;DAT;SG", "kertnek", "kertnekek"), "repeated"),
        (("kert", "N;DAT;SG", "kertnek", "kertnak"), "other vowels"),
        (("bokor", "N;DAT;SG", "bokort", "bkort"), "stem"),
        (("kert", "N;DAT;SG", "kertnek", "kertet"), "ending"),
        (("kert", "N;DAT;SG", "kertnek", "zzz"), "other"),
        (("kert", "N;DAT;SG", "zzzzz|kertnek", "kertnak"), "other vowels"),  # the nearest right word
    ],
)
def test_each_kind(row: tuple[str, str | None, str, str], kind: str) -> None:
    found = analysed(row, ("kert", "N;DAT;SG", "kertnek", "kertnek"))
    assert (found.rows, found.errors["kind"].tolist()) == (2, [kind])
    assert error_analysis.summary(found)["kinds"][kind] == 1
    assert set(found.kinds) == set(transduce_errors.KINDS)


def test_the_errors_are_a_table_with_the_probability_of_the_right_word() -> None:
    found = analysed(("kert", "N;DAT;SG", "kertnek", "kertnak"), ("kéz", "N;DAT;SG", "kéznek", "kéznak"))
    table = error_analysis.table(found)
    assert table.schema.equals(tables.ERRORS)
    assert table["label_probability"].to_pylist() == [0.25, 0.0]
    assert table["unknown"].to_pylist() == ["", "é"]
    assert found.confusions.to_dict("list") == {"label": ["+nek"], "predicted": ["+nak"], "errors": [2]}
    values = found.slices[found.slices["slice"] == "value"].set_index("value")
    assert values.to_dict("index")["DAT"] == {"slice": "value", "rows": 2, "errors": 2, "accuracy": 0.0}


def test_there_may_be_no_errors_and_no_features() -> None:
    found = analysed(("kert", None, "kertnek", "kertnek"), vocabulary=Vocabulary((*SPECIAL, *"ekrt"), ()))
    assert found.errors.empty
    assert error_analysis.table(found).schema.equals(tables.ERRORS)
    assert found.slices["slice"].unique().tolist() == ["length"]
