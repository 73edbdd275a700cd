"""What paradigms give away: lemmas that are inflected, headings for forms, cells that are missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data.audit.affixes import Change, Ints

HEADING_LEMMAS = 5
"""So many lemmas have one form of which no letter is theirs: it is a heading or a mark, not a form."""
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
        """Takes rows as cells.

        Args:
            rows: columns ``lemma``, ``form``, ``features``.
        """
        lemma, bundle = (pc.dictionary_encode(rows[name]).combine_chunks() for name in ("lemma", "features"))
        ids = [column.indices.to_numpy().astype(np.int64) for column in (lemma, bundle)]
        return cls(lemma.dictionary, bundle.dictionary, ids[0], ids[1], rows["form"])

    def citation(self) -> int:
        """The bundle that most rows have whose form is the lemma; -1 if there is no such row."""
        same = pc.equal(self.forms, self.lemmas.take(pa.array(self.lemma))).to_numpy()
        return int(np.bincount(self.bundle[same]).argmax()) if same.any() else -1

    def otherwise_cited(self) -> Ints:
        """Rows of the citation cell of lemmas that it does not hold, if it holds nearly all others."""
        cells = self.bundle == self.citation()
        same = pc.equal(self.forms, self.lemmas.take(pa.array(self.lemma))).to_numpy()
        held, asked = (
            np.bincount(self.lemma[rows], minlength=len(self.lemmas)) > 0 for rows in (cells & same, cells)
        )
        if held.sum() < CITED * asked.sum():
            return np.empty(0, np.int64)
        return np.flatnonzero(cells & ~held[self.lemma])

    def inflected_lemmas(self) -> Ints:
        """Rows of another cell than the citation's whose form is the lemma of another paradigm."""
        listed = pc.index_in(self.forms, value_set=self.lemmas)
        other = pc.fill_null(listed, -1).to_numpy().astype(np.int64)
        return np.flatnonzero((other >= 0) & (other != self.lemma) & (self.bundle != self.citation()))

    def headings(self, change: Change) -> Ints:
        """Rows whose form stands under many lemmas and shares no letter with any at either end.

        Args:
            change: of the same rows.
        """
        alien = np.flatnonzero(change.stem == 0)
        at_other_end = change.lemmas[alien].turned().shared(change.forms[alien].turned())
        alien = alien[at_other_end == 0]
        form = pc.dictionary_encode(self.forms.take(pa.array(alien))).combine_chunks()
        ids = form.indices.to_numpy().astype(np.int64)
        pairs = np.unique(np.stack([ids, self.lemma[alien]], axis=1), axis=0)
        many = np.bincount(pairs[:, 0], minlength=1) >= HEADING_LEMMAS
        return np.compress(many[ids], alien) if len(alien) else alien

    def cells(self) -> Cells:
        """Which cells are usual, and who lacks which."""
        width = len(self.bundles)
        filled = pc.unique(pa.array(self.lemma * width + self.bundle)).to_numpy()
        lemma, bundle = filled // width, filled % width
        usual = np.bincount(bundle, minlength=width) >= USUAL * len(self.lemmas)
        has = np.zeros((len(self.lemmas), int(usual.sum())), dtype=bool)
        column = np.cumsum(usual) - 1
        kept = usual[bundle]
        has[lemma[kept], column[bundle[kept]]] = True
        sizes = np.bincount(lemma, minlength=len(self.lemmas))
        return Cells(self.lemmas.to_pylist(), self.bundles.filter(pa.array(usual)).to_pylist(), has, sizes)


@dataclass(frozen=True)
class Cells:
    """How far paradigms are filled."""

    lemmas: list[str]
    usual: list[str]
    """The bundles that at least half of the lemmas have."""
    has: npt.NDArray[np.bool_]
    """(lemmas, usual)"""
    sizes: Ints
    """(lemmas,) bundles of each lemma, unusual ones counted."""

    @property
    def lacking(self) -> Ints:
        """The lemmas that lack a usual cell, those that lack fewest first, then by the alphabet."""
        missing = (~self.has).sum(1)
        by_name = np.argsort(np.array(self.lemmas, dtype=object), kind="stable")
        ranked = by_name[np.argsort(missing[by_name], kind="stable")]
        found: Ints = ranked[missing[ranked] > 0]
        return found

    def missing(self, lemma: int) -> list[str]:
        """The usual bundles that a lemma lacks."""
        return [bundle for bundle, there in zip(self.usual, self.has[lemma], strict=True) if not there]
