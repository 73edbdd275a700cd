"""What a model must beat, trained on the same forms.

The majority class, the labels of the longest known suffix, and logistic regression on suffixes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data import label_sets

NAMES = ("logistic_regression", "longest_suffix", "majority")
LONGEST = 8
"""Symbols of the longest suffix of the regression."""

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Logits = Callable[[pa.ChunkedArray], Floats]
"""Forms to scores (forms, labels): logarithms of probabilities but for a constant."""
Trained = dict[str, Logits]
"""By name, the best first."""


def train(rows: pa.Table, labels: Sequence[str], suffix_length: int) -> Trained:
    """Trains all baselines, one for each of NAMES.

    Args:
        rows: training rows: form, label, weight.
        labels: names of the columns of scores.
        suffix_length: symbols of the longest suffix of ``longest_suffix``.
    """
    regression, suffix = logistic_regression(rows, labels), longest_suffix(rows, labels, suffix_length)
    return dict(zip(NAMES, (regression, suffix, longest_suffix(rows, labels, 0)), strict=True))


def longest_suffix(rows: pa.Table, labels: Sequence[str], longest: int) -> Logits:
    """Frequency of the labels of each form's longest suffix seen in training; equally frequent ones tie.

    Args:
        rows: training rows: form, label, weight.
        labels: names of the columns of scores.
        longest: symbols; 0 is the majority class.
    """
    row, column = np.nonzero(label_sets.matrix(rows["label"], labels))
    weights = rows["weight"].to_numpy()[row]
    levels = []
    for length in range(longest + 1):
        encoded = suffixes(rows["form"], length).combine_chunks().dictionary_encode()
        place = pc.fill_null(encoded.indices, -1).to_numpy()[row]
        size = len(encoded.dictionary), len(labels)
        long = place >= 0
        cells = (place * len(labels) + column)[long]
        counts = np.bincount(cells, weights[long], size[0] * size[1]).reshape(size)
        levels.append((encoded.dictionary, counts))

    def logits(forms: pa.ChunkedArray) -> Floats:
        scores = np.zeros((len(forms), len(labels)))
        for length, (known, counts) in enumerate(levels):
            place = _places(suffixes(forms, length), known)
            seen = place >= 0
            # A label never seen there counts as one row spread over all of them.
            scores[seen] = np.log(counts[place[seen]] + 1 / len(labels))
        return scores

    return logits


def logistic_regression(rows: pa.Table, labels: Sequence[str]) -> Logits:
    """scikit-learn's logistic regression on the last 1 to 8 symbols, the beginning of a form included.

    Arguments as for ``longest_suffix``.
    """
    known = [pc.unique(column).drop_null() for column in _columns(rows["form"])]
    return regression(rows, labels, lambda forms: indicators(_columns(forms), known))


def regression(rows: pa.Table, labels: Sequence[str], matrix: Callable[[pa.ChunkedArray], Any]) -> Logits:
    """scikit-learn's logistic regression; a form of n labels is n rows of weight 1/n.

    Args:
        rows: training rows: form, label, weight.
        labels: names of the columns of scores.
        matrix: from forms to what is known of them, (forms, columns), sparse or not.
    """
    from sklearn.linear_model import LogisticRegression  # a second that predictions do not need
    from threadpoolctl import threadpool_limits

    targets = label_sets.matrix(rows["label"], labels)
    row, column = np.nonzero(targets)
    model = LogisticRegression(C=10.0, max_iter=1000)
    if several := len(np.unique(column)) > 1:
        with threadpool_limits(1):  # sums in another order differ in their last bits
            weights = (rows["weight"].to_numpy() / targets.sum(1))[row]
            model.fit(matrix(rows["form"])[row], column, weights)

    def logits(forms: pa.ChunkedArray) -> Floats:
        scores = np.zeros((len(forms), len(labels)))
        if several and len(forms):
            scores[:] = np.log(np.finfo(np.float32).tiny)  # of labels without a row
            scores[:, model.classes_] = model.predict_log_proba(matrix(forms))
        return scores

    return logits


def suffixes(forms: pa.ChunkedArray, length: int) -> pa.ChunkedArray:
    """The last ``length`` symbols of each form, null where a form is shorter."""
    if length == 0:
        return pa.chunked_array([pa.array([""] * len(forms), pa.string())])
    enough = pc.greater_equal(pc.utf8_length(forms), length)
    return pc.if_else(enough, pc.utf8_slice_codeunits(forms, start=-length), None)


def _columns(forms: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    marked = pc.binary_join_element_wise("^", forms, "")
    return [suffixes(marked, length) for length in range(1, LONGEST + 1)]


def _places(column: pa.ChunkedArray, known: pa.Array) -> Ints:
    """Places among the known values; -1 for others and null."""
    places: Ints = pc.fill_null(pc.index_in(column, value_set=known, skip_nulls=True), -1).to_numpy()
    return places


def indicators(columns: list[pa.ChunkedArray], known: list[pa.Array]) -> Any:
    """Which known values each row has, a sparse matrix (rows, values of all columns).

    Args:
        columns: (rows,) values each.
        known: of each column.
    """
    from scipy import sparse

    starts = np.cumsum([0, *map(len, known)])
    places = np.stack([_places(*pair) for pair in zip(columns, known, strict=True)], axis=1)
    row, length = np.nonzero(places >= 0)
    place = (places + starts[:-1])[row, length]
    return sparse.csr_array((np.ones(len(row)), (row, place)), shape=(len(places), starts[-1]))
