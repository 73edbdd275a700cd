"""Pairs of texts with a label, made of the rows of a part: which form is right, which two share a lemma.

A pair is one text, ``first<TAB>second``. Whoever is right has a counterpart that is wrong, so that neither
text alone, nor the features, tell anything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.data import change
from esetrag.data.change import Changes, Ints, Words, words

SEPARATOR = "\t"
RIGHT, WRONG = "right", "wrong"
SAME, DIFFERENT = "same", "different"
TRIES = 20
"""Changes that are tried on a lemma until one makes a form that it has not."""
NEAR = 10
"""Neighbours, in the list of sorted forms, that a form may be paired with."""
CLOSE = 0.05
"""By how much the shared parts of two pairs may differ, as shares of the longer form."""


def joined(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    """Pairs as texts, (n,)."""
    return pc.binary_join_element_wise(first, second, SEPARATOR)


def valid(rows: pa.Table, table: pa.Table, chance: np.random.Generator) -> pa.Table:
    """Each lemma with its form of a cell, and with what the change of another lemma makes of it.

    The other change is that of a random row of the same cell, so that it is drawn by its frequency. The
    lemma must end in what the change cuts off, and the outcome be no form of the lemma: *sipka*, as *barát*
    makes *baráttól*, gives *sipkatól*. A row for which none is found is left out.

    Args:
        rows: of a part (``tables.SAMPLE``), with lemmas and features.
        table: all rows, for the forms that a lemma has.
        chance: source of random numbers.

    Returns:
        Rows of two pairs each (``tables.SAMPLE``), labelled ``RIGHT`` and ``WRONG``.
    """
    changes, real = Changes.of(rows), pc.unique(joined(table["lemma"], table["form"]))
    lemmas, front, dropped, ending = map(
        words, (changes.lemmas, changes.front, changes.dropped, changes.ending)
    )
    cell = rows["features"].combine_chunks().dictionary_encode().indices.to_numpy()
    order, sizes = np.argsort(cell, kind="stable"), np.bincount(cell)
    starts = np.cumsum(sizes) - sizes
    made, left = np.full(len(rows), None, object), np.arange(len(rows))
    for _ in range(TRIES):
        own = cell[left]
        other = order[starts[own] + (chance.random(len(left)) * sizes[own]).astype(np.int64)]
        lemma, cut = lemmas[left], dropped[other]
        stem = np.strings.slice(lemma, 0, np.strings.str_len(lemma) - np.strings.str_len(cut))
        texts = np.strings.add(np.strings.add(front[other], stem), ending[other])
        forms = change.turn(pa.chunked_array([pa.array(texts, pa.string())]), changes.at_end)
        pairs = joined(rows["lemma"].take(pa.array(left)), forms)
        good = np.strings.endswith(lemma, cut) & ~pc.is_in(pairs, real).to_numpy()
        made[left[good]] = np.array(pairs.to_pylist(), object)[good]
        left = left[~good]
    found = np.flatnonzero([pair is not None for pair in made])
    kept = rows.take(pa.array(found))
    return _both(kept, joined(kept["lemma"], kept["form"]), pa.array(made[found], pa.string()), RIGHT, WRONG)


def same_lemma(rows: pa.Table, table: pa.Table, chance: np.random.Generator) -> pa.Table:  # noqa: ARG001
    """Each form with another one of its lemma, and with one of another lemma that is as like.

    Both share their beginning with the form, by nearly the same share of the longer form.

    Args:
        rows: of a part (``tables.SAMPLE``), with lemmas.
        table: as for ``valid``.
        chance: source of random numbers.

    Returns:
        Rows of two pairs each (``tables.SAMPLE``), labelled ``SAME`` and ``DIFFERENT``.
    """
    raise NotImplementedError


def _both(rows: pa.Table, good: pa.ChunkedArray, bad: pa.Array, right: str, wrong: str) -> pa.Table:
    """Rows twice: with the good pairs, then with the bad ones."""
    parts = []
    for pairs, label in ((good, right), (bad, wrong)):
        columns = {"form": pairs, "label": pa.array([label] * len(rows), pa.string())}
        parts.append(pa.table([columns.get(n, rows[n]) for n in rows.column_names], schema=tables.SAMPLE))
    return pa.concat_tables(parts)


BUILDERS: dict[str, Callable[[pa.Table, pa.Table, np.random.Generator], pa.Table]] = {
    "valid": valid,
    "same-lemma": same_lemma,
}
