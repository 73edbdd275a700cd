"""Levenshtein distance."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from esetrag.scoring.edit_distance import distances

TEXT = st.text("abcé\U0001f600", max_size=7)


@cache
def plain(a: str, b: str) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(plain(a[1:], b) + 1, plain(a, b[1:]) + 1, plain(a[1:], b[1:]) + (a[0] != b[0]))


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_it_is_that_of_the_definition(pairs: list[tuple[str, str]]) -> None:
    first, second = (np.array(words) for words in zip(*pairs, strict=True))
    expected = [plain(a, b) for a, b in pairs]
    assert distances(first, second).tolist() == distances(second, first).tolist() == expected


def test_no_words_have_none() -> None:
    assert distances(np.array([], dtype=np.str_), np.array([], dtype=np.str_)).tolist() == []
