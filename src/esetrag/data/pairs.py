"""Pairs of texts with a label, made of the rows of a part: which form is right, which two share a lemma.

A pair is one text, ``first<TAB>second``. Whoever is right has a counterpart that is wrong, so that neither
text alone, nor the features, tell anything.
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
CELL = ["lemma", "form", "features"]
ELSEWHERE = 0.5
"""Share of the wrong forms that are right in another cell."""
TRIES = 20
"""Changes that are tried on a lemma until one makes a form that it has not in the cell."""
NEAR = 10
"""Neighbours, in the list of sorted forms, that a form may be paired with."""
CLOSE = 0.05
"""By how much the shared parts of two pairs may differ, as shares of the longer form."""
LETTERS = 3
"""Of the shared beginning of two texts, before what differs."""
NONE = -1
Floats = npt.NDArray[np.float64]


def joined(*columns: pa.ChunkedArray) -> pa.ChunkedArray:
    """Pairs, or pairs with their features, as texts, (n,)."""
    return pc.binary_join_element_wise(*columns, SEPARATOR)


def with_bundles(rows: pa.Table) -> pa.ChunkedArray:
    """Pairs, the forms of rows, with the bundle behind them: ``first<TAB>second<TAB>features``."""
    return joined(rows["form"], pc.fill_null(rows["features"], ""))


def parts(texts: pa.ChunkedArray) -> list[Words]:
    """First texts, second texts and bundles, (n,) each, of texts as of ``with_bundles``."""
    lists = pc.split_pattern(texts.combine_chunks(), SEPARATOR)
    return [words(pa.chunked_array([pc.list_element(lists, place)])) for place in range(3)]


def differing_endings(texts: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    """What is left of both texts behind their shared beginning, alone and with what may matter, (n,) each.

    The first column has it with the features; others have the last letters of the shared beginning.
    """
    first, second, bundle = parts(texts)
    lost, ending = changes(first, second)
    stem = np.strings.str_len(first) - lost
    rests = _beside(np.strings.slice(first, stem, first.dtype.itemsize), ending)
    ends = [np.strings.slice(first, np.maximum(stem - size, 0), stem) for size in range(1, LETTERS + 1)]
    columns = [_beside(bundle, rests), rests, bundle, *ends, *(_beside(end, rests) for end in ends)]
    return [pa.chunked_array([pa.array(column, pa.string())]) for column in columns]


def _beside(a: Words, b: Words) -> Words:
    return np.strings.add(np.strings.add(a, "\t"), b)


def valid(rows: pa.Table, table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Each lemma with its form of a cell, and with a form that it does not have there.

    Half of the wrong forms are what the change of another lemma makes in the same cell: *sipka*, as *barát*
    makes *baráttól*, gives *sipkatól*. The other half are the lemma's own forms of other cells. The change
    is that of a random row, so that it is drawn by its frequency; the lemma must end in what it cuts off.
    A row for which nothing wrong is found is left out.

    Args:
        rows: of a part (``tables.SAMPLE``), with lemmas and features.
        table: all rows, for the forms that a lemma has.
        rng: source of random numbers.

    Returns:
        Rows of two pairs each (``tables.SAMPLE``), labelled ``RIGHT`` and ``WRONG``.
    """
    change_of, real = Changes.of(rows), pc.unique(joined(*table.select(CELL).columns))
    lemmas, front, dropped, ending = map(
        words, (change_of.lemmas, change_of.front, change_of.dropped, change_of.ending)
    )
    in_cell, of_lemma = (_drawer(rows[name], rng) for name in ("features", "lemma"))
    made, left = np.full(len(rows), None, object), np.arange(len(rows))
    from_elsewhere = rng.random(len(rows)) < ELSEWHERE
    for number in range(TRIES):
        other = in_cell(left)
        if number < TRIES // 2:  # a lemma may have no other form
            other = np.where(from_elsewhere[left], of_lemma(left), other)
        lemma, cut = lemmas[left], dropped[other]
        stem = np.strings.slice(lemma, 0, np.strings.str_len(lemma) - np.strings.str_len(cut))
        texts = np.strings.add(np.strings.add(front[other], stem), ending[other])
        forms = change.turn(pa.chunked_array([pa.array(texts, pa.string())]), change_of.at_end)
        own = rows.take(pa.array(left))
        is_real = pc.is_in(joined(own["lemma"], forms, own["features"]), real).to_numpy()
        good = np.strings.endswith(lemma, cut) & ~is_real
        made[left[good]] = np.array(joined(own["lemma"], forms).to_pylist(), object)[good]
        left = left[~good]
    found = np.flatnonzero([pair is not None for pair in made])
    kept = rows.take(pa.array(found))
    return _both(
        kept,
        joined(kept["lemma"], kept["form"]),
        pa.chunked_array([pa.array(made[found], pa.string())]),
        RIGHT,
        WRONG,
    )


