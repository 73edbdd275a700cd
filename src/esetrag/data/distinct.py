"""Which rows are the same: told by hashes of 64 bits, and counted without keeping the rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esetrag.core.errors import DataError

Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

IN_MEMORY = 2**23
"""Bytes of counted rows that stay in memory, twelve a row; more of them wait on the disk."""
RANGES = 64
"""Of the hashes, counted one after the other."""
_ROW = np.dtype([("hash", "<u8"), ("kind", "<u4")])
_EDGES = np.arange(1, RANGES, dtype=np.uint64) << np.uint64(58)
_OF_BYTE = np.random.default_rng(1).integers(2**64, size=256, dtype=np.uint64)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def hashes(columns: Iterable[pa.Array]) -> Hashes:
    """A number of each row, (rows,): the same of the same rows, and of others all but surely another.

    Args:
        columns: (rows,) strings each, or dictionaries of strings, whose words are looked at once.
    """
    found = np.zeros(1, np.uint64)
    for column in columns:
        if isinstance(column, pa.DictionaryArray):
            of_column = _of_words(column.dictionary)[column.indices.to_numpy()]
        else:
            of_column = _of_words(column)
        found = _mixed(found + of_column)
    return found


def _of_words(words: pa.StringArray) -> Hashes:
    """Of each word a sum of products, one a byte: each place has its weight."""
    if not len(words):
        return np.empty(0, np.uint64)
    ends = np.frombuffer(words.buffers()[1], np.int32)[words.offset :][: len(words) + 1].astype(np.int64)
    starts, sizes = ends[:-1] - ends[0], np.diff(ends)
    filled = sizes > 0
    found = sizes.astype(np.uint64)
    if filled.any():
        data = np.frombuffer(words.buffers()[2], np.uint8)[ends[0] : ends[-1]]
        place = np.arange(len(data))
        place -= np.repeat(starts, sizes)
        values = _mixed(np.arange(int(sizes.max()), dtype=np.uint64)).take(place)
        values *= _OF_BYTE.take(data)
        found[filled] += np.add.reduceat(values, starts[filled])
    return _mixed(found)


def _mixed(numbers: Hashes) -> Hashes:
    found = (numbers + np.uint64(1)) * _MIX
    found ^= found >> np.uint64(31)
    return found * _MIX


def first(rows: pa.Table, hashed: Hashes) -> Ints | None:
    """The places of the distinct rows, each where it stands first; None if all rows are distinct.

    Rows of one hash are compared themselves, so no row is ever lost.

    Args:
        rows: n rows.
        hashed: (n,) of them.
    """
    order = np.argsort(hashed, kind="stable")
    again = np.flatnonzero(hashed[order[1:]] == hashed[order[:-1]])
    if not len(again):
        return None
    kept = np.ones(len(rows), dtype=bool)
    kept[order[again]] = kept[order[again + 1]] = False
    place = np.flatnonzero(~kept)
    doubted = rows.take(pa.array(place))
    # Arrow groups by no dictionary that has several pieces.
    texts = pa.table({name: doubted[name].cast(pa.string()) for name in rows.column_names})
    groups = texts.append_column("row", pa.array(place)).group_by(rows.column_names, use_threads=False)
    kept[groups.aggregate([("row", "min")])["row_min"].to_numpy()] = True
    return np.flatnonzero(kept)


class Distinct:
    """Counts the distinct rows of each kind, in memory that does not grow with them."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 closed by __exit__
        self._ends: list[list[int]] = []  # of each call of add, where in the file each range ends

    def __enter__(self) -> Distinct:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, hashed: Hashes, kinds: Ints) -> None:
        """Takes note of rows.

        Args:
            hashed: (n,) of them.
            kinds: (n,) numbers from 0; rows that are the same are of one kind.

        Raises:
            DataError: if the disk has no room for them.
        """
        found, place = np.unique(hashed, return_index=True)
        rows = np.empty(len(found), _ROW)
        rows["hash"], rows["kind"] = found, kinds[place]
        begin = self._file.tell()
        edges = [*np.searchsorted(found, _EDGES).tolist(), len(found)]
        self._ends.append([begin, *(begin + _ROW.itemsize * edge for edge in edges)])
        try:
            self._file.write(rows.tobytes())
        except OSError as error:
            where = tempfile.gettempdir()
            raise DataError(f"{where}: cannot be written ({error.strerror or error}); see TMPDIR") from error

    def counts(self, kinds: int) -> Ints:
        """Distinct rows of each kind, (kinds,)."""
        counts = np.zeros(kinds, np.int64)
        for number in range(RANGES):
            parts = []
            for ends in self._ends:
                self._file.seek(ends[number])
                parts.append(self._file.read(ends[number + 1] - ends[number]))
            rows = np.frombuffer(b"".join(parts), _ROW)
            _, place = np.unique(rows["hash"], return_index=True)
            counts += np.bincount(rows["kind"][place], minlength=kinds)
        return counts
