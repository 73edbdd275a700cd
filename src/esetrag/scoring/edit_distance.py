"""Levenshtein distance of words, over their symbols."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.str_]
Ints = npt.NDArray[np.int64]


def distances(a: Words, b: Words) -> Ints:
    """Insertions, deletions and substitutions that make each word of ``a`` that of ``b``, (n,).

    The table of dynamic programming (Wagner and Fischer 1974) goes over the symbols of ``a``; its rows are
    all words at once.

    >>> distances(np.array(["texasi", "ház"]), np.array(["tecasiak", "ház"]))
    array([3, 0])
    """
    if not len(a):
        return np.zeros(0, np.int64)
    first, second = (np.ascontiguousarray(words).view(np.uint32).reshape(len(words), -1) for words in (a, b))
    sizes, ends = np.strings.str_len(a), np.strings.str_len(b)
    found = np.zeros(len(a), np.int64)
    for place, row in enumerate(rows(first, second)):
        found = np.where(sizes == place, row[np.arange(len(a)), ends], found)
    return found


def rows(first: npt.NDArray[np.uint32], second: npt.NDArray[np.uint32]) -> Iterator[npt.NDArray[np.int16]]:
    """The table of dynamic programming, row by row: distances of beginnings of many pairs of words.

    Args:
        first: (n, a) code points, 0 behind.
        second: (n, b) likewise.

    Yields:
        For 0, 1, … a symbols of the first words the distances to 0 … b of the second ones, (n, b + 1).
    """
    columns = np.arange(second.shape[1] + 1, dtype=np.int16)
    row = np.tile(columns, (len(first), 1))
    yield row
    for symbol in first.T:
        changed = row[:, :-1] + (symbol[:, None] != second)
        new = np.concatenate([row[:, :1] + 1, np.minimum(changed, row[:, 1:] + 1)], axis=1)
        # An insertion adds 1 to what stands left of it, which may be an insertion itself.
        row = (np.minimum.accumulate(new - columns, axis=1) + columns).astype(np.int16)
        yield row
