"""Words from the command line, files and pipes, batch by batch."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from contextlib import nullcontext
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import parquet
from esetrag.core.errors import DataError
from esetrag.data import sentences, tsv
from esetrag.predict.predictor import BATCH, column

BLOCK = 2**20
"""Bytes of a file that are read at once; no line may be longer."""
LARGEST = 64 * BLOCK
"""Bytes of the words of a batch."""
STANDARD_INPUT = Path("-")
PACKED = (".gz", ".xz", ".bz2", ".zst")
OFFSETS = pa.schema([("start", pa.int64()), ("end", pa.int64())])
TOKENS = pa.schema([*OFFSETS, ("form", pa.string())])
"""The columns of words of running text: where each stands, in characters from 0; a line end counts as one."""
_JOINING = "-\u2010\u2011'’\u00ad\u200c\u200d"
"""What belongs to a word if it stands between two letters."""
ENDS = [*".?!…"]
"""What a sentence ends in."""
Rows = tuple[pa.Table, pa.ChunkedArray]
"""A batch of the input: all columns, and the one of the words; ``BATCH`` rows at most, maybe none."""


def from_words(words: list[str]) -> Iterator[Rows]:
    """The words of a command line."""
    forms = column(words)
    yield pa.table({"form": forms}), forms


def from_text(text: str | Path) -> Iterator[Rows]:
    """The words of running text, with the columns ``TOKENS``.

    Args:
        text: itself, or a file, plain or packed; ``-`` is standard input.

    Raises:
        DataError: with file and line, if it is not text.
    """
    place = 0
    for _, block in [(1, text)] if isinstance(text, str) else _blocks(text, _source(text)):
        table = _tokens(block, place)
        place += len(block)
        for start in range(0, max(len(table), 1), BATCH):
            rows = table.slice(start, BATCH)
            yield rows, rows["form"]


def from_sentences(text: str | Path) -> Iterator[Rows]:
    """The sentences of running text with spaces between their words and marks, with the columns ``TOKENS``.

    A sentence ends at the end of a line, or at a full stop, question or exclamation mark before a capital.
    Arguments and errors as for ``from_text``.
    """
    place = 0
    for _, block in [(1, text)] if isinstance(text, str) else _blocks(text, _source(text)):
        tokens = _tokens(block, place, marks=True)
        starts, ends = (tokens[side].to_numpy() for side in ("start", "end"))
        lines = np.cumsum(_points(block) == ord("\n"))[starts - place]
        capital = pc.utf8_is_upper(pc.utf8_slice_codeunits(tokens["form"], 0, 1)).to_numpy()
        mark = pc.is_in(tokens["form"], pa.array(ENDS)).to_numpy()
        apart = np.diff(lines) > 0
        apart |= mark[:-1] & capital[1:] & (starts[1:] > ends[:-1])
        first = np.flatnonzero(np.append(True, apart)[: len(starts)])
        counts = np.diff(first, append=len(starts))
        forms = sentences.joined(tokens["form"].combine_chunks(), counts)
        table = pa.table([starts[first], ends[first + counts - 1], forms], schema=TOKENS)
        place += len(block)
        for start in range(0, max(len(table), 1), BATCH):
            part = table.slice(start, BATCH)
            yield part, part["form"]


def _source(text: Path) -> str:
    return "standard input" if text == STANDARD_INPUT else str(text)


def _points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _tokens(text: str, place: int, marks: bool = False) -> pa.Table:
    """Letters, digits and their marks side by side, as ``TOKENS``; ``place`` is that of the text.

    With ``marks``, each other symbol that is no space is a token, too.
    """
    points = _points(text)
    distinct, of = np.unique(points, return_inverse=True)
    kinds = [unicodedata.category(chr(point)) for point in distinct]
    letters = np.array([kind[0] in "LMN" for kind in kinds], bool)[of]
    digits = np.array([kind == "Nd" for kind in kinds], bool)[of]
    joining = np.isin(points, [*map(ord, _JOINING)])
    letters |= np.isin(points, [*map(ord, ".,:")]) & _before(digits) & _behind(digits)  # 3,14
    letters |= (points == ord(".")) & _before(letters) & _behind(joining)  # szept.-ben
    letters |= joining & _before(letters) & _behind(letters)
    single = ~letters & ~np.array([chr(point).isspace() for point in distinct], bool)[of] & marks
    starts = np.flatnonzero(single | letters & ~_before(letters))
    ends = np.flatnonzero(single | letters & ~_behind(letters)) + 1
    spaced = np.insert(np.where(letters | single, points, ord(" ")), starts, ord(" ")).astype("<u4")
    return pa.table(
        [starts + place, ends + place, spaced.tobytes().decode("utf-32-le").split()], schema=TOKENS
    )


def _before(of: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """What holds of the symbol before each."""
    return np.append(False, of)[:-1]


def _behind(of: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """What holds of the symbol behind each."""
    return np.append(of, False)[1:]


def from_file(path: Path, name: str | None = None) -> Iterator[Rows]:
    """The words of a file, one batch at least; a block of the file at a time is in memory.

    Args:
        path: a text of one word or tab-separated row a line, plain or packed; a parquet file; ``-`` is
            standard input, a text. Blank lines are skipped; white space around a word of a text does
            not belong to it.
        name: the column of the words. In a text, its number from 1 on, or its name in a first line
            of names (default: 1); in parquet, its name (default: form).

    Raises:
        DataError: with file and line, if there is no such column or it is not text.
    """
    ending = Path(path.stem).suffix if path.suffix in PACKED else path.suffix
    if path.suffix == ".parquet":
        yield from _from_parquet(path, name or "form")
    elif ending in ("", ".tsv", ".txt"):
        yield from _from_text(path, name or "1")
    else:
        raise DataError(
            f"{path}: expected .tsv, .txt or .parquet ({', '.join(PACKED)} of a text), found {ending}"
        )


def _from_parquet(path: Path, name: str) -> Iterator[Rows]:
    try:
        row = 1
        for table in parquet.batches(path, BATCH):
            _index(table.column_names, name, path)
            yield table, _words(table[name], path, row)
            row += len(table)
    except MemoryError:  # Arrow's is one of its exceptions, too
        raise
    except parquet.DAMAGE as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"{path}: cannot be read as parquet ({reason})") from error


def _words(values: pa.ChunkedArray, path: Path, row: int) -> pa.ChunkedArray:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if kind not in (pa.string(), pa.large_string(), pa.string_view()):
        raise DataError(f"{path}: expected words, found a column of {kind}; see --column")
    if values.null_count:
        row += values.is_null().index(True).as_py()
        raise DataError(f"{path}, row {row}: expected a word, found null; leave such rows out")
    words = values.cast(pa.string())
    if words.nbytes > LARGEST:
        size = f"{words.nbytes:,} bytes"
        raise DataError(f"{path}, row {row}: expected words, found texts of {size}; see --column")
    return words


def _from_text(path: Path, name: str) -> Iterator[Rows]:
    source = _source(path)
    names: list[str] = []
    for first, text in _blocks(path, source):
        lines = pc.split_pattern(pa.array([text], pa.string()), "\n").flatten()
        filled = pc.not_equal(pc.utf8_trim_whitespace(lines), "")
        numbers = first + np.flatnonzero(filled.to_numpy(zero_copy_only=False))
        cells = pc.split_pattern(lines.filter(filled), "\t")
        if len(cells) and not names:
            names, index = _header(cells[0].as_py(), name, f"{source}, line {numbers[0]}")
            cells, numbers = (cells, numbers) if name.isdecimal() else (cells[1:], numbers[1:])
        width = pc.list_value_length(cells).to_numpy()
        for row in np.flatnonzero(width != len(names))[:1]:
            expected = f"{len(names)} column(s) as in the lines before"
            raise DataError(f"{source}, line {numbers[row]}: expected {expected}, found {width[row]}")
        if names:
            flat = cells.flatten()
            columns = [flat.take(np.arange(i, len(flat), len(names))) for i in range(len(names))]
            columns[index] = pc.utf8_trim_whitespace(columns[index])
            table = pa.Table.from_arrays(columns, names)
            for start in range(0, max(len(table), 1), BATCH):
                rows = table.slice(start, BATCH)
                yield rows, rows.column(index)
    if not names and not name.isdecimal():
        raise DataError(f"{source}: expected a first line with the name {name!r}, found no line")
    if not names:
        yield from from_words([])


def _header(cells: list[str], name: str, place: str) -> tuple[list[str], int]:
    """Names of the columns and the index of the words among them, by a table's first line."""
    if not name.isdecimal():
        return cells, _index(cells, name, place)
    index = int(name) - 1
    if not 0 <= index < len(cells):
        raise DataError(f"{place}: expected a column {name}, found {len(cells)} column(s); see --column")
    return ["form" if i == index else f"column_{i + 1}" for i in range(len(cells))], index


