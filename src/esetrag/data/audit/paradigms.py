"""What paradigms give away: lemmas that are inflected, headings for forms, cells that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data.audit.noise import ids
from esetrag.data.change import Changes, Ints, stems, turn

HEADING_LEMMAS = 5
"""If so many lemmas have one form of which no letter is theirs, it is a heading or a mark, not a form."""
CITED = 0.95
"""Share of the lemmas whose citation cell must hold the lemma, for the others to be remarkable."""
USUAL = 0.5
"""Share of the lemmas that must have a cell, for it to be missed at the others."""


@dataclass(frozen=True)
class Paradigms:
    """Rows as cells of paradigms."""

    lemmas: pa.Array
    """Each once, by first appearance."""
    bundles: pa.Array
    """Likewise."""
    lemma: Ints  # (n,)
    bundle: Ints  # (n,)
    forms: pa.ChunkedArray  # (n,)

    @classmethod
    def of(cls, rows: pa.Table) -> Paradigms:
        """Takes rows with the columns ``lemma``, ``form``, ``features`` as cells."""
        lemma, bundle = rows["lemma"], rows["features"]
        return cls(pc.unique(lemma), pc.unique(bundle), ids(lemma), ids(bundle), rows["form"])

    @property
    def cited(self) -> tuple[int, Ints]:
        """The bundle of most rows whose form is the lemma, -1 if none is; (n,) the rows that are such."""
        same = pc.equal(self.forms, self.lemmas.take(pa.array(self.lemma))).to_numpy()
        return int(np.bincount(self.bundle[same]).argmax()) if same.any() else -1, same

    def otherwise_cited(self) -> Ints:
        """Rows of the citation cell of lemmas that it does not hold, if it holds nearly all others."""
        citation, same = self.cited
        cells = self.bundle == citation
        lemmas = (np.bincount(self.lemma[rows], minlength=len(self.lemmas)) for rows in (cells & same, cells))
        held, every = (rows > 0 for rows in lemmas)
        if held.sum() < CITED * every.sum():
            return np.empty(0, np.int64)
        return np.flatnonzero(cells & ~held[self.lemma])

    def inflected_lemmas(self) -> Ints:
        """Rows of another cell than the citation's whose form is the lemma of another paradigm."""
        other = pc.fill_null(pc.index_in(self.forms, value_set=self.lemmas), -1).to_numpy()
        return np.flatnonzero((other >= 0) & (other != self.lemma) & (self.bundle != self.cited[0]))

    def headings(self, change: Changes) -> Ints:
        """Rows whose form stands under many lemmas and shares no letter with any at either end.

        Args:
            change: of the same rows.
        """
        alien = np.flatnonzero(change.stem == 0)
        turned = (turn(words.take(pa.array(alien)), False) for words in (change.lemmas, change.forms))
        alien = alien[stems(*turned) == 0]
        form = ids(self.forms.take(pa.array(alien)))
        of_form = np.unique(np.stack([form, self.lemma[alien]], axis=1), axis=0)[:, 0]
        return np.compress((np.bincount(of_form, minlength=1) >= HEADING_LEMMAS)[form], alien)

    def figures(self) -> dict[str, Any]:
        """How far paradigms are filled: lemmas, their bundles, and the lemmas that lack a usual bundle."""
        count, width = len(self.lemmas), len(self.bundles)
        filled = np.unique(self.lemma * width + self.bundle)
        sizes = np.bincount(filled // width, minlength=count)
        with_bundle = np.bincount(filled % width, minlength=width)
        usual = with_bundle >= USUAL * count
        complete = np.bincount(filled // width, usual[filled % width], count) == usual.sum()
        lacking = np.flatnonzero(usual & (with_bundle < count))
        return {
            "lemmas": count,
            "usual_cells": int(usual.sum()),
            "lacking_some": int((~complete).sum()),
            "smallest": int(sizes.min()),
            "median": float(np.median(sizes)),
            "largest": int(sizes.max()),
            "missing": {self.bundles[place].as_py(): int(count - with_bundle[place]) for place in lacking},
        }
