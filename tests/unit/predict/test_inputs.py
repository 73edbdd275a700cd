"""What files and pipes may look like, and the message for those that may not."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.predict import inputs
from esetrag.predict.predictor import BATCH
from tests.unit.predict.conftest import Run, table


def test_a_first_line_may_name_the_columns(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("label\tform\nX\tkanaban\n", "utf-8")
    header, row = table(run("--input", path, "--column", "form"))
    assert header == ["label", "form", "predicted_label", "probability", "label_set", "unknown"]
    assert row[:3] == ["X", "kanaban", "IN+ESS"]


@pytest.mark.parametrize(
    "text",
    [
        "kanaban\r\nkepből\r\n", "kanaban\rkepből",
        "\ufeffkanaban\n\n \n\t\nkepből", "kanaban  \n kepből\n\n",
        "\n\nkanaban\u2028\n\x0bkepből",
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 2, 3, 7, 2**20])
def test_lines_end_in_many_ways_and_blank_ones_are_no_words(
    monkeypatch: pytest.MonkeyPatch, text: str, size: int
) -> None:
    class Drops(io.BytesIO):
        def read1(self, _: int | None = -1, /) -> bytes:
            return super().read1(size)

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Drops(text.encode())))
    batches = inputs.from_file(inputs.STANDARD_INPUT)
    assert [form for _, forms in batches for form in forms.to_pylist()] == ["kanaban", "kepből"]


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        (b"kana\nk\xf3\n", [], ", line 2: expected text in UTF-8, found the byte 0xf3"),
        (b"kana\n" * 300_000 + b"k\xf3\n", [], ", line 300001: expected text in UTF-8, found the byte 0xf3"),
        ("kana".encode("utf-16"), [], ", line 1: expected text in UTF-8, found the byte 0xff"),
        (b"kana\r\nk\0\r\n", [], ", line 2: expected text in UTF-8, found a NUL"),
        (b"a\tb\n\nc\n", [], ", line 3: expected 2 column(s) as in the lines before, found 1"),
        (b"\na\tb\n", ["--column", "3"], ", line 2: expected a column 3, found 2 column(s)"),
        (b"a\tb\n", ["--column", "0"], ", line 1: expected a column 0, found 2 column(s)"),
        (b"a\tb\n", ["--column", "form"], ", line 1: expected one column 'form', found a, b"),
        (b"", ["--column", "form"], ": expected a first line with the name 'form'"),
        (b"a\n" + b"x" * 2**22, [], ", line 2: expected a word or row, found "),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["tsv", "parquet"])
def test_a_faulty_text_is_refused_and_nothing_is_written(
    refuse: Run, tmp_path: Path, content: bytes, more: list[str], message: str, ending: str
) -> None:
    path, target = tmp_path / "in.tsv", tmp_path / f"out.{ending}"
    path.write_bytes(content)
    assert f"{path}{message}" in refuse("--input", path, "--output", target, *more)
    assert f"standard input{message}" in refuse("--output", target, *more, stdin=content)
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == []


def test_damaged_files_are_refused(refuse: Run, tmp_path: Path) -> None:
    parquet, gz = tmp_path / "a.parquet", tmp_path / "a.tsv.gz"
    parquet.write_bytes(b"PAR1")
    assert f"{parquet}: cannot be read as parquet" in refuse("--input", parquet)
    gz.write_bytes(gzip.compress(b"kana\n" * 1000)[:-9])
    assert f"{gz}: cannot be read" in refuse("--input", gz)
    gz.write_bytes(b"PK\3\4....")
    assert f"{gz}: packed with zip; unpack it first" in refuse("--input", gz)
    assert "found .csv" in refuse("--input", tmp_path / "a.csv")
    assert "No such file" in refuse("--input", tmp_path / "none.txt")
    assert "cannot be read" in refuse("--input", tmp_path / "none.parquet")


def test_a_parquet_file_without_words_is_refused(refuse: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": [1], "form": pa.array([None], pa.string())}), path)
    assert "row 1: expected a word, found null" in refuse("--input", path)
    assert "expected words, found a column of int64" in refuse("--input", path, "--column", "n")
    assert "expected one column 'word', found n, form" in refuse("--input", path, "--column", "word")
    pq.write_table(pa.table({"form": ["a"] * 9000 + [None]}), path)
    assert "row 9001: expected a word" in refuse("--input", path, "--output", tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()


@pytest.mark.parametrize("name", ["a", "a.txt", "a.tsv.gz", "a.xz"])
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, bytes])
def test_packed_words_are_read_whatever_the_name(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(pack(b"kana\nkanaban\n"))
    assert [form for _, forms in inputs.from_file(path) for form in forms.to_pylist()] == ["kana", "kanaban"]


def test_the_words_of_a_pipe_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=[b"kana\nkanaban\n"]).start()
    assert [form for _, forms in inputs.from_file(path) for form in forms.to_pylist()] == ["kana", "kanaban"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A kutya (okos!) itt.\nVan 27.", ["A", "kutya", "okos", "itt", "Van", "27"]),
        ("„Szept.-ben”, az O'Neill-lel - e-mail-", ["Szept.-ben", "az", "O'Neill-lel", "e-mail"]),
        ("kön\u00adyve\u0301n \U0001f600ház\u200b", ["kön\u00adyve\u0301n", "ház"]),
        ("हिन्दी می\u200cخواهم", ["हिन्दी", "می\u200cخواهم"]),
        ("… – !", []),
        ("", []),
    ],
)
def test_running_text_is_taken_apart_and_offsets_lead_back(text: str, words: list[str]) -> None:
    [(table, forms)] = inputs.from_text(text)
    rows = table.to_pylist()
    assert [row["form"] for row in rows] == forms.to_pylist() == words
    assert [text[row["start"] : row["end"]] for row in rows] == words


def test_offsets_in_a_file_are_those_of_the_whole_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(("Őszi kertben, ő\r\n" * 100_000).encode()))
    tables = [table for table, _ in inputs.from_text(path)]
    assert max(map(len, tables)) == BATCH
    rows = pa.concat_tables(tables)
    assert len(rows) == 300_000
    text = "Őszi kertben, ő\n" * 100_000
    last = rows.slice(299_998).to_pylist()
    assert [text[row["start"] : row["end"]] for row in last] == ["kertben", "ő"]
    assert last[1]["end"] == len(text) - 1


def test_the_words_of_a_file_come_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("kana\n" * (2 * BATCH + 1))
    sizes = [len(forms) for _, forms in inputs.from_file(path)]
    assert sum(sizes) == 2 * BATCH + 1
    assert max(sizes) == BATCH


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Ég á hest. Hann er góður.", ["Ég á hest .", "Hann er góður ."]),
        ("Sagði hv. þingmaður: „Nei!“", ["Sagði hv . þingmaður : „ Nei ! “"]),
        ("Fyrsta lína\n\n  Önnur lína\n", ["Fyrsta lína", "Önnur lína"]),
        ("fyrsta\nönnur", ["fyrsta", "önnur"]),
        ("यह हिन्दी है। “\u0915\u093e” 12:30-kor", ["यह हिन्दी है । “ \u0915\u093e ” 12:30-kor"]),
        ("Ég á U.S. hest.\nHann 2.5 b.3", ["Ég á U . S . hest .", "Hann 2.5 b . 3"]),
        ("Hvíta-Rússland? Já, 3,5 kg", ["Hvíta-Rússland ?", "Já , 3,5 kg"]),
        ("", []),
    ],
)
def test_running_text_becomes_sentences_of_words_and_marks(text: str, sentences: list[str]) -> None:
    (table, forms), *rest = inputs.from_sentences(text)
    assert not rest
    assert forms.to_pylist() == sentences
    places = zip(table["start"].to_pylist(), table["end"].to_pylist(), strict=True)
    bare = [text[start:end].replace(" ", "") for start, end in places]
    assert bare == [sentence.replace(" ", "") for sentence in sentences]
