"""Levenshtein distance of words, over their symbols."""

from __future__ import annotations

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
    columns = np.arange(second.shape[1] + 1)
    row = np.tile(columns, (len(a), 1))  # (n, symbols of b + 1)
    found = np.where(sizes == 0, ends, 0)
    for place in range(first.shape[1]):
        changed = row[:, :-1] + (first[:, place, None] != second)
        new = np.concatenate([row[:, :1] + 1, np.minimum(changed, row[:, 1:] + 1)], axis=1)
        # An insertion adds 1 to what stands left of it, which may be an insertion itself.
        row = np.minimum.accumulate(new - columns, axis=1) + columns
        found = np.where(sizes == place + 1, row[np.arange(len(a)), ends], found)
    distance: Ints = found
    return distance
