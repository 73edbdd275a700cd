from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import features, tables
from esetrag.core.errors import DataError
from esetrag.data.selection import COLUMNS, Selection, select

Row = tuple[str, str, str]
PATH = Path("xyz.tsv")
CELLS = st.text(st.sampled_from("abő-\U0001f600"), max_size=3)


def table(*rows: Row) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        {name: pa.array(cells, pa.string()) for name, cells in zip(COLUMNS, columns, strict=True)}
    )


def selected(
    *rows: Row, pos: str | list[str] = "N", feature: str | list[str] = "Case", **options: Any
) -> Selection:
    return select(table(*rows), PATH, pos, feature, **options)


def labelled(selection: Selection) -> list[tuple[str, str]]:
    return [(row["form"], row["label"]) for row in selection.table.to_pylist()]


def test_rows_of_the_part_of_speech_get_their_label_in_the_order_of_the_file() -> None:
    rows = [("z", "zt", "N;ACC;SG"), ("b", "megy", "V;PRS;3;SG"), ("a", "aval", "N;INST;SG")]
    selection = selected(*rows, ("m", "m", "N;NOM;SG"), ("a", "aban", "N;IN+ESS;SG"))
    assert labelled(selection) == [("zt", "ACC"), ("aval", "INS"), ("m", "NOM"), ("aban", "IN+ESS")]
    assert selection.table.schema.equals(tables.LABELLED)
    assert (selection.dropped, selection.examples) == ({}, {})
    assert selection.parts_of_speech == {"N": 4, "V": 1}


def test_exact_duplicates_count_once_unless_all_rows_are_kept() -> None:
    row, verb = ("a", "at", "N;ACC;SG"), ("v", "v", "V;PRS")
    rows = [row, ("a", "a", "N;NOM;SG"), row, verb, row, verb, ("a", "at", "N;ACC;PL")]
    selection = selected(*rows)
    assert labelled(selection) == [("at", "ACC"), ("a", "NOM"), ("at", "ACC")]
    assert (selection.rows, selection.duplicates, selection.parts_of_speech) == (7, 3, {"N": 3, "V": 1})
    whole = selected(*rows, distinct=False)
    assert labelled(whole) == [("at", "ACC"), ("a", "NOM"), ("at", "ACC"), ("at", "ACC"), ("at", "ACC")]
    assert (whole.duplicates, whole.parts_of_speech) == (0, {"N": 5, "V": 2})


def test_a_part_of_speech_is_the_whole_first_tag_and_there_may_be_several() -> None:
    rows = [
        ("a", "a", "N;NOM;SG"),
        ("b", "b", "N.PROP;ACC;SG"),
        ("c", "c", "NUM;DAT;SG"),
        ("d", "d", "V;N;NOM"),
    ]
    assert labelled(selected(*rows)) == [("a", "NOM")]
    both = selected(*rows, pos=["NUM", "N"])
    assert labelled(both) == [("a", "NOM"), ("c", "DAT")]
    assert both.parts_of_speech == {"N": 1, "N.PROP": 1, "NUM": 1, "V": 1}


def test_rows_left_out_are_counted_once_by_the_first_reason_with_examples() -> None:
    selection = selected(
        ("ház", "ház", "N;NOM;SG"),
        ("kéz", "keze", "N;SG;PSS3S"),
        ("ház", "háza", "N;SG;PSS3S"),
        ("b", "ba", "N;NOM;ACC;SG"),
        ("c", "", "N;NOM;ACC;SG"),
        ("", "d", "N;NOM;SG"),
        ("e", "singular", "N;SG"),
        ("f", "—", "N;NOM;SG"),
        ("f", "*fnak", "N;DAT;SG"),
        ("*kele", "*kelet", "N;ACC;SG"),
        ("past", "past", "N;ACC;SG"),
        ("-", "-", "N;DAT;SG"),
        ("f", "", "V;PRS"),
    )
    assert labelled(selection) == [("ház", "NOM"), ("*kelet", "ACC"), ("past", "ACC"), ("-", "DAT")]
    reasons = ["empty cell", "heading as a form", "no value of Case", "several values of Case"]
    assert selection.dropped == dict(zip(reasons, (2, 3, 2, 1), strict=True))
    assert selection.examples["no value of Case"] == ["ház háza N;SG;PSS3S", "kéz keze N;SG;PSS3S"]
    assert selection.examples["heading as a form"] == ["e singular N;SG", "f *fnak N;DAT;SG", "f — N;NOM;SG"]
    assert selection.headings["form"].to_pylist() == ["singular", "—", "*fnak"]


@pytest.mark.parametrize("form", ["-", "–", "—", "−", "--", "…", "?", "0", "*", "(-)", "plural", "*at"])
def test_what_stands_for_a_missing_form_is_no_form(form: str) -> None:
    selection = selected(("a", "a", "N;NOM;SG"), ("a", form, "N;ACC;SG"), ("-at", "-at-", "N;ACC;SG"))
    assert labelled(selection) == [("a", "NOM"), ("-at-", "ACC")]
    assert selection.dropped == {"heading as a form": 1}


def test_only_the_first_few_rows_left_out_are_named() -> None:
    rows = [("a", f"a{i:02}", "N;SG") for i in range(20, 0, -1)]
    selection = selected(("a", "a", "N;NOM;SG"), *rows)
    assert selection.dropped == {"no value of Case": 20}
    assert selection.examples["no value of Case"] == [f"a a{i:02} N;SG" for i in range(1, 6)]


