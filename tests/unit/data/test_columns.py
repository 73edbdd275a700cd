from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.core import tables
from esetrag.core.errors import DataError
from esetrag.data import columns
from esetrag.data.selection import Selection

PROBING = "házban\tIne\nkutyát\tAcc\nHáz\tNom\nkutyát\tAcc\nvár\tNom\nvár\tnot a noun\n"
NAMED = (
    "id\tlabel\tword\tfreq\tlemma\n1\tkm/h | 50%\tGyors\t2\tgyors\n"
    "2\tB\tlassú\t0.5\tlassú\n3\tB\tlassú\t1\tlassú\n"
)


def write(folder: Path, content: str | bytes | pa.Table) -> Path:
    path = folder / "t"
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(selection: Selection) -> list[tuple[Any, ...]]:
    assert selection.table.schema.equals(tables.LABELLED)
    return [tuple(row.values()) for row in selection.table.to_pylist()]


@pytest.mark.parametrize("packed", [False, True])
def test_words_and_labels_by_number(tmp_path: Path, packed: bool) -> None:
    path = write(tmp_path, gzip.compress(PROBING.encode()) if packed else PROBING)
    found = columns.select(path, 1, 2)
    pairs = [("házban", "Ine"), ("kutyát", "Acc"), ("Ház", "Nom"), ("vár", "Nom"), ("vár", "not a noun")]
    assert cells(found) == [(None, form, None, label, None) for form, label in pairs]
    assert (found.rows, found.duplicates, found.dropped, found.parts_of_speech) == (6, 1, {}, {})
    whole = columns.select(path, 1, 2, distinct=False)
    assert [row[1] for row in cells(whole)] == [line.split("\t")[0] for line in PROBING.splitlines()]
    assert columns.select(path, form=2, label=1).table["form"][0].as_py() == "Ine"


@pytest.mark.parametrize("parquet", [False, True])
def test_named_columns_lemmas_weights_and_free_text(tmp_path: Path, parquet: bool) -> None:
    content: str | pa.Table = NAMED
    if parquet:
        head, *rows = [line.split("\t") for line in NAMED.splitlines()]
        content = pa.table(dict(zip(head, map(list, zip(*rows, strict=True)), strict=True)))
        content = content.set_column(3, "freq", content["freq"].cast(pa.float64()))
        content = content.set_column(2, "word", content["word"].dictionary_encode())
    found = columns.select(write(tmp_path, content), "word", "label", "lemma", "freq")
    assert cells(found) == [("gyors", "Gyors", None, "km%2Fh | 50%", 2.0), ("lassú", "lassú", None, "B", 1.5)]
    by_number = columns.select(write(tmp_path, content), "word", 2, 5)
    assert cells(by_number)[0] == ("gyors", "Gyors", None, "km%2Fh | 50%", None)


def test_rows_with_an_empty_cell_are_left_out_and_counted(tmp_path: Path) -> None:
    found = columns.select(write(tmp_path, "a\tx\n\ty\nb\t \nc\tz\textra\n"), 1, 2)
    assert [row[1] for row in cells(found)] == ["a", "c"]
    assert (found.rows, found.dropped) == (4, {"empty cell": 2})
    assert found.examples["empty cell"] == [" y", "b "]


def test_cells_of_a_parquet_file_are_one_line_of_composed_text(tmp_path: Path) -> None:
    content = pa.table({"w": ["o\u030b ", None], "l": ["a\tb\n c", "x"]})
    assert cells(columns.select(write(tmp_path, content), "w", "l")) == [(None, "ő", None, "a b c", None)]


def test_a_pile_of_marks_is_refused_or_left_as_it_is(tmp_path: Path) -> None:
    piled = "b" + "\u064e\u0651" * 100_000
    found = columns.select(write(tmp_path, pa.table({"w": [piled], "l": ["x"]})), "w", "l")
    assert found.table["form"].to_pylist() == [piled]
    with pytest.raises(DataError, match="line 2: expected 2 columns in UTF-8, found over 30 combining marks"):
        columns.select(write(tmp_path, f"a\tx\n{piled}\tx\n"), 1, 2)


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        (NAMED, {"form": "wort", "label": "label"}, "no column 'wort'; found id, label, word, freq, lemma"),
        (NAMED, {"form": "word", "label": 9}, "no column 9; found 5"),
        (PROBING, {"form": 1, "label": 3}, "line 1: expected 3 columns in UTF-8, found 2 column(s)"),
        (NAMED + "4\tx\n", {"form": "word", "label": "label"}, "line 5: expected word<TAB>label in"),
        (NAMED, {"form": "word", "label": "id", "weight": "lemma"}, "expected numbers as weights"),
        ("a\tb\t-1\n", {"form": 1, "label": 2, "weight": 3}, "expected weights of at least 0, found -1"),
        ("a\tb\tnan\n", {"form": 1, "label": 2, "weight": 3}, "expected weights of at least 0"),
        ("\tb\n", {"form": 1, "label": 2}, "none of the 1 rows has a word and a label"),
        ("a\tb\n", {"form": "a", "label": "b"}, "none of the 0 rows has a word and a label"),
        ("", {"form": 1, "label": 2}, "found an empty file"),
        (pa.table({"a": [[1]], "b": ["x"]}), {"form": "a", "label": "b"}, "column 'a' is no text"),
        (pa.table({"a": ["x"]}), {"form": "a", "label": "b"}, "no column 'b'; found a"),
        (b"PAR1....", {"form": 1, "label": 2}, "not a whole parquet file"),
        (b"PARE....PARE", {"form": 1, "label": 2}, "not a whole parquet file"),  # encrypted
        (pa.table({"a": [{"b": "x"}], "b": ["x"]}), {"form": "a", "label": "b"}, "column 'a' is no text"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes | pa.Table, options: dict[str, Any], problem: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        columns.select(path, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert problem in text
    assert "\n" not in text
