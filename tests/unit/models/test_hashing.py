"""Hashes of strings of symbols."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from esetrag.models.hashing import BASE, Hashing, look_up, mixed


@given(
    places=st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=4),
    symbols=st.lists(st.integers(0, 2**31), min_size=4, max_size=4),
)
def test_strings_are_hashed_at_once_as_symbol_by_symbol(places: list[list[int]], symbols: list[int]) -> None:
    hashing = Hashing.of([(one, kind) for kind, one in enumerate(places)], 4)
    rolled = []
    for kind, one in enumerate(places):
        hashed = np.zeros(1, np.int64)
        for place in one:
            hashed = hashed * BASE + symbols[place] + 1
        rolled.append(int(mixed(hashed, kind)[0]))
    assert hashing(np.array([symbols])).tolist() == [rolled]


def test_numbers_are_looked_up_in_a_sorted_list() -> None:
    keys = torch.tensor([-7, 2, 9])
    wanted = np.array([[9, 3], [-8, -7], [10, 2]])
    assert look_up(keys, wanted).tolist() == [[3, 0], [0, 1], [0, 2]]
    assert look_up(keys[:1], wanted).tolist() == [[0, 0], [0, 1], [0, 0]]
    assert look_up(keys[:0], wanted).tolist() == [[0, 0], [0, 0], [0, 0]]
