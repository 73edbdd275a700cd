"""Invented words: the beginning of one lemma, the end of another, and the ending of a test row.

As Berko (1958) asked children for the plural of *wug*: a model that knows the endings, and has not memorised
words, predicts their labels as well as those of real words.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.analysis.endings import Endings
from esetrag.data.change import turn

SHORTEST = 4
"""Symbols of a lemma that is taken apart."""
NEAR = 3
"""Neighbours to either side, in the list sorted by the inflected end, among which the end is drawn."""
TRIES = 4
"""Words invented for each one that is wanted: some exist, or do not suit the ending."""


def invent(
    train: pa.Table,
    test: pa.Table,
    lemmas: pa.ChunkedArray,
    endings: Endings,
    count: int,
    generator: np.random.Generator,
) -> tuple[pa.ChunkedArray, npt.NDArray[np.int64]]:
    """Inflects lemmas that do not exist.

    An invented lemma is the first half of one training lemma, drawn from all, and the last half of another
    that ends much as the lemma of a test row does: at least in what that loses and one symbol more. It
    loses and gains what the row's lemma does; so the ending suits it, and the row's label is the form's.

    Args:
        train: rows whose lemmas are taken apart.
        test: rows whose endings are taken.
        lemmas: all known lemmas; none of them is invented.
        endings: of the training rows.
        count: of forms; fewer if there are no more.
        generator: source of the randomness.

    Returns:
        Forms (n,), none of them a form of train or test; the test rows (n,) they inflect like, sorted.
    """
    stems = sorted(
        (stem for stem in _turned(pc.unique(train["lemma"]), endings) if len(stem) >= SHORTEST),
        key=lambda stem: stem[::-1],
    )
    if not stems or not len(test):
        return pa.chunked_array([pa.array([], pa.string())]), np.empty(0, np.int64)
    ends = [stem[::-1] for stem in stems]
    rows = np.resize(generator.permutation(len(test)), TRIES * count)
    steps = generator.integers(-NEAR, NEAR, len(rows)).tolist()
    beginnings = generator.integers(0, len(stems), len(rows)).tolist()
    changes = endings.changes(test)
    lost, gained, models = (
        changes["lost"].tolist(),
        changes["ending"].tolist(),
        _turned(test["lemma"], endings),
    )
    known, forms = set(_turned(lemmas, endings)), set(_turned(train["form"], endings))
    forms.update(_turned(test["form"], endings))

    invented: list[tuple[int, str]] = []
    for row, step, first in zip(rows.tolist(), steps, beginnings, strict=True):
        model, drop = models[row], lost[row]
        end = stems[min(max(bisect_left(ends, model[::-1]) + step, 0), len(stems) - 1)]
        tail = end[len(end) // 2 :]
        lemma = stems[first][: len(stems[first]) // 2] + tail
        form = lemma[: max(len(lemma) - drop, 0)] + gained[row]
        if form in forms:
            continue
        forms.add(form)
        if len(tail) > drop and lemma not in known and tail[-drop - 1 :] == model[-drop - 1 :]:
            invented.append((row, form))
    invented = sorted(invented[:count], key=lambda pair: pair[0])
    made = pa.chunked_array([pa.array([form for _, form in invented], pa.string())])
    return turn(made, endings.at_end), np.array([row for row, _ in invented], np.int64)


def _turned(column: pa.ChunkedArray, endings: Endings) -> list[str]:
    turned: list[str] = turn(column, endings.at_end).to_pylist()
    return turned
