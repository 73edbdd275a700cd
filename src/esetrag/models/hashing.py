"""Strings of symbols by their rolling hash of 64 bits, and where hashes stand in a sorted list of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

BASE = 1_000_003
"""Of the rolling hash; products wrap around at 64 bits."""
FACTOR = -7046029254386353131
"""An odd one: no two sums become one."""

Ids = npt.NDArray[np.int64]


def mixed(sums: Ids, kind: int | Ids) -> Ids:
    """Sums of different kinds of n-grams kept apart."""
    return (sums * BASE + kind) * FACTOR


@dataclass(frozen=True)
class Hashing:
    """Rolling hashes of many strings of a row at once: each is a sum of multiples of its symbols."""

    factors: Ids  # (symbols, strings)
    offsets: Ids  # (strings,)

    @classmethod
    def of(cls, strings: Iterable[tuple[Iterable[int], int]], symbols: int) -> Hashing:
        """Makes one.

        Args:
            strings: the places of each one's symbols, in the order in which they are hashed, and its kind:
                the hash is the sum, ``sum * BASE + symbol + 1`` from 0 on, ``mixed``.
            symbols: of a row.
        """
        factors, offsets = [], []
        for places, kind in strings:
            column, offset = [0] * symbols, 0
            for place in places:
                column, offset = [factor * BASE for factor in column], offset * BASE + 1
                column[place] += 1
            factors.append([_wrapped(factor * BASE * FACTOR) for factor in column])
            offsets.append(_wrapped((offset * BASE + kind) * FACTOR))
        return cls(np.array(factors).T.copy(), np.array(offsets))

    def __call__(self, symbols: Ids) -> Ids:
        """Hashes (..., strings) of rows of symbols (..., symbols)."""
        hashed: Ids = symbols @ self.factors
        hashed += self.offsets
        return hashed


def _wrapped(number: int) -> int:
    """What is left of a number in 64 bits with a sign."""
    return (number + 2**63) % 2**64 - 2**63


def look_up(keys: Tensor, wanted: Ids) -> Ids:
    """Places from 1 on of numbers in a sorted list of numbers; 0 for those that are not in it."""
    if len(keys) == 0:
        return np.zeros_like(wanted)
    # Among all but the last one, no number has its place beyond the end.
    places: Ids = torch.searchsorted(keys[:-1], torch.from_numpy(wanted)).numpy()
    known = keys.numpy().take(places) == wanted
    places += 1
    places *= known
    return places
