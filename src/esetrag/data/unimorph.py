"""Reads UniMorph tables, one inflected form a line: ``lemma<TAB>form<TAB>tags``.

What 25 published files taught: UTF-8 with or without BOM, LF or CRLF, blank lines; words such as
``null`` and ``nan``; lone quotation marks; spaces around cells; decomposed letters; rows that
stand twice. All of that is read; a row of another width is an error.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.data.selection import COLUMNS

LARGEST = 2**30
"""Bytes of a table, unpacked: four times the largest published one."""
BLOCK = 2**19
"""Bytes read at once; more where a line is longer."""
UNDOUBTED = 2**26
"""Unpacked bytes after which a gzip file is first unpacked to its end: a bomb is not worth reading."""
_BLANK = re.compile(r"(?<![^\r\n])[^\S\t\r\n]+(?![^\r\n])")


def read(path: Path) -> pa.Table:
    """Reads a table whole.

    Args:
        path: as of ``batches``.

    Returns:
        The columns ``lemma``, ``form``, ``features``, as many rows as the file has.

    Raises:
        DataError: as ``batches``.
    """
    return pa.Table.from_batches(batches(path))


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Reads a table block by block: cells trimmed, text in NFC.

    Args:
        path: a plain or gzip-compressed (``.gz``) file of ``LARGEST`` bytes at most, unpacked.

    Yields:
        Rows of the columns ``lemma``, ``form``, ``features``, in the order of the file.

    Raises:
        DataError: with file and line, if a row has not three columns, the text is not UTF-8 or
            the file cannot be read or is too large.
    """
    line, filled, rows = 1, False, 0
    for block in _blocks(path):
        filled = filled or bool(block.strip())
        batch = _parsed(path, block, line)
        if batch is not None:
            rows += len(batch)
            yield batch
        line += block.count(b"\n")
        if b"\r" in block:
            line += block.count(b"\r") - block.count(b"\r\n")
    if not filled:
        raise DataError(f"{path}: expected rows lemma<TAB>form<TAB>tags, found an empty file")
    if not rows:
        raise DataError(f"{path}: not a table of three columns (Empty CSV file)")


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, many at a time."""
    size, doubted, waiting = 0, path.suffix == ".gz" and path.is_file(), list[bytes]()
    try:
        with files.opened(path) as file:
            if path.suffix != ".gz" and path.stat().st_size > LARGEST:
                raise _too_large(path)
            while data := file.read(BLOCK):
                size += len(data)
                if size > LARGEST or (doubted and size > UNDOUBTED and _unpacked(path) > LARGEST):
                    raise _too_large(path)
                doubted = doubted and size <= UNDOUBTED
                # A CR at the very end may be half a CRLF.
                end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
                if end:
                    yield b"".join([*waiting, data[:end]])
                    waiting.clear()
                waiting.append(data[end:])
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file ({error})") from error
    if last := b"".join(waiting):
        yield last


def _unpacked(path: Path) -> int:
    """Bytes of a file, unpacked; those behind the first too many are not counted."""
    size = 0
    with files.opened(path) as file:
        while size <= LARGEST and (data := file.read(BLOCK)):
            size += len(data)
    return size


def _too_large(path: Path) -> DataError:
    return DataError(
        f"{path}: expected a table of {LARGEST:,} bytes at most, unpacked, found more; "
        "cut it down to the part of speech you want"
    )


def _parsed(path: Path, block: bytes, first: int) -> pa.RecordBatch | None:
    """The rows of some lines, of which ``first`` is the number of the first; None if all are blank."""
    try:
        # Not pyarrow's utf8_normalize: that of version 25 decomposes when asked for NFC.
        # No letter composes with the end of a line, so blocks are composed as the whole would be.
        text = unicodedata.normalize("NFC", block.decode("utf-8-sig" if first == 1 else "utf-8"))
        table = _parse(text)
    except MemoryError:  # Arrow's is one of its exceptions, too
        raise
    except (UnicodeDecodeError, pa.ArrowException) as error:
        _explain(path, block, first)
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a table of three columns ({reason})") from error
    if "\0" in text:
        _explain(path, block, first)
    if table is None:
        return None
    cells = [pc.utf8_trim_whitespace(column.combine_chunks()) for column in table.columns]
    return pa.RecordBatch.from_arrays(cells, list(COLUMNS))


def _parse(text: str) -> pa.Table | None:
    try:
        return _read_csv(text)
    except pa.ArrowInvalid:
        blank = _BLANK.sub("", text)  # a line of spaces is a blank line too; few files have one
        if blank == text:
            raise
        return _read_csv(blank)


def _read_csv(text: str) -> pa.Table | None:
    if not text.strip("\r\n"):
        return None
    data = text.encode()
    parse = csv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False)
    columns = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=False)
    reading = csv.ReadOptions(use_threads=False, column_names=list(COLUMNS), block_size=len(data) + 1)
    return csv.read_csv(pa.BufferReader(data), reading, parse, columns)


def _explain(path: Path, block: bytes, first: int) -> None:
    """Finds the line at fault; slow, for a file that is refused anyway."""
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", block), start=first):
        where = f"{path}, line {number}: expected lemma<TAB>form<TAB>tags in UTF-8, found"
        try:
            row = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where} the byte 0x{error.object[error.start]:02x}; convert the file to UTF-8"
            ) from error
        if "\0" in row:
            raise DataError(f"{where} a NUL character; is it a text file?")
        if (row.strip() or "\t" in row) and row.count("\t") != 2:
            shown = row if len(row) <= 60 else f"{row[:57]}…"
            raise DataError(f"{where} {row.count(chr(9)) + 1} column(s): {shown!r}")
