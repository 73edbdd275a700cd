"""Families of lemmas: compounds and derivations that end in the same lemma, their head.

*agglegény* and *vőlegény* end in *legény*. Whoever has learnt the one knows how the other ends,
so a test lemma of a family that training showed is less new than it looks.

The head stands at the inflected end: that is where the reader reads and where what the members
share goes on to be shared by their forms. A table that inflects at the beginning of its words is
therefore read backwards (Swahili *mtoto*, *watoto*: a family are lemmas that begin alike). Where
words inflect at their end but compounds begin with their head (Vietnamese, partly Hebrew and the
Romance languages), members have ends of their own, and it is still the end that can leak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.data.direction import inflects_at_end, turn

LEAST = 2
"""Symbols of the shortest head, whatever the script."""
LARGEST = 0.02
"""Share of all lemmas that a family may hold; what more lemmas end in is an affix rather than a head."""
FEW = 10
"""A family may always hold so many lemmas."""


@dataclass(frozen=True)
class Families:
    """The family of every lemma of a table."""

    table: pa.Table
    """lemma, head (``tables.FAMILIES``), sorted by lemma; a lemma without relatives is its own head."""
    shortest: int
    """Symbols of the shortest word that is taken for a head: half the median lemma, 2 at least."""
    at_end: bool
    """Whether heads are looked for at the end of lemmas."""
    passed_over: tuple[str, ...]
    """Lemmas that too many others end in to be taken for a head, sorted."""

    @classmethod
    def of(cls, table: pa.Table) -> Families:
        """Groups the lemmas of labelled rows (``tables.SAMPLE``).

        The relation *one lemma ends in another of enough length* is closed under "and so on": of
        the lemmas that a word ends in, each but the shortest ends in the shortest. So the connected
        components of the relation are the groups of one shortest such lemma, and one look-up a
        length finds them; no search through a graph is needed.

        A head of more than 2 % of all lemmas would leave nothing to divide. It is passed over: its
        members go to their next longer head or stand alone, and the report names it.
        """
        at_end = inflects_at_end(table["lemma"], table["form"])
        lemmas = pc.unique(table["lemma"]).sort()
        words = turn(lemmas, at_end)
        lengths = pc.utf8_length(words).to_numpy()
        shortest = max(LEAST, int(np.median(lengths)) // 2) if len(lengths) else LEAST
        largest = max(FEW, int(LARGEST * len(words)))
        passed_over = np.zeros(len(words), dtype=np.bool_)
        while True:
            heads = _heads(words, lengths, shortest, passed_over)
            size = np.bincount(heads, minlength=len(words))
            if not (size > largest).any():
                break
            passed_over |= size > largest
        return cls(
            pa.Table.from_arrays([lemmas, lemmas.take(pa.array(heads))], schema=tables.FAMILIES),
            shortest,
            at_end,
            tuple(lemmas.filter(pa.array(passed_over)).to_pylist()),
        )


def _heads(
    words: pa.Array,
    lengths: np.ndarray[tuple[int], np.dtype[np.int32]],
    shortest: int,
    passed_over: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Of each word the place of the shortest other one it ends in, its own if there is none."""
    heads = np.arange(len(words))
    alone = np.ones(len(words), dtype=np.bool_)
    for length in range(shortest, int(lengths.max(initial=0))):
        known = np.flatnonzero((lengths == length) & ~passed_over)
        left = np.flatnonzero(alone & (lengths > length))
        if len(known) == 0 or len(left) == 0:
            continue
        ends = pc.utf8_slice_codeunits(words.take(pa.array(left)), start=-length)
        place = pc.fill_null(pc.index_in(ends, words.take(pa.array(known))), -1).to_numpy()
        found = place >= 0
        heads[left[found]] = known[place[found]]
        alone[left[found]] = False
    return heads


def heads_of(lemmas: pa.ChunkedArray, families: pa.Table) -> pa.ChunkedArray:
    """The head of each lemma; a lemma that the families do not know is its own.

    Args:
        lemmas: (rows,).
        families: lemma, head (``tables.FAMILIES``).
    """
    place = pc.index_in(lemmas, families["lemma"].combine_chunks())
    return pc.coalesce(families["head"].take(place), lemmas)
