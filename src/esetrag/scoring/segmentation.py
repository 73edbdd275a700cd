"""Scores of segmentations as SIGMORPHON's shared task of 2022 defines them (Batsuren et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from esetrag.scoring.ratios import Ratio

Segments = Sequence[Sequence[str]]
Ints = npt.NDArray[np.int64]


def f1(true: Segments, predicted: Segments) -> Ratio:
    """Twice the segments in common over all segments of both: 2PR / (P + R) over all words.

    Segments in common are those of the longest common subsequence.

    >>> f1([["fél", "ez", "ned"], ["ház"]], [["fel", "ez", "ned"], ["ház"]]).value
    0.75
    """
    sizes = np.array([[len(a), len(b)] for a, b in zip(true, predicted, strict=True)]).reshape(-1, 2)
    return Ratio(2 * common(true, predicted), sizes.sum(1))


def common(a: Segments, b: Segments) -> Ints:
    """The length of the longest common subsequence of each pair, (n,)."""
    number = {segment: place for place, segment in enumerate(dict.fromkeys(chain(*a, *b)), 1)}
    first, second = (_padded([[number[segment] for segment in word] for word in words]) for words in (a, b))
    row = np.zeros((len(first), second.shape[1] + 1), np.int64)
    for column in first.T:
        equal = (column[:, None] == second) & (column[:, None] > 0)
        new = np.where(equal, row[:, :-1] + 1, row[:, 1:])
        row[:, 1:] = np.maximum.accumulate(new, axis=1)
    return row[:, -1]


def _padded(words: Sequence[Sequence[int]]) -> Ints:
    ids = np.zeros((len(words), max(map(len, words), default=0)), np.int64)
    sizes = np.array([len(word) for word in words], np.int64)
    ids[np.arange(ids.shape[1]) < sizes[:, None]] = list(chain(*words))
    return ids