def _drawer(column: pa.ChunkedArray, rng: np.random.Generator) -> Callable[[Ints], Ints]:
    """What draws for each of some rows a random row with the same value, maybe itself."""
    group = column.combine_chunks().dictionary_encode().indices.to_numpy()
    order, sizes = np.argsort(group, kind="stable"), np.bincount(group)
    starts = np.cumsum(sizes) - sizes

    def draw(rows: Ints) -> Ints:
        own = group[rows]
        drawn: Ints = order[starts[own] + (rng.random(len(own)) * sizes[own]).astype(np.int64)]
        return drawn

    return draw


def same_lemma(rows: pa.Table, table: pa.Table, rng: np.random.Generator) -> pa.Table:  # noqa: ARG001
    """Each form with one of another lemma, and with one of its own lemma that is as like.

    The first is the one of its neighbours in the sorted list that shares most with it. The second shares
    nearly the same share of the longer form. A form without two such partners is left out.

    Args:
        rows: of a part (``tables.SAMPLE``), with lemmas.
        table: all rows, for the forms that a lemma has.
        rng: without use.

    Returns:
        Rows of two pairs each (``tables.SAMPLE``), labelled ``SAME`` and ``DIFFERENT``.
    """
    # A form of several bundles would stand once for each, every time with the same partners.
    cell = joined(rows["lemma"], rows["form"]).combine_chunks().dictionary_encode().indices.to_numpy()
    rows = rows.take(pa.array(np.unique(cell, return_index=True)[1]))
    forms, real = words(rows["form"]), pc.unique(joined(table["lemma"], table["form"]))
    lemma = rows["lemma"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(forms, kind="stable")
    bad, like = _partners(order, forms, np.ones(len(forms)), lambda a, b: lemma[a] != lemma[b])
    partner = rows.take(pa.array(np.maximum(bad, 0)))
    for lemmas, other in ((rows["lemma"], partner["form"]), (partner["lemma"], rows["form"])):
        bad[pc.is_in(joined(lemmas, other), real).to_numpy()] = NONE  # a form of both lemmas
    order = order[np.argsort(lemma[order], kind="stable")]
    good, own = _partners(order, forms, like, lambda a, b: lemma[a] == lemma[b])
    found = np.flatnonzero((bad != NONE) & (good != NONE) & (np.abs(like - own) <= CLOSE))
    for second in (good, bad):  # two lemmas may share two forms: a pair stands once
        pair = np.stack([forms[found], forms[second[found]]])
        found = found[np.sort(np.unique(pair, axis=1, return_index=True)[1])]
    kept = rows.take(pa.array(found)).set_column(2, "features", pa.nulls(len(found), pa.string()))
    good_pairs, bad_pairs = (
        joined(kept["form"], rows["form"].take(pa.array(partner[found]))) for partner in (good, bad)
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


def _both(rows: pa.Table, good: pa.ChunkedArray, bad: pa.ChunkedArray, right: str, wrong: str) -> pa.Table:
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
