from __future__ import annotations

import codecs
import gzip
import unicodedata
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest

from esetrag.core.errors import DataError
from esetrag.data import unimorph

Row = tuple[str, str, str]


def rows_of(table: pa.Table) -> list[Row]:
    return [(row["lemma"], row["form"], row["features"]) for row in table.to_pylist()]


def read(folder: Path, data: bytes, name: str = "xyz.tsv") -> list[Row]:
    path = folder / name
    path.write_bytes(data)
    table = unimorph.read(path)
    assert table.column_names == ["lemma", "form", "features"]
    return rows_of(table)


def refusal(folder: Path, data: bytes, name: str = "xyz.tsv") -> str:
    """What a user is told of the file, without the path in front."""
    path = folder / name
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        unimorph.read(path)
    text = str(caught.value)
    assert text.startswith(str(path)), "the file is named"
    assert "\n" not in text
    return text.removeprefix(str(path))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last_end", [True, False])
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_bom_and_line_ends_are_no_part_of_a_cell(
    tmp_path: Path, end: bytes, last_end: bool, bom: bytes
) -> None:
    lines = ["дом\tдома\tN;GEN;SG", "œuf\tœufs\tN;NOM;PL"]
    data = bom + end.join(line.encode() for line in lines) + (end if last_end else b"")
    assert read(tmp_path, data) == [("дом", "дома", "N;GEN;SG"), ("œuf", "œufs", "N;NOM;PL")]


def test_blank_lines_are_skipped(tmp_path: Path) -> None:
    data = b"\n\na\tb\tN;SG\n\n\nc\td\tN;PL\n\n"
    assert read(tmp_path, data) == [("a", "b", "N;SG"), ("c", "d", "N;PL")]


@pytest.mark.parametrize(
    "word", ["null", "NULL", "nan", "NaN", "NA", "n/a", "None", "true", "1", "-inf", '""']
)
def test_words_that_look_like_missing_values_are_words(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, f"{word}\t{word}\t{word}\n".encode()) == [(word, word, word)]


@pytest.mark.parametrize("word", ['"', 'a"b', '"abc', 'abc"', "'", "\\", "\\t", "#", "a,b"])
def test_quotation_marks_and_backslashes_are_letters(tmp_path: Path, word: str) -> None:
    data = f"{word}\t{word}x\tN;SG\nz\tz\tN;PL\n".encode()
    assert read(tmp_path, data) == [(word, f"{word}x", "N;SG"), ("z", "z", "N;PL")]


def test_spaces_around_cells_go_and_spaces_inside_stay(tmp_path: Path) -> None:
    assert read(tmp_path, b" a b \t  c d\tN;SG  \n") == [("a b", "c d", "N;SG")]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_are_composed_whichever_way_they_are_written(
    tmp_path: Path, form: Literal["NFC", "NFD"]
) -> None:
    word = "\u0151szibarack\u00e9rt"
    data = f"{unicodedata.normalize(form, word)}\tx\u0301\tN;PRP;SG\n".encode()
    assert read(tmp_path, data) == [(word, "x\u0301", "N;PRP;SG")]


def test_empty_cells_are_read_as_empty(tmp_path: Path) -> None:
    assert read(tmp_path, b"a\t\tN;SG\n\tb\tN\n") == [("a", "", "N;SG"), ("", "b", "N")]


def test_gz_is_read_as_the_file_inside(tmp_path: Path) -> None:
    text = "ház\tházban\tN;IN+ESS;SG\n".encode()
    assert read(tmp_path, gzip.compress(text), "xyz.gz") == read(tmp_path, text)


def test_files_of_many_blocks_keep_their_order(tmp_path: Path) -> None:
    expected = [(f"lemma{i}", f"lemma{i}ban", "N;IN+ESS;SG") for i in range(60_000)]
    data = "".join("\t".join(row) + "\n" for row in expected).encode()
    assert len(data) > 2 * 2**20
    assert read(tmp_path, data) == expected


