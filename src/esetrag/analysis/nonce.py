"""Invented words: the beginning of one lemma, the end of another, and the ending of a test row.

As Berko (1958) asked children for the plural of *wug*: whoever knows the endings, and not the words
by heart, reads them as well as real ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.analysis.endings import Endings, Words, words
from esetrag.data.direction import turn

SHORTEST = 4
"""Symbols of a lemma that is taken apart."""
NEAR = 3
"""Neighbours to either side, in the list sorted by the inflected end, among which the end is drawn."""
TRIES = 4
"""Words coined for each one wanted: some turn out to exist, or not to take the ending."""


def coin(
    train: pa.Table,
    test: pa.Table,
    lemmas: pa.ChunkedArray,
    learnt: Endings,
    wanted: int,
    chance: np.random.Generator,
) -> tuple[pa.ChunkedArray, npt.NDArray[np.int64]]:
    """Coins inflected forms of lemmas that do not exist.

    Of a test row, what its lemma loses and gains is done to an invented lemma: the first half of a
    training lemma, whichever, before the last half of another that ends much as the row's own does, in
    what the row's lemma loses and one symbol more at least. So the ending suits it, and the row's
    label is the form's.

    Args:
        train: training rows, whose lemmas are taken apart.
        test: test rows, whose endings are taken.
        lemmas: all lemmas known; none of them is coined.
        learnt: which end inflects.
        wanted: forms; fewer if there are no more.
        chance: where the randomness comes from.

    Returns:
        Forms (n,), none of them a form of train or test; the test rows (n,) they inflect like, sorted.
    """
    stems = words(turn(pc.unique(train["lemma"]).sort(), learnt.at_end))
    stems = stems[np.strings.str_len(stems) >= SHORTEST]
    if len(stems) == 0 or len(test) == 0:
        return pa.chunked_array([pa.array([], pa.string())]), np.empty(0, np.int64)
    stems = stems[np.argsort(_turned(stems), kind="stable")]

    rows = np.resize(chance.permutation(len(test)), TRIES * wanted)
    some = test.take(pa.array(rows))
    changes = learnt.changes(some)
    lost, endings = changes["lost"].to_numpy(), words(pa.array(changes["ending"], pa.string()))
    models = words(turn(some["lemma"], learnt.at_end))
    near = np.searchsorted(_turned(stems), _turned(models)) + chance.integers(-NEAR, NEAR, len(rows))
    ends = stems[np.clip(near, 0, len(stems) - 1)]
    beginnings = stems[chance.integers(0, len(stems), len(rows))]

    halves = np.strings.str_len(beginnings) // 2, np.strings.str_len(ends) // 2
    tails = np.strings.slice(ends, halves[1], _width(ends))
    coined = np.strings.add(np.strings.slice(beginnings, 0, halves[0]), tails)
    stem = np.strings.str_len(coined) - lost
    forms = np.strings.add(np.strings.slice(coined, 0, np.maximum(stem, 0)), endings)

    fits = (np.strings.str_len(tails) > lost) & (_last(tails, lost + 1) == _last(models, lost + 1))
    made, bare = (turn(_column(array), learnt.at_end) for array in (forms, coined))
    known = pc.unique(pa.chunked_array([*train["form"].chunks, *test["form"].chunks]))
    new = pc.invert(pc.or_(pc.is_in(bare, pc.unique(lemmas)), pc.is_in(made, known))).to_numpy()
    _, first = np.unique(forms, return_index=True)
    once = np.zeros(len(rows), dtype=np.bool_)
    once[first] = True
    taken = np.flatnonzero(fits & new & once)[:wanted]
    taken = taken[np.argsort(rows[taken], kind="stable")]
    return made.take(pa.array(taken)), rows[taken]


def _turned(array: Words) -> Words:
    return words(pc.utf8_reverse(_column(array)))


def _column(array: Words) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(array.astype(object), pa.string())])


def _last(array: Words, count: npt.NDArray[np.int64]) -> Words:
    length = np.strings.str_len(array)
    last: Words = np.strings.slice(array, np.maximum(length - count, 0), length)
    return last


def _width(array: Words) -> int:
    return array.dtype.itemsize // 4