def _index(names: list[str], name: str, place: str | Path) -> int:
    if names.count(name) != 1:
        raise DataError(f"{place}: expected one column {name!r}, found {', '.join(names)}; see --column")
    return names.index(name)


def _blocks(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Texts of whole lines, which end in LF, each with the number of its first line."""
    line, rest, more = 1, b"", True
    try:
        with nullcontext() if path == STANDARD_INPUT else tsv.opened(path) as file:
            while more:
                # Of a pipe what is there, of a file the whole block.
                data = file.read(BLOCK) if file else cast(BufferedReader, sys.stdin.buffer).read1(BLOCK)
                more, rest = bool(data), rest + data
                # A CR at the very end may be half a CRLF.
                end = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1)) + 1 if more else len(rest)
                block, rest = rest[:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n"), rest[end:]
                yield line, _decoded(block, line, source)
                line += block.count(b"\n")
                if len(rest) > BLOCK:
                    found = f"{len(rest):,} bytes"
                    raise DataError(f"{source}, line {line}: expected a word or row, found {found}")
    except tsv.DAMAGE as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise DataError(f"{source}: cannot be read ({reason})") from error


def _decoded(block: bytes, line: int, source: str) -> str:
    try:
        text = block.decode()
        fault, found = block.find(b"\0"), "a NUL character; is it a text?"
    except UnicodeDecodeError as error:
        fault, found = error.start, f"the byte 0x{block[error.start]:02x}; convert it to UTF-8"
    if fault >= 0:
        number = line + block.count(b"\n", 0, fault)
        raise DataError(f"{source}, line {number}: expected text in UTF-8, found {found}")
    return text.removeprefix("\ufeff") if line == 1 else text
