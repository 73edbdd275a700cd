from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.core.errors import DataError
from esetrag.data import tsv, unimorph

Row = tuple[str, str, str]


def read(folder: Path, data: bytes, name: str = "xyz.tsv", order: list[str] | None = None) -> list[Row]:
    (folder / name).write_bytes(data)
    table = unimorph.read(folder / name, order)
    assert table.column_names == ["lemma", "form", "features"]
    return [(row["lemma"], row["form"], row["features"]) for row in table.to_pylist()]


def refusal(folder: Path, data: bytes, name: str = "xyz.tsv") -> str:
    """The message about the file, without the path in front."""
    with pytest.raises(DataError) as caught:
        read(folder, data, name)
    text = str(caught.value)
    assert text.startswith(str(folder / name)), "the file is named"
    assert "\n" not in text
    return text.removeprefix(str(folder / name))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 2**19])
def test_line_ends_bom_and_blank_lines_are_no_part_of_a_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes, bom: bytes, block: int
) -> None:
    monkeypatch.setattr(tsv, "BLOCK", block)
    lines = ["", "дом\tдома\tN;GEN;SG", "  ", "œuf\tœufs\tN;NOM;PL", ""]
    data = bom + end.join(line.encode() for line in lines * 2)
    expected = [("дом", "дома", "N;GEN;SG"), ("œuf", "œufs", "N;NOM;PL")] * 2
    assert read(tmp_path, data) == read(tmp_path, data + end) == read(tmp_path, data + bom) == expected
    assert ", line 11: expected" in refusal(tmp_path, data + end + b"c\tct")


@pytest.mark.parametrize(
    "word", ["null", "NaN", "NA", "true", "1", "-inf", '""', '"', 'a"b', "'", "\\", "\\t", "#", "a,b"]
)
def test_words_that_look_like_something_else_are_words(tmp_path: Path, word: str) -> None:
    data = f"{word}\t{word}x\tN;SG\nz\t\tN;PL\n".encode()
    assert read(tmp_path, data) == [(word, f"{word}x", "N;SG"), ("z", "", "N;PL")]


def test_cells_are_trimmed_and_letters_composed(tmp_path: Path) -> None:
    word = "\u0151szibarack\u00e9rt"
    data = f" {unicodedata.normalize('NFD', word)} \t c  d\u00a0\tN;SG  \n\t{word}\tN\n".encode()
    assert read(tmp_path, data) == [(word, "c  d", "N;SG"), ("", word, "N")]


def test_other_orders_and_a_fourth_column_are_read(tmp_path: Path) -> None:
    """SIGMORPHON 2023: ``lemma tags form``; UniMorph 4: segments behind."""
    nested = b"Abmachung\tN;ACC(PL)\tAbmachungen\nAa machen\tV.PTCP;PRS\tAa machend\n"
    expected = [("Abmachung", "Abmachungen", "N;ACC(PL)"), ("Aa machen", "Aa machend", "V.PTCP;PRS")]
    assert read(tmp_path, nested, order=["lemma", "tags", "form"]) == expected
    segmented = "ház\tházban\tN;IN+ESS;SG\tház|ban\nkéz\tkéz\tN;NOM;SG\n".encode()
    assert read(tmp_path, segmented) == [("ház", "házban", "N;IN+ESS;SG"), ("kéz", "kéz", "N;NOM;SG")]


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


@pytest.mark.parametrize("name", ["xyz", "xyz.gz", "xyz.tsv"])
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, zstd, bytes])
def test_packed_files_are_read_whatever_their_name(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    rows = [(f"lemma{i}", f"lemma{i}ban", "N;IN+ESS;SG") for i in range(20_000)]
    data = "".join("\t".join(row) + "\n" for row in rows).encode()
    assert len(data) > tsv.BLOCK
    assert read(tmp_path, pack(data), name) == rows
    if pack is not bytes:
        kind = {gzip.compress: "gzip", lzma.compress: "xz", bz2.compress: "bzip2", zstd: "zstd"}[pack]
        assert refusal(tmp_path, pack(data)[:-20], name).startswith(f": not a whole {kind} file")
        assert ", line 20001: " in refusal(tmp_path, pack(data + b"a\tb\n"), name)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bytes])
def test_a_table_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(tsv, "LARGEST", 10**6)
    assert "expected a table of 1,000,000 bytes at most" in refusal(tmp_path, pack(b"a\tb\tN;SG\n" * 10**6))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", ": expected rows lemma<TAB>form<TAB>tags, found an empty file"),
        (b" \r\n\r\n", ": expected rows lemma<TAB>form<TAB>tags, found an empty file"),
        (b"PK\3\4....", ": packed with zip; unpack it first"),
        (b"a\tb\n", ", line 1: expected lemma<TAB>form<TAB>tags in UTF-8, found 2 column(s): 'a\\tb'"),
        (b"a\tb\tN\n\n\na\tb\nc\td\tN\n", ", line 4: expected lemma<TAB>form<TAB>tags in UTF-8, found 2 col"),
        (b"a\tb\tN\r\n\r\na\tb\tN\tx\ty\r\n", ", line 3: expected lemma<TAB>form<TAB>tags in UTF-8, found 5"),
        (b"a,b,N\n", "found 1 column(s): 'a,b,N'"),
        (b"x" * 5000 + b"\n", "xxx…"),
        (b"x\t" * 500_000, "found 500001 column(s): 'x\\tx"),
        (b"x" * 1001 + b"\tb\tN", "found a cell of 1,001 characters, more than 1,000"),
        (b"h\xe1z\th\xe1z\tN;NOM;SG\n", "found the byte 0xe1; convert the file to UTF-8"),
        (b"a\tb\tN;SG\n\na\tb\tN;\xf5\n", ", line 3: expected lemma<TAB>form<TAB>tags in UTF-8, found the"),
        ("a\tb\tN;SG\n".encode("utf-16"), "found the byte 0xff; convert the file to UTF-8"),
        (b"a\tb\tN;SG\na\tb\tN;SG\0", ", line 2: expected lemma<TAB>form<TAB>tags in UTF-8, found a NUL"),
        ("a\tb\tN\n".encode("utf-16-le"), "found a NUL character; is it a text file?"),
        ("a\tb\tN".replace("b", "b" + "\u0301\u0327" * 20_000).encode(), "found over 30 combining marks"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_with_its_line(tmp_path: Path, data: bytes, problem: str) -> None:
    message = refusal(tmp_path, data)
    assert problem in message
    assert len(message) < 200


@pytest.mark.parametrize("raw", ["none.tsv", "https://example.org/est"])
def test_a_missing_file_is_refused_and_an_address_answered_with_the_way(raw: str) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(No such file or directory\)") as caught:
        unimorph.read(Path(raw))
    assert ("dvc import-url" in str(caught.value)) == raw.startswith("https:")
