from __future__ import annotations

import pyarrow as pa
import pytest

from esetrag.core import tables
from esetrag.data import segmented_rows
from esetrag.data.segmented_rows import CHANGED, EMPTY, MARKED, NO_BASE, OTHER
from esetrag.data.selection import Selection

NOUNS = """
ház ház N;NOM;SG
ház házak N;NOM;PL
ház házban N;IN+ESS;SG
ház házakban N;IN+ESS;PL
alma alma N;NOM;SG
alma almák N;NOM;PL
alma almával N;INST;SG
bokor bokrok N;NOM;PL
agár agarak N;NOM;PL
toll tollal N;INST;SG
lány lánnyal N;INST;SG
szint szintek N;NOM;PL
szint szintok N;NOM;PL
szint szintoknak N;DAT;PL
tej tejeknek N;DAT;PL
kéz kezem N;NOM;SG;PSS1S
a|b a|bnak N;DAT;SG
"""


def selection(rows: list[tuple[str | None, str, str | None, str]]) -> Selection:
    table = pa.table([*map(list, zip(*rows, strict=True)), [None] * len(rows)], schema=tables.LABELLED)
    return Selection(table, len(rows), 0, {})


def spans() -> Selection:
    rows = [line.split() for line in NOUNS.strip().splitlines()]
    return segmented_rows.spans(selection([(lemma, form, tags, "") for lemma, form, tags in rows]))


def test_nouns_split_into_stem_number_and_case() -> None:
    table = spans().table
    labels = dict(zip(table["form"].to_pylist(), table["label"].to_pylist(), strict=True))
    assert labels == {
        "ház": "stem:ház",
        "házak": "stem:ház|number:ak",
        "házban": "stem:ház|case:ban",
        "házakban": "stem:ház|number:ak|case:ban",
        "alma": "stem:alma",
        "almák": "stem:almá|number:k",  # the last vowel may be lengthened
        "almával": "stem:almá|case:val",
        "tollal": "stem:toll|case:al",
        "szintek": "stem:szint|number:ek",
        "szintok": "stem:szint|number:ok",  # of two nominatives the one that fits
        "szintoknak": "stem:szint|number:ok|case:nak",
    }


def test_rows_that_do_not_split_are_counted_with_examples() -> None:
    rows = spans()
    assert rows.dropped == {OTHER: 1, MARKED: 1, NO_BASE: 1, CHANGED: 3}
    assert rows.examples[CHANGED] == [
        "bokor bokrok N;NOM;PL",
        "agár agarak N;NOM;PL",
        "lány lánnyal N;INST;SG",
    ]
    assert rows.examples[NO_BASE] == ["tej tejeknek N;DAT;PL"]


@pytest.mark.parametrize("label", ["makró @@k @@ban", "makró|k|ban"])
def test_given_segmentations_are_taken_as_they_are(label: str) -> None:
    rows = segmented_rows.given(selection([(None, "makrókban", None, label)]))
    assert rows.table.select(["lemma", "label"]).to_pylist() == [{"lemma": "makró", "label": "makró|k|ban"}]


def test_given_segmentations_with_marks_or_without_text_are_left_out() -> None:
    labels = [("a=b", "a|b"), ("a|b", "ab"), ("ab", "a=|b"), ("ab", "a||b"), ("ab", "|ab"), ("ab", "a|b")]
    rows = segmented_rows.given(selection([("a", form, None, label) for form, label in labels]))
    assert rows.table["label"].to_pylist() == ["a|b"]
    assert rows.dropped == {MARKED: 3, EMPTY: 2}
