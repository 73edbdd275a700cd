"""What a reader must beat, trained on the same forms.

The commonest value, the values of the longest known suffix, and logistic regression on suffixes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data import label_sets

if TYPE_CHECKING:  # PyTorch is imported where it is used
    pass

REGRESSION: dict[str, Any] = {"kind": "ngram", "head": "softmax", "longest": 8}
FITTING: dict[str, Any] = {"iterations": 300, "penalty": 0.1}
"""Of the regression: scikit-learn's on counts of suffixes 1-8 with C = 10."""

Floats = npt.NDArray[np.floating]


class Baseline(Protocol):
    """A reader that is there to be beaten."""

    def logits(self, forms: pa.ChunkedArray) -> Floats:
        """Scores (forms, labels), logarithms of shares but for a constant."""


@dataclass(frozen=True)
class SuffixTable:
    """How often each value stands with every suffix up to some length; of length 0 it is the majority."""

    levels: list[tuple[pa.Array, npt.NDArray[np.int64]]]
    """For each length from 0 the suffixes and their counts (suffixes, labels)."""

    @classmethod
    def train(
        cls, forms: pa.ChunkedArray, labels: pa.ChunkedArray, known: tuple[str, ...], longest: int
    ) -> SuffixTable:
        """Counts the values of every suffix.

        Args:
            forms: training forms.
            labels: theirs, of one value or several.
            known: names of the values.
            longest: symbols of the longest suffix; 0 gives the majority baseline.
        """
        borne = label_sets.matrix(labels, known)
        row, column = np.nonzero(borne)
        levels = []
        for length in range(longest + 1):
            encoded = suffixes(forms, length).combine_chunks().dictionary_encode()
            place = pc.fill_null(encoded.indices, -1).to_numpy()[row]
            count = len(encoded.dictionary)
            cells = (place * len(known) + column)[place >= 0]
            counts = np.bincount(cells, minlength=count * len(known)).reshape(count, len(known))
            levels.append((encoded.dictionary, counts))
        return cls(levels)

    def logits(self, forms: pa.ChunkedArray) -> Floats:
        """Scores by each form's longest suffix that was seen in training; equally common values tie."""
        labels = self.levels[0][1].shape[1]
        scores = np.zeros((len(forms), labels))
        for length, (known, counts) in enumerate(self.levels):
            found = pc.index_in(suffixes(forms, length), value_set=known, skip_nulls=True)
            place = pc.fill_null(found, -1).to_numpy()
            seen = place >= 0
            # A value never seen there counts as one row spread over all of them.
            scores[seen] = np.log(counts[place[seen]] + 1 / labels)
        return scores


class NgramRegression:
    """Placeholder until merged."""

    @classmethod
    def train(cls, forms: pa.ChunkedArray, labels: pa.ChunkedArray, known: tuple[str, ...]) -> SuffixTable:
        """Trains."""
        return SuffixTable.train(forms, labels, known, 6)


def suffixes(forms: pa.ChunkedArray, length: int) -> pa.ChunkedArray:
    """The last ``length`` symbols of each form, null where a form is shorter."""
    if length == 0:
        return pa.chunked_array([pa.array([""] * len(forms), pa.string())])
    enough = pc.greater_equal(pc.utf8_length(forms), length)
    return pc.if_else(enough, pc.utf8_slice_codeunits(forms, start=-length), None)
