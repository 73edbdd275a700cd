"""What inflection does to a lemma: the symbols that it loses, the ending that it gains, and at which end.

``alma`` in ``almának`` keeps the stem ``alm``, loses ``a`` and gains ``ának``. In a table that inflects at
the beginning of its words (Swahili *mtoto*, *watoto*) all words are turned first. What stands before the
stem, as an article does (Romanian *casă*, *unei case*), is kept apart.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Words = npt.NDArray[np.str_]
Ints = npt.NDArray[np.int64]

SAMPLED = 10_000
"""Rows by which the inflected end is decided."""
SOUGHT = 3
"""Symbols at the beginning of a lemma that are sought within a form."""
WORDS = 3
"""Words of a form that may stand before the stem."""
AT_ONCE = 2**14
"""Rows that are compared at once: their words are padded to one width."""


def words(column: pa.ChunkedArray) -> Words:
    """Strings as numpy's own of one width, (n,)."""
    array: Words = np.array(column.to_pylist(), dtype=np.str_)
    return array


def points(array: Words) -> npt.NDArray[np.uint32]:
    """The code points of words, 0 behind, (n, w)."""
    return np.ascontiguousarray(array).view(np.uint32).reshape(len(array), max(array.dtype.itemsize // 4, 1))


def shared_prefix(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Ints:
    """Symbols that rows have in common from their beginning, (n,).

    Args:
        a: (n, w) non-negative integers, right-padded with 0.
        b: likewise.
    """
    shared: Ints = np.logical_and.accumulate((a == b) & (a != 0), axis=1).sum(1)
    return shared


def changes(lemmas: Words, forms: Words) -> tuple[Ints, Words]:
    """How many symbols each lemma loses at its end and which ending its form gains, (n,) each.

    >>> changes(np.array(["madár"]), np.array(["madarat"]))
    (array([2]), array(['arat'], dtype='<U7'))
    """
    stem = _shared(lemmas, forms)
    return np.strings.str_len(lemmas) - stem, np.strings.slice(forms, stem, forms.dtype.itemsize)


def _shared(lemmas: Words, forms: Words) -> Ints:
    width = max(lemmas.dtype.itemsize, forms.dtype.itemsize, 4) // 4
    codes = (np.ascontiguousarray(array.astype(f"<U{width}")).view(np.uint32) for array in (lemmas, forms))
    return shared_prefix(*(points.reshape(-1, width) for points in codes))


def turn(column: pa.ChunkedArray, at_end: bool) -> pa.ChunkedArray:
    """The words as they are if they inflect at the end, else from their last symbol to their first."""
    return column if at_end else pc.utf8_reverse(column)


def inflects_at_end(lemmas: pa.ChunkedArray, forms: pa.ChunkedArray) -> bool:
    """Whether forms share more of their beginnings than of their ends with their lemmas.

    Args:
        lemmas: (n,); evenly spread rows of them are compared.
        forms: (n,).
    """
    rows = pa.array(np.unique(np.linspace(0, max(len(lemmas) - 1, 0), SAMPLED).astype(np.int64)))
    if len(lemmas) == 0:
        return True
    lemmas, forms = lemmas.take(rows), forms.take(rows)
    beginnings, ends = (stems(turn(lemmas, at_end), turn(forms, at_end)).sum() for at_end in (True, False))
    return bool(beginnings >= ends)


def stems(lemmas: pa.ChunkedArray, forms: pa.ChunkedArray) -> Ints:
    """Symbols that forms have in common with their lemmas from the beginning, (n,)."""
    places = range(0, max(len(lemmas), 1), AT_ONCE)
    pieces = ([words(column.slice(start, AT_ONCE)) for column in (lemmas, forms)] for start in places)
    return np.concatenate([_shared(*pair) for pair in pieces])


@dataclass(frozen=True)
class Changes:
    """How each row's form differs: ``stem + dropped → front + stem + ending``, turned if need be."""

    at_end: bool
    lemmas: pa.ChunkedArray  # (n,) turned, as are fronts and forms
    front: pa.ChunkedArray  # (n,) what stands before the stem
    forms: pa.ChunkedArray  # (n,) from the stem on
    stem: Ints  # (n,) symbols
    dropped: pa.ChunkedArray  # (n,) what the lemma loses
    ending: pa.ChunkedArray  # (n,) what the form gains

    @classmethod
    def of(cls, rows: pa.Table) -> Changes:
        """Takes rows with the columns ``lemma`` and ``form`` apart."""
        bare = without_stress(rows["lemma"], rows["form"])
        at_end = inflects_at_end(rows["lemma"], bare)
        lemmas, forms = turn(rows["lemma"], at_end), turn(bare, at_end)
        size = fronts(lemmas, forms)
        before = pc.utf8_length(forms).to_numpy() - size
        front = turn(behind(turn(forms, False), before), False)
        forms = behind(forms, size)
        stem = stems(lemmas, forms)
        return cls(at_end, lemmas, front, forms, stem, behind(lemmas, stem), behind(forms, stem))

    def text(self, row: int) -> str:
        """A row's change in writing, such as ``-a +ának``."""
        front, dropped, ending = (column[row].as_py() for column in (self.front, self.dropped, self.ending))
        if not self.at_end:
            front, dropped, ending = front[::-1], dropped[::-1], ending[::-1]
        change = f"-{dropped} +{ending}" if dropped else f"+{ending}" if ending else "no ending"
        return f"+{front.strip()} {change}" if front else change


def without_stress(lemmas: pa.ChunkedArray, forms: pa.ChunkedArray) -> pa.ChunkedArray:
    """Forms without the combining marks that no lemma has: Belarusian *мова*, *мо́вы*."""
    in_lemmas, in_forms = ({*"".join(pc.unique(column).to_pylist())} for column in (lemmas, forms))
    marks = "".join(filter(unicodedata.combining, in_forms - in_lemmas))
    return pc.replace_substring_regex(forms, f"[{marks}]", "") if marks else forms


def fronts(lemmas: pa.ChunkedArray, forms: pa.ChunkedArray) -> Ints:
    """Symbols of each form before the part that begins as its lemma does, (n,); 0 if none is found."""
    size = np.zeros(len(lemmas), np.int64)
    most = stems(lemmas, forms)
    rows = np.flatnonzero(most < np.minimum(SOUGHT, pc.utf8_length(lemmas).to_numpy()))
    for first in range(0, len(rows), AT_ONCE):
        chosen = rows[first : first + AT_ONCE]
        lemma, form = (words(column.take(pa.array(chosen))) for column in (lemmas, forms))
        found = np.strings.find(form, np.strings.slice(lemma, 0, SOUGHT))
        starts = [np.where(np.strings.str_len(lemma) < SOUGHT, 0, np.maximum(found, 0))]
        for _ in range(WORDS):
            starts.append(np.strings.find(form, " ", starts[-1] if len(starts) > 1 else 0) + 1)
        for start in starts:
            shared = _shared(lemma, np.strings.slice(form, start, form.dtype.itemsize))
            better = shared > most[chosen]
            size[chosen[better]], most[chosen[better]] = start[better], shared[better]
    return size


def behind(column: pa.ChunkedArray, start: Ints) -> pa.ChunkedArray:
    """The rest of each word from a place on, (n,).

    >>> behind(pa.chunked_array([["házban", "kertet"]]), np.array([3, 4])).to_pylist()
    ['ban', 'et']
    """
    places = range(0, len(column), AT_ONCE)
    pieces = ((words(column.slice(first, AT_ONCE)), start[first : first + AT_ONCE]) for first in places)
    rest = (np.strings.slice(array, behind, array.dtype.itemsize) for array, behind in pieces)
    return pa.chunked_array([pa.array(array, pa.string()) for array in rest], pa.string())
