"""What a form has beyond its lemma, and which endings tell a value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data.direction import inflects_at_end, turn
from esetrag.data.label_sets import values

Words = npt.NDArray[np.str_]

FREQUENT_ROWS, FREQUENT_SHARE = 2, 0.01
"""An ending of a value is frequent if so many rows of the value have it, and such a share of them."""


def words(column: pa.ChunkedArray) -> Words:
    """Strings as numpy's own fixed-width ones."""
    array: Words = np.array(column.to_pylist(), dtype=np.str_)
    return array


def changes(lemmas: Words, forms: Words) -> tuple[npt.NDArray[np.int64], Words]:
    """What becomes of lemmas that inflect at the end: they lose some symbols and gain an ending.

    Args:
        lemmas: (rows,).
        forms: (rows,).

    Returns:
        Symbols that each lemma loses (rows,), endings (rows,); *madár* in *madarat* loses two and
        gains *arat*.
    """
    width = max(lemmas.dtype.itemsize, forms.dtype.itemsize) // 4 + 1  # the last column is empty
    one, other = (
        np.ascontiguousarray(array.astype(f"<U{width}")).view(np.uint32).reshape(-1, width)
        for array in (lemmas, forms)
    )
    stem = ((one != other) | (one == 0)).argmax(1)
    lost: npt.NDArray[np.int64] = np.strings.str_len(lemmas) - stem
    return lost, np.strings.slice(forms, stem, width)


class Endings:
    """What the training rows teach of endings.

    Attributes:
        at_end: whether forms inflect at their end; words are turned if they do not.
        citation: the value that forms equal to their lemma bear most often; None if no form is.
        counts: how often a change bears a value: lost, ending, value, rows.
        telling: endings, turned as words are, that are frequent in a value other than the citation
            one and borne by more training forms of that value than of the citation value.
        ends_of_citation: last two symbols of the training forms of the citation value.
    """

    def __init__(self, train: pa.Table) -> None:
        """Learns from labelled rows (``tables.SAMPLE``)."""
        self.at_end = inflects_at_end(train["lemma"], train["form"])
        self.counts = self._count(train)
        bare = self.counts[(self.counts["lost"] == 0) & (self.counts["ending"] == "")]
        ranked = bare.groupby("value")["rows"].sum().sort_index().sort_values(ascending=False, kind="stable")
        self.citation: str | None = str(ranked.index[0]) if len(ranked) else None
        self.telling: tuple[str, ...] = self._telling(train)
        bearing = train.filter(pa.array(self.bears_citation(train["label"])))
        ends = pc.utf8_slice_codeunits(turn(bearing["form"], self.at_end), start=-2)
        self.ends_of_citation: pa.Array = pc.unique(ends)

    def changes(self, rows: pa.Table) -> pd.DataFrame:
        """The changes of rows with a lemma and a form: lost, ending."""
        lemmas, forms = (words(turn(rows[name], self.at_end)) for name in ("lemma", "form"))
        lost, ending = changes(lemmas, forms)
        return pd.DataFrame({"lost": lost, "ending": ending.astype(object)})

    def bears_citation(self, labels: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Of each label whether the citation value is among its values."""
        encoded = labels.combine_chunks().dictionary_encode()
        bearing = np.array([self.citation in values(label) for label in encoded.dictionary.to_pylist()], bool)
        found: npt.NDArray[np.bool_] = bearing[encoded.indices.to_numpy()]
        return found

    def looks_inflected(self, forms: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Of each form whether it ends in a telling ending, something before it."""
        turned = turn(forms, self.at_end)
        found = np.zeros(len(forms), dtype=np.bool_)
        for length in sorted({len(ending) for ending in self.telling}):
            some = pa.array([ending for ending in self.telling if len(ending) == length], pa.string())
            longer = pc.greater(pc.utf8_length(turned), length)
            inside = pc.is_in(pc.utf8_slice_codeunits(turned, start=-length), some)
            found |= pc.and_(longer, inside).to_numpy()
        return found

    def ends_as_citation(self, forms: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Of each form whether its last two symbols end a training form of the citation value."""
        ends = pc.utf8_slice_codeunits(turn(forms, self.at_end), start=-2)
        found: npt.NDArray[np.bool_] = pc.is_in(ends, self.ends_of_citation).to_numpy()
        return found

    def _count(self, train: pa.Table) -> pd.DataFrame:
        rows = pa.Table.from_pandas(self.changes(train), preserve_index=False)
        rows = rows.append_column("label", train["label"])
        keys = ["lost", "ending", "label"]
        grouped = rows.group_by(keys, use_threads=False).aggregate([([], "count_all")]).to_pandas()
        grouped["value"] = grouped.pop("label").map(values)
        exploded = grouped.explode("value").rename(columns={"count_all": "rows"})
        counted: pd.DataFrame = exploded.groupby(["lost", "ending", "value"])["rows"].sum().reset_index()
        return counted

    def _telling(self, train: pa.Table) -> tuple[str, ...]:
        of_ending = self.counts.groupby(["ending", "value"])["rows"].sum().reset_index()
        of_value = of_ending.groupby("value")["rows"].transform("sum")
        least = np.maximum(FREQUENT_ROWS, FREQUENT_SHARE * of_value)
        frequent = of_ending[
            (of_ending["ending"] != "") & (of_ending["value"] != self.citation) & (of_ending["rows"] >= least)
        ]
        forms = turn(train["form"], self.at_end)
        counted = []
        for length in sorted(frequent["ending"].str.len().unique()):
            rows = pa.table(
                {"ending": pc.utf8_slice_codeunits(forms, start=-int(length)), "label": train["label"]}
            )
            known = pa.array(frequent.loc[frequent["ending"].str.len() == length, "ending"], pa.string())
            rows = rows.filter(pc.is_in(rows["ending"], known))
            some = rows.group_by(["ending", "label"], use_threads=False).aggregate([([], "count_all")])
            counted.append(some.to_pandas())
        if not counted:
            return ()
        ends = pd.concat(counted, ignore_index=True)
        ends["value"] = ends.pop("label").map(values)
        borne = ends.explode("value").groupby(["ending", "value"])["count_all"].sum()
        pairs = zip(frequent["ending"], frequent["value"], strict=True)
        told = {
            ending for ending, value in pairs if borne[ending, value] > borne.get((ending, self.citation), 0)
        }
        return tuple(sorted(told))
