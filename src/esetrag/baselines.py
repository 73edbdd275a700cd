"""What a reader must beat: the commonest label, and the label of the longest known suffix."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class SuffixTable:
    """The commonest training label of every suffix up to some length; of length 0 it is the majority."""

    levels: list[pa.Table]
    """For each length from 0 the columns ``suffix`` and ``label``."""

    @classmethod
    def train(cls, forms: pa.ChunkedArray, labels: pa.ChunkedArray, longest: int) -> SuffixTable:
        """Counts the labels of every suffix.

        Args:
            forms: training forms.
            labels: their labels; of equally common ones the first in the alphabet is kept.
            longest: symbols of the longest suffix; 0 gives the majority baseline.
        """
        levels = []
        for length in range(longest + 1):
            rows = pa.table({"suffix": suffixes(forms, length), "label": labels}).drop_null()
            counts = rows.group_by(["suffix", "label"], use_threads=False).aggregate([([], "count_all")])
            ranked = counts.sort_by(
                [("suffix", "ascending"), ("count_all", "descending"), ("label", "ascending")]
            )
            levels.append(
                ranked.group_by("suffix", use_threads=False)
                .aggregate([("label", "first")])
                .rename_columns(["suffix", "label"])
            )
        return cls(levels)

    def read(self, forms: pa.ChunkedArray) -> pa.ChunkedArray:
        """The label of each form's longest suffix that was seen in training."""
        answers = []
        for length in range(len(self.levels) - 1, -1, -1):
            level = self.levels[length]
            place = pc.index_in(
                suffixes(forms, length), value_set=level["suffix"].combine_chunks(), skip_nulls=True
            )
            answers.append(level["label"].take(place))
        return pc.coalesce(*answers)


def suffixes(forms: pa.ChunkedArray, length: int) -> pa.ChunkedArray:
    """The last ``length`` symbols of each form, null where a form is shorter."""
    if length == 0:
        return pa.chunked_array([pa.array([""] * len(forms), pa.string())])
    enough = pc.greater_equal(pc.utf8_length(forms), length)
    return pc.if_else(enough, pc.utf8_slice_codeunits(forms, start=-length), None)
