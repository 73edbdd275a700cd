"""Which end of its words a table inflects."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LOOKED_AT = 10_000
"""Rows that are looked at."""
DEEP = 8
"""Symbols of either end that are compared."""


def inflects_at_end(lemmas: pa.ChunkedArray, forms: pa.ChunkedArray) -> bool:
    """Whether forms share more of their beginnings than of their ends with their lemmas.

    Args:
        lemmas: (rows,) of a table; evenly spread ones are looked at.
        forms: (rows,) of those lemmas.
    """
    some = pa.array(np.unique(np.linspace(0, max(len(lemmas) - 1, 0), LOOKED_AT).astype(np.int64)))
    if len(lemmas) == 0:
        return True
    lemmas, forms = lemmas.take(some), forms.take(some)
    beginnings = sum(_alike(lemmas, forms, 0, length) for length in range(1, DEEP + 1))
    ends = sum(_alike(lemmas, forms, -length, None) for length in range(1, DEEP + 1))
    return beginnings >= ends


def _alike(lemmas: pa.ChunkedArray, forms: pa.ChunkedArray, start: int, stop: int | None) -> int:
    one, other = (pc.utf8_slice_codeunits(words, start=start, stop=stop) for words in (lemmas, forms))
    return int(pc.sum(pc.equal(one, other)).as_py() or 0)


def turn(words: pa.ChunkedArray, at_end: bool) -> pa.ChunkedArray:
    """The words as they are, or from their last symbol to their first if they inflect at the beginning."""
    return words if at_end else pc.utf8_reverse(words)
