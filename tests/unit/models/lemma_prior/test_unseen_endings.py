from __future__ import annotations

import numpy as np
import pytest

from esetrag.models.lemma_prior.unseen_endings import UnseenEndings

SYMBOLS, REACH = 10, 3


def named(ending: str) -> list[int]:
    """Names of the last 0 to ``REACH`` symbols of an ending of the digits 1 to 9."""
    return [int("1" + ending[len(ending) - size :]) if size else 1 for size in range(REACH + 1)]


def learnt(changes: list[tuple[str, int]]) -> UnseenEndings:
    return UnseenEndings.of(
        np.array([named(ending) for ending, _ in changes]),
        np.array([len(ending) for ending, _ in changes]),
        np.array([value for _, value in changes]),
        2,
        SYMBOLS,
    )


CHANGES = [("", 0), ("5", 0), ("6", 0), ("25", 1), ("26", 1), ("2", 1)]


def test_an_ending_of_one_value_is_likelier_a_new_one_of_that_value() -> None:
    found = learnt(CHANGES)
    names = found.names.tolist()
    assert names == sorted({1, 15, 16, 125, 126, 12})
    for ending in (125, 126):
        whole, longer = found.whole[names.index(ending)], found.longer[names.index(ending)]
        assert whole[1] > 5 * whole[0]
        assert longer[1] > 2 * longer[0]  # what ends in 25 is of value 1, whatever stands before
    assert found.whole[names.index(15), 0] > 5 * found.whole[names.index(15), 1]


def test_the_chances_of_all_endings_sum_up_to_one() -> None:
    found = learnt(CHANGES)
    deeper = {1: 3, 15: 1, 16: 1, 125: 0, 126: 0, 12: 0}  # symbols that training showed before
    # An ending of any length: after a symbol not shown, it is over or goes on.
    unknown = np.array([SYMBOLS - deeper[name] for name in found.names])
    total = found.whole.sum(0) + (unknown[:, None] * found.longer).sum(0)
    np.testing.assert_allclose(total, 1)
    assert found.further[0] == pytest.approx(0.5)
    assert found.further[2] == pytest.approx(0.5 * (0.5 / SYMBOLS) ** 2)
