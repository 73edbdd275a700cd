"""Tab-separated text from anywhere: plain or packed, unpacked within bounds, taken apart block by block."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core.errors import DataError
from esetrag.core.text import MOST_MARKS, pile

LARGEST = 2**30
"""Bytes of a table, unpacked: four times the largest published one."""
BLOCK = 2**19
"""Bytes that are parsed at once; more where a line is longer."""
LONGEST = 1000
"""Characters of a cell that is used."""
MANY = f"over {MOST_MARKS} combining marks in a row"
_PACKED: dict[str, tuple[bytes, Callable[[Path], io.BufferedIOBase]]] = {
    "gzip": (b"\x1f\x8b", gzip.GzipFile),
    "xz": (b"\xfd7zXZ\0", lzma.LZMAFile),
    "bzip2": (b"BZh", bz2.BZ2File),
    "zstd": (b"\x28\xb5\x2f\xfd", lambda path: pa.input_stream(str(path), compression="zstd")),
}

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)
"""What libraries raise where a file cannot be read or unpacked."""


@dataclass(frozen=True)
class Block:
    """Rows of a file."""

    path: Path
    expected: str
    lines: npt.NDArray[np.int64]  # (n,) line numbers, from 1
    cells: pa.ListArray  # (n,)

    def column(self, number: int) -> pa.StringArray:
        """The cells of a column, without white space around them.

        Raises:
            DataError: with the line, if a cell is longer than ``LONGEST``.
        """
        cells = pc.utf8_trim_whitespace(pc.list_element(self.cells, number))
        lengths = pc.utf8_length(cells).to_numpy()
        if (lengths > LONGEST).any():
            row = int(lengths.argmax())
            raise self.error(row, f"a cell of {lengths[row]:,} characters, more than {LONGEST:,}")
        return cells

    def check(self, least: int, most: int | None) -> None:
        """Raises DataError with the line of the first row that has fewer or more columns."""
        widths = pc.list_value_length(self.cells).to_numpy()
        wrong = (widths < least) | (widths > (most or widths))
        if wrong.any():
            row = int(wrong.argmax())
            text = "\t".join(self.cells[row].as_py()[:60])
            shown = text if len(text) <= 60 else f"{text[:57]}…"
            raise self.error(row, f"{widths[row]} column(s): {shown!r}")

    def error(self, row: int, problem: str) -> DataError:
        """An error in a row."""
        return _error(self.path, int(self.lines[row]), self.expected, problem)


def blocks(path: Path, expected: str) -> Iterator[Block]:
    """Parses a file block by block: text in NFC, blank lines left out.

    Args:
        path: plain or packed with gzip, xz, bzip2 or zstd, whatever its name; of ``LARGEST`` bytes at most.
        expected: what a line should look like, for messages.

    Raises:
        DataError: with file and line, if the text is not UTF-8, or the file is empty, too large or damaged.
    """
    line, empty = 1, True
    for data in _lines(path):
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            place = line + data.count(b"\n", 0, error.start)
            problem = f"the byte 0x{data[error.start]:02x}; convert the file to UTF-8"
            raise _error(path, place, expected, problem) from error
        faults = ((text.find("\0"), "a NUL character; is it a text file?"), (pile(text), MANY))
        for place, problem in faults:
            if place >= 0:
                raise _error(path, line + text.count("\n", 0, place), expected, problem)
        # Not pyarrow's utf8_normalize: that of version 25 decomposes when asked for NFC.
        text = unicodedata.normalize("NFC", text.replace("\ufeff", ""))
        rows = pc.split_pattern(pa.array([text]), "\n").flatten()
        filled = pc.match_substring_regex(rows, r"\S|\t")
        numbers = line + np.flatnonzero(filled.to_numpy(zero_copy_only=False))
        line += data.count(b"\n")
        if len(numbers):
            empty = False
            yield Block(path, expected, numbers, pc.split_pattern(rows.filter(filled), "\t"))
    if empty:
        raise DataError(f"{path}: expected rows {expected}, found an empty file")


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines, many at a time."""
    waiting: list[bytes] = []
    for data in _unpacked(path):
        # A CR at the very end may be half a CRLF.
        end = (data.rfind(b"\n") + 1) or (data.rfind(b"\r", 0, -1) + 1)
        if end:
            yield b"".join([*waiting, data[:end]])
            waiting.clear()
        waiting.append(data[end:])
    yield b"".join(waiting)


def packing(path: Path) -> str:
    """How a file is packed, by its first bytes: a key of ``_PACKED`` or ``plain``.

    Raises:
        DataError: if it is a zip archive, which may hold several files.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK\3\4"):
        raise DataError(f"{path}: packed with zip; unpack it first")
    return next((name for name, (magic, _) in _PACKED.items() if start.startswith(magic)), "plain")


def opened(path: Path) -> io.BufferedIOBase:
    """Opens a file to read its bytes, unpacked whatever its name, or a pipe; raises as ``packing``."""
    kind = packing(path) if path.is_file() else "plain"  # of a pipe nothing can be read twice
    return _PACKED[kind][1](path) if kind in _PACKED else path.open("rb")


def _unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of a file; a packed one is measured first, since a bomb is not worth parsing."""
    kind = "plain"
    try:
        kind = packing(path)
        size = path.stat().st_size
        if kind in _PACKED:
            with opened(path) as file:
                size = 0
                while size <= LARGEST and (data := file.read(BLOCK)):
                    size += len(data)
        if size > LARGEST:
            raise DataError(
                f"{path}: expected a table of {LARGEST:,} bytes at most, unpacked, found more; "
                "cut it down to the part of speech you want"
            )
        with opened(path) as file:
            while data := file.read(BLOCK):
                yield data
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:
            url = "; bring it in: dvc import-url" if re.match(r"\w+:/", str(path)) else ""
            raise DataError(f"{path}: cannot be read ({error.strerror}){url}") from error
        raise DataError(f"{path}: not a whole {kind} file ({error})") from error


def _error(path: Path, line: int, expected: str, problem: str) -> DataError:
    return DataError(f"{path}, line {line}: expected {expected} in UTF-8, found {problem}")
