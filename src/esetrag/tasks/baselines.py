"""What a model must beat, trained on the same forms.

The majority class, the labels of the longest known suffix, and logistic regression on suffixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data import label_sets

NAMES = ("logistic_regression", "longest_suffix", "majority")
LONGEST = 8
"""Symbols of the longest suffix of the regression."""
INVERSE_PENALTY, ITERATIONS = 10.0, 1000
"""scikit-learn's ``C`` and the limit of its optimiser."""

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]


class Baseline(Protocol):
    """A classifier of forms."""

    def logits(self, forms: pa.ChunkedArray) -> Floats:
        """Scores (forms, labels): logarithms of probabilities but for a constant."""


def train(rows: pa.Table, labels: Sequence[str], suffix_length: int) -> dict[str, Baseline]:
    """Trains all baselines.

    Args:
        rows: training rows: form, label.
        labels: names of the columns of scores.
        suffix_length: symbols of the longest suffix of ``longest_suffix``.

    Returns:
        A baseline for each of NAMES.
    """
    suffix = LongestSuffix.train(rows, labels, suffix_length)
    regression = LogisticRegression.train(rows, labels)
    return dict(zip(NAMES, (regression, suffix, LongestSuffix(suffix.levels[:1])), strict=True))


@dataclass(frozen=True)
class LongestSuffix:
    """Counts of labels by suffix, up to some length; of length 0 it is the majority class."""

    levels: list[tuple[pa.Array, npt.NDArray[np.int64]]]
    """For each length from 0 the suffixes and their counts (suffixes, labels)."""

    @classmethod
    def train(cls, rows: pa.Table, labels: Sequence[str], longest: int) -> LongestSuffix:
        """Counts the labels of every suffix; arguments as for ``train`` of the module."""
        row, column = np.nonzero(label_sets.matrix(rows["label"], labels))
        levels = []
        for length in range(longest + 1):
            encoded = suffixes(rows["form"], length).combine_chunks().dictionary_encode()
            place = pc.fill_null(encoded.indices, -1).to_numpy()[row]
            count = len(encoded.dictionary)
            cells = (place * len(labels) + column)[place >= 0]
            counts = np.bincount(cells, minlength=count * len(labels)).reshape(count, len(labels))
            levels.append((encoded.dictionary, counts))
        return cls(levels)

    def logits(self, forms: pa.ChunkedArray) -> Floats:
        """Scores by each form's longest suffix that was seen in training; equally frequent labels tie."""
        labels = self.levels[0][1].shape[1]
        scores = np.zeros((len(forms), labels))
        for length, (known, counts) in enumerate(self.levels):
            place = _places(suffixes(forms, length), known)
            seen = place >= 0
            # A label never seen there counts as one row spread over all of them.
            scores[seen] = np.log(counts[place[seen]] + 1 / labels)
        return scores


@dataclass(frozen=True)
class LogisticRegression:
    """scikit-learn's logistic regression on the last 1 to 8 symbols, the beginning of a form included."""

    known: list[pa.Array]
    """For each length from 1 the suffixes of the training forms."""
    labels: int
    model: Any

    @classmethod
    def train(cls, rows: pa.Table, labels: Sequence[str]) -> LogisticRegression:
        """Fits the weights; a form of n labels is n rows of weight 1/n."""
        from sklearn import linear_model  # a second that predictions do not need
        from threadpoolctl import threadpool_limits

        marked = _marked(rows["form"])
        known = [pc.unique(suffixes(marked, length)).drop_null() for length in range(1, LONGEST + 1)]
        targets = label_sets.matrix(rows["label"], labels)
        row, column = np.nonzero(targets)
        model = linear_model.LogisticRegression(C=INVERSE_PENALTY, max_iter=ITERATIONS)
        if len(np.unique(column)) > 1:
            with threadpool_limits(1):  # sums in another order differ in their last bits
                model.fit(_indicators(marked, known)[row], column, 1 / targets.sum(1)[row])
        return cls(known, len(labels), model)

    def logits(self, forms: pa.ChunkedArray) -> Floats:
        """Log probabilities; all 0 if training had one label only."""
        scores = np.zeros((len(forms), self.labels))
        if hasattr(self.model, "classes_") and len(forms):
            scores[:] = np.log(np.finfo(np.float32).tiny)
            scores[:, self.model.classes_] = self.model.predict_log_proba(
                _indicators(_marked(forms), self.known)
            )
        return scores


def suffixes(forms: pa.ChunkedArray, length: int) -> pa.ChunkedArray:
    """The last ``length`` symbols of each form, null where a form is shorter."""
    if length == 0:
        return pa.chunked_array([pa.array([""] * len(forms), pa.string())])
    enough = pc.greater_equal(pc.utf8_length(forms), length)
    return pc.if_else(enough, pc.utf8_slice_codeunits(forms, start=-length), None)


def _marked(forms: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise("^", forms, "")


def _places(column: pa.ChunkedArray, known: pa.Array) -> Ints:
    """Places among the known values; -1 for others and null."""
    places: Ints = pc.fill_null(pc.index_in(column, value_set=known, skip_nulls=True), -1).to_numpy()
    return places


def _indicators(marked: pa.ChunkedArray, known: list[pa.Array]) -> Any:
    """Which suffixes each form has, a sparse matrix (forms, suffixes)."""
    from scipy import sparse

    starts = np.cumsum([0, *map(len, known)])
    places = np.stack([_places(suffixes(marked, n), level) for n, level in enumerate(known, 1)], axis=1)
    row, level = np.nonzero(places >= 0)
    columns = (places + starts[:-1])[row, level]
    return sparse.csr_array((np.ones(len(row)), (row, columns)), shape=(len(places), starts[-1]))
