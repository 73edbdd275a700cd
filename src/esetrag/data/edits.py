"""Edit scripts: how one word becomes another, ``[letters before] cut(m, n) [letters behind]``.

``alma`` becomes ``almának`` by ``cut(0,1) á n a k``: the last letter is cut off, four are put behind. What
stays is the longest common substring, so no letter of a stem can be misspelt. A script is a text whose
``cut(m, n)`` is one character of a private plane of Unicode, so that it is encoded as any other word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from esetrag.data import label_sets
from esetrag.data.change import AT_ONCE, Ints, Words, points, words

if TYPE_CHECKING:
    import pandas as pd

CUT = 0xF0000
"""The first code point of the plane; ``CUT + SIDE * m + n`` is ``cut(m, n)``."""
SIDE = 250
"""No script cuts off as many letters at one side; of a word of 499 letters it takes 498 at the most."""


def name_of(symbol: str) -> str:
    """An element of a script as people read it.

    >>> name_of(chr(CUT + SIDE * 2 + 1)), name_of("a")
    ('cut(2,1)', 'a')
    """
    return f"cut({','.join(map(str, cut_of(symbol)))})" if is_cut(symbol) else symbol


def symbol_of(name: str) -> str:
    """The inverse of ``name_of``."""
    if len(name) <= 1 or not name.startswith("cut("):
        return name
    before, behind = name.removeprefix("cut(").removesuffix(")").split(",")
    return chr(CUT + SIDE * int(before) + int(behind))


def is_cut(symbol: str) -> bool:
    """Whether an element of a script is a cut."""
    return len(symbol) == 1 and CUT <= ord(symbol) < CUT + SIDE * SIDE


def cut_of(symbol: str) -> tuple[int, int]:
    """How many letters a cut takes from the beginning and from the end."""
    return divmod(ord(symbol) - CUT, SIDE)


def shown(script: str) -> str:
    """A script as people read it: ``-1 +ának`` cuts off a letter and puts four behind.

    >>> shown(chr(CUT + 1) + "ának"), shown("le" + chr(CUT)), shown(chr(CUT))
    ('-1 +ának', 'le+', 'unchanged')
    """
    place = next((number for number, symbol in enumerate(script) if is_cut(symbol)), None)
    if place is None:
        return script
    (before, behind), first, last = cut_of(script[place]), script[:place], script[place + 1 :]
    parts = [f"{first}+" if first else "", f"{before}-" if before else ""]
    parts += [f"-{behind}" if behind else "", f"+{last}" if last else ""]
    return " ".join(filter(None, parts)) or "unchanged"


def scripts(sources: pa.ChunkedArray, targets: pa.ChunkedArray) -> pa.ChunkedArray:
    """The script that makes each target of its source, (n,).

    >>> made = scripts(pa.chunked_array([["alma"]]), pa.chunked_array([["almának"]]))
    >>> [name_of(symbol) for symbol in made[0].as_py()]
    ['cut(0,1)', 'á', 'n', 'a', 'k']
    """
    made: list[pa.Array] = []
    for start in range(0, len(sources), AT_ONCE):
        source, target = (words(column.slice(start, AT_ONCE)) for column in (sources, targets))
        first, place, size = _longest_common(source, target)
        length = np.strings.str_len(source)
        fits = (first < SIDE) & (length - first - size < SIDE)
        first, place, size = (np.where(fits, value, 0) for value in (first, place, size))
        left = np.minimum(length - first - size, SIDE - 1)
        first = np.minimum(length - size - left, SIDE - 1)  # also what one side cannot take off
        cuts = (CUT + SIDE * first + left).astype(np.uint32)
        width = max(target.dtype.itemsize // 4, 1)
        before = np.strings.slice(target, 0, place)
        behind = np.strings.slice(target, place + size, width)
        texts = np.strings.add(np.strings.add(before, cuts.view("<U1")), behind)
        made.append(pa.array(texts, pa.string()))
    return pa.chunked_array(made, pa.string())


def confusion(predictions: pa.Table) -> pd.DataFrame:
    """What is to be done to each word, and what was done; the same if a right word was written.

    Args:
        predictions: columns ``form``, ``label`` (right words), ``predicted``.

    Returns:
        label, predicted: scripts as ``shown``.
    """
    true = label_sets.beside(predictions["label"], predictions["predicted"])
    columns = {"label": true, "predicted": predictions["predicted"]}
    made = {key: scripts(predictions["form"], words).to_pylist() for key, words in columns.items()}
    import pandas as pd  # a second that encoding does not need

    return pd.DataFrame({key: list(map(shown, texts)) for key, texts in made.items()})


def applied(scripts: Words, sources: Words) -> Words:
    """The word that each script makes of its source, (n,); a script without a cut leaves nothing of it.

    >>> applied(np.array([chr(CUT + 1) + "ának"]), np.array(["alma"]))
    array(['almának'], dtype='<U9')
    """
    if not len(scripts):
        return np.array([], dtype=np.str_)
    code = points(scripts)
    cuts = (code >= CUT) & (code < CUT + SIDE * SIDE)
    place, has_cut = cuts.argmax(1), cuts.any(1)
    first, last = np.divmod(code[np.arange(len(code)), place].astype(np.int64) - CUT, SIDE)
    end = np.where(has_cut, np.strings.str_len(sources) - last, 0)
    kept = np.strings.slice(sources, np.minimum(np.where(has_cut, first, 0), end), end)
    behind = np.strings.slice(scripts, np.where(has_cut, place + 1, 0), scripts.dtype.itemsize // 4)
    before = np.strings.slice(scripts, 0, np.where(has_cut, place, 0))
    made: Words = np.strings.add(np.strings.add(before, kept), behind)
    return made


def _longest_common(source: Words, target: Words) -> tuple[Ints, Ints, Ints]:
    """Where the longest common substring begins in both words, and its length; the first one of several.

    The table of dynamic programming goes over the letters of the source; its rows are all words at once.
    """
    a, b = points(source), points(target)
    rows = np.arange(len(a))
    run = np.zeros(b.shape, np.int64)  # letters in common that end at each letter of the target
    size, in_source, in_target = (np.zeros(len(a), np.int64) for _ in range(3))
    for place in range(a.shape[1]):
        letter = a[:, place, None]
        before = np.pad(run[:, :-1], ((0, 0), (1, 0)))
        run = np.where((b == letter) & (letter != 0), before + 1, 0)
        at = run.argmax(1)
        longer = run[rows, at] > size
        size = np.where(longer, run[rows, at], size)
        in_source, in_target = (np.where(longer, x, y) for x, y in ((place, in_source), (at, in_target)))
    begins, first = (np.where(size > 0, end - size + 1, 0) for end in (in_source, in_target))
    return begins, first, size
