"""What a model of pairs must beat: the majority class, how like the two are, and what they do not share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data.change import Words, changes, words
from esetrag.scoring.edit_distance import distances
from esetrag.tasks.baselines import Floats, Trained, indicators, longest_suffix, regression

NAMES = ("differing_endings", "similarity", "majority")
LETTERS = 3
"""The last ones that both share."""


def train(rows: pa.Table, labels: Sequence[str]) -> Trained:
    """Trains all baselines, one for each of NAMES; all are given pairs as ``Pair.asked`` writes them.

    - ``differing_endings``: scikit-learn's logistic regression on what is left of both behind the beginning
      that they share, with the features and the last letters that they share.
    - ``similarity``: the same on the shared share of both, and their edit distance.

    Args:
        rows: training rows: form (``Pair.asked``), label, weight.
        labels: names of the columns of scores.
    """
    known = [pc.unique(column) for column in differing_endings(rows["form"])]
    return {
        "differing_endings": regression(
            rows, labels, lambda texts: indicators(differing_endings(texts), known)
        ),
        "similarity": regression(rows, labels, _similarity),
        "majority": longest_suffix(rows, labels, 0),
    }


def _parts(texts: pa.ChunkedArray) -> list[Words]:
    """First texts, second texts and bundles, (n,) each."""
    lists = pc.split_pattern(texts.combine_chunks(), "\t")
    return [words(pa.chunked_array([pc.list_element(lists, place)])) for place in range(3)]


def _similarity(texts: pa.ChunkedArray) -> Floats:
    """Shared beginning and edit distance as shares of the longer text, (n, 2)."""
    first, second, _ = _parts(texts)
    lost, _ = changes(first, second)
    longer = np.maximum(np.strings.str_len(first), np.strings.str_len(second))
    columns = [np.strings.str_len(first) - lost, distances(first, second)]
    shares: Floats = np.stack(columns, axis=1) / np.maximum(longer, 1)[:, None]
    return shares


def differing_endings(texts: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    """What is left of both texts behind their shared beginning, alone and with what may matter, (n,) each.

    The first column has it with the features; others have the last letters of the shared beginning.
    """
    first, second, bundle = _parts(texts)
    lost, ending = changes(first, second)
    stem = np.strings.str_len(first) - lost
    rests = _joined(np.strings.slice(first, stem, first.dtype.itemsize), ending)
    ends = [np.strings.slice(first, np.maximum(stem - size, 0), stem) for size in range(1, LETTERS + 1)]
    columns = [_joined(bundle, rests), rests, bundle, *ends, *(_joined(end, rests) for end in ends)]
    return [pa.chunked_array([pa.array(column, pa.string())]) for column in columns]


def _joined(a: Words, b: Words) -> Words:
    return np.strings.add(np.strings.add(a, "\t"), b)