@pytest.mark.parametrize("kept", [1, 12, 40, -1])
def test_a_truncated_gz_is_refused(tmp_path: Path, kept: int) -> None:
    whole = gzip.compress(b"".join(b"a%d\tb%d\tN;SG\n" % (i, i * i) for i in range(500)))
    assert "gzip" in refusal(tmp_path, whole[:kept], "xyz.gz")


def test_a_plain_file_named_gz_is_refused(tmp_path: Path) -> None:
    assert "gzip" in refusal(tmp_path, b"a\tb\tN;SG\n", "xyz.gz")


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\r\n"])
def test_an_empty_file_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "found an empty file" in refusal(tmp_path, data)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"xyz\.tsv: cannot be read \(No such file"):
        unimorph.read(tmp_path / "xyz.tsv")


@pytest.mark.parametrize(
    ("data", "line", "found"),
    [
        (b"a\tb\n", 1, "2 column(s): 'a\\tb'"),
        (b"a\tb\tN\tmore\n", 1, "4 column(s): 'a\\tb\\tN\\tmore'"),
        (b"a\tb\tN\na\tb\n", 2, "2 column(s): 'a\\tb'"),
        (b"a\tb\tN\n\n\na\tb\nc\td\tN\n", 4, "2 column(s)"),
        (b"a\tb\tN\r\n\r\na\tb\tN\tx\r\n", 3, "4 column(s)"),
        (b"a\tb\tN\nabc", 2, "1 column(s): 'abc'"),
        (b"a\tb\tN\r\nabc", 2, "1 column(s): 'abc'"),
        (b"a,b,N\n", 1, "1 column(s): 'a,b,N'"),
        (codecs.BOM_UTF8 + b"a\tb\n", 1, "2 column(s): 'a\\tb'"),
    ],
)
def test_a_row_of_another_width_is_refused_with_its_line(
    tmp_path: Path, data: bytes, line: int, found: str
) -> None:
    message = refusal(tmp_path, data)
    assert message.startswith(f", line {line}: expected lemma<TAB>form<TAB>tags")
    assert found in message


def test_the_line_is_counted_in_the_unpacked_text(tmp_path: Path) -> None:
    data = gzip.compress(b"a\tb\tN\n" * 70_000 + b"a\tb\n" + b"a\tb\tN\n" * 70_000)
    assert refusal(tmp_path, data, "xyz.gz").startswith(", line 70001: ")


def test_a_long_row_is_shown_shortened(tmp_path: Path) -> None:
    message = refusal(tmp_path, b"x" * 5000 + b"\n")
    assert len(message) < 200
    assert "xxx…" in message


@pytest.mark.parametrize(
    ("data", "line", "byte"),
    [
        (b"h\xe1z\th\xe1z\tN;NOM;SG\n", 1, "0xe1"),
        (b"a\tb\tN;SG\n\na\tb\tN;\xf5\n", 3, "0xf5"),
        ("a\tb\tN;SG\n".encode("utf-16"), 1, "0xff"),
    ],
)
def test_text_that_is_not_utf8_is_refused_with_line_and_byte(
    tmp_path: Path, data: bytes, line: int, byte: str
) -> None:
    message = refusal(tmp_path, data)
    assert message.startswith(f", line {line}: ")
    assert f"found the byte {byte}; convert the file to UTF-8" in message


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a\tb\tN;SG\na\tb\0\tN;SG\n", 2),
        (b"a\tb\tN;SG\na\tb\tN;SG\0", 2),
        ("a\tb\tN;SG\n".encode("utf-16-le"), 1),
    ],
)
def test_a_nul_character_is_refused_with_its_line(tmp_path: Path, data: bytes, line: int) -> None:
    assert refusal(tmp_path, data).startswith(
        f", line {line}: expected lemma<TAB>form<TAB>tags in UTF-8, found a NUL character"
    )
