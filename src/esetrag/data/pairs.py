"""Pairs of texts with a label, made of the rows of a part: which form is right, which two share a lemma.

A pair is one text, ``first<TAB>second``. Each pair has a counterpart with the other label, of the same first
text and features, so that these alone tell nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.data import change
from esetrag.data.change import Changes, Ints, Words, changes, words

SEPARATOR = "\t"
RIGHT, WRONG = "right", "wrong"
SAME, DIFFERENT = "same", "different"
TRIES = 20
"""Changes that are tried on a lemma until one makes a form that it has not."""
ELSEWHERE = 0.1
"""Share of the wrong forms that are right in another cell."""
NEAR = 10
"""Neighbours, in the list of sorted forms, that a form may be paired with."""
CLOSE = 0.05
"""By how much the shared parts of two pairs may differ, as shares of the longer form."""
NONE = -1
Column = pa.Array | pa.ChunkedArray
Floats = npt.NDArray[np.float64]


def joined(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    """Pairs as texts, (n,)."""
    return pc.binary_join_element_wise(first, second, SEPARATOR)


def valid(rows: pa.Table, table: pa.Table, chance: np.random.Generator) -> pa.Table:
    """Each lemma with its form of a cell, and with a form that is wrong there.

    Most wrong forms are what the change of another lemma makes of this one. It is that of a random row of the
    same cell, so that changes are drawn by their frequency. The lemma must end in what the change cuts off,
    and the outcome be no form of the lemma: *sipka*, as *barát* makes *baráttól*, gives *sipkatól*. For
    ``ELSEWHERE`` of the rows, and where no such form is found, it is the lemma's form of another cell.

    Args:
        rows: of a part (``tables.SAMPLE``), with lemmas and features.
        table: all rows, for the forms that a lemma has.
        chance: source of random numbers.

    Returns:
        Rows of two pairs each (``tables.SAMPLE``), labelled ``RIGHT`` and ``WRONG``.
    """
    change_of, real = Changes.of(rows), pc.unique(joined(table["lemma"], table["form"]))
    cells = pc.unique(joined(joined(table["lemma"], table["form"]), table["features"]))
    columns = (change_of.lemmas, change_of.front, change_of.dropped, change_of.ending)
    lemmas, front, dropped, ending = map(words, columns)
    made, elsewhere = np.full(len(rows), None, object), chance.random(len(rows)) < ELSEWHERE
    left = np.flatnonzero(~elsewhere)
    for _ in range(TRIES):
        other = _drawn(rows["features"], left, chance)
        lemma, cut = lemmas[left], dropped[other]
        stem = np.strings.slice(lemma, 0, np.strings.str_len(lemma) - np.strings.str_len(cut))
        texts = np.strings.add(np.strings.add(front[other], stem), ending[other])
        forms = change.turn(pa.chunked_array([pa.array(texts, pa.string())]), change_of.at_end)
        pairs = joined(rows["lemma"].take(pa.array(left)), forms)
        good = np.strings.endswith(lemma, cut) & ~pc.is_in(pairs, real).to_numpy()
        made[left[good]] = np.array(pairs.to_pylist(), object)[good]
        left = left[~good]
    left = np.sort(np.concatenate([left, np.flatnonzero(elsewhere)]))
    other = _drawn(rows["lemma"], left, chance)
    pairs = joined(rows["lemma"].take(pa.array(left)), rows["form"].take(pa.array(other)))
    wrong = ~pc.is_in(joined(pairs, rows["features"].take(pa.array(left))), cells).to_numpy()
    made[left[wrong]] = np.array(pairs.to_pylist(), object)[wrong]
    found = np.flatnonzero([pair is not None for pair in made])
    kept = rows.take(pa.array(found))
    return _both(kept, joined(kept["lemma"], kept["form"]), pa.array(made[found], pa.string()), RIGHT, WRONG)


def _drawn(groups: pa.ChunkedArray, rows: Ints, chance: np.random.Generator) -> Ints:
    """For each of some rows a random one of the same group, which may be itself."""
    group = groups.combine_chunks().dictionary_encode().indices.to_numpy()
    order, sizes = np.argsort(group, kind="stable"), np.bincount(group)
    starts, own = np.cumsum(sizes) - sizes, group[rows]
    drawn: Ints = order[starts[own] + (chance.random(len(rows)) * sizes[own]).astype(np.int64)]
    return drawn


def same_lemma(rows: pa.Table, table: pa.Table, chance: np.random.Generator) -> pa.Table:  # noqa: ARG001
    """Each form with one of another lemma, and with one of its own lemma that is as like.

    The first is the one of its neighbours in the sorted list that shares most with it. The second shares
    nearly the same share of the longer form. A form without two such partners is left out.

    Args:
        rows: of a part (``tables.SAMPLE``), with lemmas.
        table: all rows, for the forms that a lemma has.
        chance: without use.

    Returns:
        Rows of two pairs each (``tables.SAMPLE``), labelled ``SAME`` and ``DIFFERENT``.
    """
    forms, real = words(rows["form"]), pc.unique(joined(table["lemma"], table["form"]))
    lemma = rows["lemma"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(forms, kind="stable")
    bad, like = _partners(order, forms, np.ones(len(forms)), lambda a, b: lemma[a] != lemma[b])
    pairs = joined(rows["lemma"], rows["form"].take(pa.array(np.maximum(bad, 0))))
    bad[pc.is_in(pairs, real).to_numpy()] = NONE  # a form of both lemmas
    order = order[np.argsort(lemma[order], kind="stable")]
    good, own = _partners(order, forms, like, lambda a, b: lemma[a] == lemma[b])
    found = pa.array(np.flatnonzero((bad != NONE) & (good != NONE) & (np.abs(like - own) <= CLOSE)))
    kept = rows.take(found).set_column(2, "features", pa.nulls(len(found), pa.string()))
    good_pairs, bad_pairs = (
        joined(kept["form"], rows["form"].take(pa.array(partner).take(found))) for partner in (good, bad)
    )
    return _both(kept, good_pairs, bad_pairs, SAME, DIFFERENT)


def _partners(
    order: Ints, forms: Words, wanted: Floats, allowed: Callable[[Ints, Ints], npt.NDArray[np.bool_]]
) -> tuple[Ints, Floats]:
    """Of each form the allowed neighbour whose shared share is nearest to the wanted one, (n,).

    Args:
        order: (n,) of the list in which neighbours stand near each other.
        forms: (n,).
        wanted: (n,) shares.
        allowed: whether a form may be paired with another, for rows of both.

    Returns:
        Rows, ``NONE`` where there is none; the shares.
    """
    place, share, sizes = np.full(len(forms), NONE), np.zeros(len(forms)), np.strings.str_len(forms)
    missed = np.full(len(forms), np.inf)
    for step in range(1, NEAR + 1):
        for own, other in ((order[:-step], order[step:]), (order[step:], order[:-step])):
            shared = sizes[own] - changes(forms[own], forms[other])[0]
            shares = shared / np.maximum(sizes[own], sizes[other])
            off = np.abs(shares - wanted[own])
            better = allowed(own, other) & (off < missed[own]) & (forms[own] != forms[other])
            at = own[better]
            place[at], share[at], missed[at] = other[better], shares[better], off[better]
    return place, share


def _both(rows: pa.Table, good: Column, bad: Column, right: str, wrong: str) -> pa.Table:
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
