from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.core import tables
from esetrag.core.errors import DataError
from esetrag.data.selection import COLUMNS, Selection, select

Row = tuple[str, str, str]
PATH = Path("xyz.tsv")


def table(*rows: Row) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(COLUMNS, columns, strict=True)}
    )


def selected(*rows: Row, pos: str = "N", feature: str = "Case") -> Selection:
    return select(table(*rows), PATH, pos, feature)


def labelled(selection: Selection) -> list[tuple[str, str]]:
    return [(row["form"], row["label"]) for row in selection.table.to_pylist()]


def test_rows_of_the_part_of_speech_get_their_label_in_the_order_of_the_file() -> None:
    selection = selected(
        ("z", "zt", "N;ACC;SG"),
        ("b", "megy", "V;PRS;3;SG"),
        ("a", "aval", "N;INST;SG"),
        ("m", "m", "N;NOM;SG"),
        ("a", "aban", "N;IN+ESS;SG"),
    )
    assert labelled(selection) == [("zt", "ACC"), ("aval", "INS"), ("m", "NOM"), ("aban", "IN+ESS")]
    assert selection.table.schema.equals(tables.ROWS)
    assert selection.dropped == {}
    assert selection.examples == {}


def test_exact_duplicates_count_once_and_are_told() -> None:
    row = ("a", "at", "N;ACC;SG")
    selection = selected(row, ("a", "a", "N;NOM;SG"), row, row, ("a", "at", "N;ACC;PL"))
    assert labelled(selection) == [("at", "ACC"), ("a", "NOM"), ("at", "ACC")]
    assert (selection.rows, selection.duplicates) == (5, 2)


def test_the_part_of_speech_is_the_whole_first_tag() -> None:
    selection = selected(
        ("a", "a", "N;NOM;SG"), ("b", "b", "N.PROP;NOM;SG"), ("c", "c", "NUM;NOM;SG"), ("d", "d", "V;N;NOM")
    )
    assert labelled(selection) == [("a", "NOM")]
    assert selection.parts_of_speech == {"N": 1, "N.PROP": 1, "NUM": 1, "V": 1}


def test_parts_of_speech_are_counted_commonest_first() -> None:
    selection = selected(
        ("a", "a", "V;PRS"), ("b", "b", "N;NOM;SG"), ("c", "c", "N;ACC;SG"), ("b", "b", "N;NOM;SG")
    )
    assert list(selection.parts_of_speech.items()) == [("N", 2), ("V", 1)]


def test_rows_left_out_are_told_by_reason_with_examples() -> None:
    selection = selected(
        ("ház", "ház", "N;NOM;SG"),
        ("ház", "háza", "N;SG;PSS3S"),
        ("kéz", "keze", "N;SG;PSS3S"),
        ("b", "ba", "N;NOM;ACC;SG"),
        ("c", "", "N;NOM;SG"),
        ("", "d", "N;NOM;SG"),
        ("e", "singular", "N;NOM;SG"),
        ("f", "", "V;PRS"),
    )
    assert labelled(selection) == [("ház", "NOM")]
    assert selection.dropped == {
        "empty cell": 2,
        "heading as a form": 1,
        "no value of Case": 2,
        "several values of Case": 1,
    }
    assert selection.examples["no value of Case"] == ["ház háza N;SG;PSS3S", "kéz keze N;SG;PSS3S"]
    assert selection.examples["several values of Case"] == ["b ba N;NOM;ACC;SG"]
    assert selection.examples["heading as a form"] == ["e singular N;NOM;SG"]


def test_a_row_left_out_for_two_reasons_is_counted_once() -> None:
    selection = selected(("a", "", "N;NOM;ACC;SG"), ("b", "plural", "N;SG"), ("c", "c", "N;NOM;SG"))
    assert selection.dropped == {"empty cell": 1, "heading as a form": 1}


def test_only_the_first_few_rows_left_out_are_shown() -> None:
    rows = [("a", f"a{i:02}", "N;SG") for i in range(20, 0, -1)]
    selection = selected(("a", "a", "N;NOM;SG"), *rows)
    assert selection.dropped == {"no value of Case": 20}
    assert selection.examples["no value of Case"] == [f"a a{i:02} N;SG" for i in range(1, 6)]


def test_a_lemma_that_is_itself_a_heading_word_is_kept() -> None:
    selection = selected(("singular", "singular", "N;NOM;SG"), ("past", "past", "N;NOM;SG"))
    assert labelled(selection) == [("singular", "NOM"), ("past", "NOM")]


def test_a_form_in_two_cases_stands_once_for_each() -> None:
    selection = selected(("a", "x", "N;NOM;SG"), ("a", "x", "N;ACC;SG"))
    assert labelled(selection) == [("x", "NOM"), ("x", "ACC")]


def test_a_disjunction_is_kept_as_a_choice_of_values_in_the_order_of_the_alphabet() -> None:
    selection = selected(
        ("a", "x", "N;NOM/ACC;SG"),
        ("a", "y", "N;ACC/NOM;PL"),
        ("b", "z", "N;SG;ACC/INST/PSS1S"),
        ("c", "w", "N;NOM/NOM;SG"),
        ("d", "v", "N;NOM;NOM;SG"),
    )
    assert labelled(selection) == [
        ("x", "ACC/NOM"), ("y", "ACC/NOM"), ("z", "ACC/INS"), ("w", "NOM"), ("v", "NOM"),
    ]  # fmt: skip
    assert selection.dropped == {}


def test_values_in_two_tags_are_two_arguments_and_no_choice() -> None:
    selection = selected(
        ("a", "x", "N;NOM/ACC;GEN;SG"), ("a", "y", "N;NOM;ACC(SG)"), ("b", "z", "N;NOM/ACC;SG")
    )
    assert labelled(selection) == [("z", "ACC/NOM")]
    assert selection.dropped == {"several values of Case": 2}


def test_another_feature_gives_other_labels() -> None:
    rows: list[Row] = [("a", "at", "N;ACC;SG"), ("a", "akat", "N;ACC;PL")]
    assert labelled(selected(*rows, feature="Number")) == [("at", "SG"), ("akat", "PL")]


def test_an_unknown_part_of_speech_is_refused_with_those_found() -> None:
    rows = [("a", f"a{i}", "ADJ;SG") for i in range(1200)] + [("b", "b", "V;PRS")]
    with pytest.raises(DataError) as caught:
        selected(*rows)
    assert str(caught.value) == ("xyz.tsv: no row has the part of speech N; found ADJ (1,200), V (1)")


def test_a_feature_that_no_row_bears_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        selected(("a", "a", "N;SG"), ("a", "ak", "N;PL"))
    assert str(caught.value) == "xyz.tsv: none of the 2 rows of N bears one value of Case"
