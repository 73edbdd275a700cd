"""What inflection adds to lemmas, and which endings are evidence of a label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from esetrag.data.change import changes, inflects_at_end, turn, words
from esetrag.data.label_sets import values

Bools = npt.NDArray[np.bool_]

FREQUENT_ROWS, FREQUENT_SHARE = 2, 0.01
"""An ending is frequent with a label if so many rows of the label have it, and such a share of them."""


def has_lemmas(rows: pa.Table) -> bool:
    """Whether rows have lemmas; without them nothing is known of endings."""
    return bool(rows["lemma"].null_count < len(rows))


class Endings:
    """The endings of the training forms. Words that inflect at the beginning are turned first.

    Attributes:
        at_end: whether forms inflect at their end.
        citation: the most frequent label of forms equal to their lemma; None without such forms.
        counts: training rows by change and label (lost, ending, label).
        evidence: endings that are frequent with a label other than the citation label and that more forms
            of this label end in than of the citation label.
    """

    def __init__(self, train: pa.Table) -> None:
        """Counts the endings of rows with lemmas (``tables.SAMPLE``)."""
        self.at_end = inflects_at_end(train["lemma"], train["form"])
        rows = self.changes(train).assign(form=self._turned(train["form"]))
        rows = rows.assign(label=train["label"].to_pandas().map(values)).explode("label")
        self.counts: pd.Series[int] = rows.groupby(["lost", "ending", "label"]).size()
        bare = rows.loc[(rows["lost"] == 0) & (rows["ending"] == ""), "label"].mode()
        self.citation: str | None = bare.iloc[0] if len(bare) else None
        self.evidence = self._evidence(rows)
        self._citation_ends = set(rows.loc[rows["label"] == self.citation, "form"].str[-2:])

    def changes(self, rows: pa.Table) -> pd.DataFrame:
        """The changes of rows with a lemma and a form: lost, ending."""
        lemmas, forms = (words(turn(rows[name], self.at_end)) for name in ("lemma", "form"))
        lost, ending = changes(lemmas, forms)
        return pd.DataFrame({"lost": lost, "ending": ending.astype(object)})

    def has_citation(self, labels: pa.ChunkedArray) -> Bools:
        """Whether the citation label is one of each row's labels."""
        return np.array([self.citation in values(label) for label in labels.to_pylist()], dtype=bool)

    def looks_inflected(self, forms: pa.ChunkedArray) -> Bools:
        """Whether each form ends in an ending of ``evidence``, with something before it."""
        behind = self._turned(forms).str[1:]
        return behind.str.endswith(self.evidence).to_numpy(bool)

    def ends_as_citation(self, forms: pa.ChunkedArray) -> Bools:
        """Whether the last two symbols of each form end a training form of the citation label."""
        return self._turned(forms).str[-2:].isin(self._citation_ends).to_numpy(bool)

    def _turned(self, forms: pa.ChunkedArray) -> pd.Series[str]:
        series: pd.Series[str] = turn(forms, self.at_end).to_pandas()
        return series

    def _evidence(self, rows: pd.DataFrame) -> tuple[str, ...]:
        counted = (
            rows[rows["label"] != self.citation].groupby(["ending", "label"]).size().reset_index(name="rows")
        )
        of_label = counted.groupby("label")["rows"].transform("sum")
        least = np.maximum(FREQUENT_ROWS, FREQUENT_SHARE * of_label)
        frequent = counted[(counted["ending"] != "") & (counted["rows"] >= least)]
        evidence = set()
        for length, group in frequent.groupby(frequent["ending"].str.len()):
            ends = rows.groupby([rows["form"].str[-int(length) :], "label"]).size()
            pairs = zip(group["ending"], group["label"], strict=True)
            evidence |= {end for end, label in pairs if ends[end, label] > ends.get((end, self.citation), 0)}
        return tuple(sorted(evidence))