@pytest.mark.parametrize(
    ("bundle", "feature", "label"),
    [
        ("N;ACC/NOM;PL", "Case", "ACC/NOM"),
        ("N;SG;ACC/INST/PSS1S", "Case", "ACC/INS"),
        ("N;NOM/NOM;SG", "Case", "NOM"),
        ("N;NOM;NOM;SG", "Case", "NOM"),
        ("N;NOM/ACC;GEN;SG", "Case", None),
        ("N;NOM;ACC(SG)", "Case", None),
        ("N;PL;PSS(3,SG,MASC)", "Number", "PL"),
        ("N;ACC;PL", "Number", "PL"),
    ],
)
def test_a_choice_within_a_tag_is_a_set_and_two_tags_are_none(
    bundle: str, feature: str, label: str | None
) -> None:
    selection = selected(("a", "x", bundle), ("a", "y", "N;GEN;DU"), feature=feature)
    assert dict(labelled(selection)).get("x") == label
    assert selection.dropped == ({} if label else {"several values of Case": 1})


@pytest.mark.parametrize(
    ("bundle", "label"),
    [
        ("N;SG;ACC", "ACC;SG"),
        ("N;ACC/NOM;PL;PSS1S", "ACC;PL;PSS1S/NOM;PL;PSS1S"),
        ("N;PSS{2/3}D;PL", "PL;PSS2D/PL;PSS3D"),
        ("N;NOM;GEN;SG", None),
        (f"N;{'/'.join(sorted(features.DIMENSIONS['Case']))};SG/PL/DU", None),
    ],
)
def test_the_label_of_several_features_is_a_bundle_or_a_choice_of_bundles(
    bundle: str, label: str | None
) -> None:
    asked = ["Case", "Number", "Possession"]
    selection = selected(("a", "x", bundle), ("a", "y", "N;DU"), ("a", "z", "N;DEF"), feature=asked)
    assert dict(labelled(selection)).get("x") == label
    named = "of Case or Number or Possession"
    assert selection.dropped == {f"no value {named}": 1} | ({} if label else {f"several values {named}": 1})


def test_of_all_features_a_row_needs_one() -> None:
    rows = [("a", "x", "V;IND;PRS;1;SG"), ("a", "y", "V;NFIN"), ("a", "z", "V;LGSPEC1")]
    selection = selected(*rows, pos="V", feature=[*features.DIMENSIONS])
    assert labelled(selection) == [("x", "IND;SG;1;PRS"), ("y", "NFIN")]
    assert selection.dropped == {"no value of a feature": 1}


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("a", f"a{i}", "ADJ;SG") for i in range(1200)] + [("b", "b", "V;PRS")],
         "xyz.tsv: no row has the part of speech N; found ADJ (1,200), V (1)"),
        ([("a", "a", "N;SG"), ("a", "ak", "N;PL"), ("b", "b", "N;SG")],
         "xyz.tsv: none of the 3 rows of N has one value of Case; found N;SG (2), N;PL (1)"),
        ([("a", "a", "N;iness"), ("a", "ak", "N;dövri;PL")],
         "found N;iness (1), N;dövri;PL (1); unknown tags iness (1), dövri (1)"),
        ([("a", "a", "N;nom")], "found N;nom (1); unknown tags nom (1); are the tags in small letters?"),
        ([("a", "a", "n;nom")], "found n (1); are the tags in small letters?"),
        ([("a", "N;NOM", f"form{i}") for i in range(200)],
         "are the columns in another order? columns: [lemma, tags, form]"),
    ],
)  # fmt: skip
def test_a_table_without_such_rows_is_refused_with_what_it_has(rows: list[Row], problem: str) -> None:
    with pytest.raises(DataError) as caught:
        selected(*rows)
    assert problem in str(caught.value)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30), st.sampled_from([1, 2, 7, 100]))
def test_batches_are_without_influence_on_what_is_selected(rows: list[Row], size: int) -> None:
    words = [(lemma, form, f"{'NV'[len(bundle) % 2]};{bundle}NOM/ACC") for lemma, form, bundle in rows]
    words.append(("a", "b", "N;NOM"))
    raw = table(*words, *words[::2])
    expected, found = (select(batches, PATH, "N", "Case") for batches in (raw, raw.to_batches(size)))
    assert found.table.equals(expected.table)
    assert found.headings.equals(expected.headings)
    for name in ("rows", "duplicates", "parts_of_speech", "dropped", "examples", "bundles"):
        assert getattr(found, name) == getattr(expected, name)
    assert found.parts_of_speech["N"] == len({row for row in words if row[2].startswith("N")})


def test_without_a_feature_every_row_is_taken_of_some_or_all_parts_of_speech() -> None:
    rows = [("a", "at", "N;ACC"), ("b", "b", "V;PRS"), ("b", "", "N;ACC"), ("c", "singular", "N;ACC")]
    found = {pos: select(table(*rows), PATH, pos, None) for pos in ("N", None)}
    assert labelled(found["N"]) == [("at", "")]
    assert labelled(found[None]) == [("at", ""), ("b", "")]
    assert found["N"].dropped == {"empty cell": 1, "heading as a form": 1}
    with pytest.raises(DataError, match="no row has the part of speech ADJ"):
        select(table(*rows), PATH, "ADJ", None)
