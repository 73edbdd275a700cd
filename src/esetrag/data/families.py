"""Families of lemmas: compounds and derivations that end in the same lemma, their head.

*agglegény* and *vőlegény* end in *legény*. Who knows how one is inflected knows it of the other, so a test
lemma of a family that is in training is less new than it looks.

The head stands at the inflected end, since that is what members share with their forms. In a table that
inflects at the beginning of its words a family are lemmas that begin alike. Where words inflect at their end
but compounds begin with their head (Vietnamese, partly Hebrew and the Romance languages), members have ends
of their own, and it is still the end that can leak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.data.change import Ints, inflects_at_end, turn

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
    """Symbols of the shortest word that is taken for a head: half the median lemma, ``LEAST`` at least."""
    at_end: bool
    """Whether heads are looked for at the end of lemmas."""
    passed_over: tuple[str, ...]
    """Lemmas that too many others end in to be taken for a head, sorted."""

    @classmethod
    def of(cls, table: pa.Table) -> Families:
        """Groups the lemmas of labelled rows; rows without a lemma are none's.

        Of the lemmas that a word ends in, each but the shortest ends in the shortest. So the connected
        components of *one lemma ends in another* are the groups of one shortest such lemma, and one
        look-up a length finds them. A head of more than ``LARGEST`` of all lemmas is passed over: its
        members go to their next longer head or stand alone.
        """
        lemmas = pc.unique(table["lemma"]).drop_null().sort()
        at_end = not len(lemmas) or inflects_at_end(table["lemma"], table["form"])
        ends = turn(lemmas, at_end)
        lengths = pc.utf8_length(ends).to_numpy()
        shortest = max(LEAST, int(np.median(lengths)) // 2) if len(lengths) else LEAST
        largest = max(FEW, int(LARGEST * len(ends)))
        passed_over = np.zeros(len(ends), dtype=np.bool_)
        while True:
            heads = _heads(ends, lengths, shortest, passed_over)
            size = np.bincount(heads, minlength=len(ends))
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
    ends: pa.Array, lengths: npt.NDArray[np.int32], shortest: int, passed_over: npt.NDArray[np.bool_]
) -> Ints:
    """The place of the shortest other word that each word ends in, its own if there is none."""
    heads = np.arange(len(ends))
    alone = np.ones(len(ends), dtype=np.bool_)
    for length in range(shortest, int(lengths.max(initial=0))):
        known = np.flatnonzero((lengths == length) & ~passed_over)
        left = np.flatnonzero(alone & (lengths > length))
        if len(known) == 0 or len(left) == 0:
            continue
        last = pc.utf8_slice_codeunits(ends.take(pa.array(left)), start=-length)
        place = pc.fill_null(pc.index_in(last, ends.take(pa.array(known))), -1).to_numpy()
        found = place >= 0
        heads[left[found]] = known[place[found]]
        alone[left[found]] = False
    return heads


def heads_of(lemmas: pa.ChunkedArray, families: pa.Table) -> pa.ChunkedArray:
    """The head of each lemma (n,) by ``tables.FAMILIES``; a lemma that is not in it is its own."""
    place = pc.index_in(lemmas, families["lemma"].combine_chunks())
    return pc.coalesce(families["head"].take(place), lemmas)
