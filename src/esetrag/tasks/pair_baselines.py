"""What a model of pairs must beat: the majority class, how like the two are, and what they do not share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data.change import changes
from esetrag.data.pairs import differing_endings, parts
from esetrag.scoring.edit_distance import distances
from esetrag.tasks.baselines import Floats, Trained, indicators, longest_suffix, regression

NAMES = ("differing_endings", "similarity", "majority")


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


def _similarity(texts: pa.ChunkedArray) -> Floats:
    """Shared beginning and edit distance as shares of the longer text, (n, 2)."""
    first, second, _ = parts(texts)
    lost, _ = changes(first, second)
    longer = np.maximum(np.strings.str_len(first), np.strings.str_len(second))
    columns = [np.strings.str_len(first) - lost, distances(first, second)]
    shares: Floats = np.stack(columns, axis=1) / np.maximum(longer, 1)[:, None]
    return shares
