"""Ratios of sums and their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from esetrag.core import config
from esetrag.scoring import ratios
from esetrag.scoring.ratios import Interval, Ratio


def options(**changed: Any) -> config.Evaluate:
    usual = {"seed": 1, "resamples": 200, "confidence": 0.95, "suffix_length": 6, "stress": 9, "compare": []}
    return config.Evaluate.model_validate(usual | changed)


def accuracy(correct: npt.NDArray[np.bool_], lemmas: npt.NDArray[Any], **changed: Any) -> Interval:
    return ratios.intervals({"accuracy": Ratio.mean(correct)}, lemmas, options(**changed))["accuracy"]


CORRECT = np.random.default_rng(3).random(200) < 0.9
LEMMAS = np.repeat(np.arange(40).astype(str).astype(object), 5)


def test_a_ratio_is_that_of_the_sums_within_its_interval() -> None:
    generator = np.random.default_rng(1)
    above, below = generator.random(200), 1 + generator.random(200)
    pairs = {"ratio": Ratio(above, below), "mean": Ratio.mean(above)}
    intervals = ratios.intervals(pairs, LEMMAS, options())
    assert intervals["ratio"].value == pytest.approx(above.sum() / below.sum())
    assert intervals["ratio"].low < intervals["ratio"].value < intervals["ratio"].high
    assert intervals["mean"] == ratios.intervals({"": pairs["mean"]}, LEMMAS, options())[""], "its own draws"


@pytest.mark.parametrize(("correct", "expected"), [(np.zeros(200, bool), 0.0), (np.ones(200, bool), 1.0)])
def test_the_interval_closes_where_all_predictions_are_correct_or_none(
    correct: npt.NDArray[np.bool_], expected: float
) -> None:
    assert accuracy(correct, LEMMAS) == Interval(expected, expected, expected)
    one = accuracy(np.array([True, False, True, True]), np.array(["a"] * 4, object))
    assert one == Interval(0.75, 0.75, 0.75), "one lemma"


def test_the_bootstrap_follows_its_seed_and_not_the_order_of_the_rows() -> None:
    order = np.random.default_rng(1).permutation(200)
    assert accuracy(CORRECT, LEMMAS) == accuracy(CORRECT[order], LEMMAS[order])
    assert accuracy(CORRECT, LEMMAS) != accuracy(CORRECT, LEMMAS, seed=2)


def test_errors_that_come_together_widen_the_interval() -> None:
    lemmas = np.repeat(np.arange(50).astype(str).astype(object), 10)
    clustered = accuracy(np.repeat(np.arange(50) % 5 > 0, 10), lemmas)
    even = accuracy(np.tile(np.arange(10) % 5 > 0, 50), lemmas)
    assert clustered.value == even.value == 0.8
    assert clustered.high - clustered.low > 0.1
    assert even.high - even.low == pytest.approx(0)


def test_the_interval_is_about_that_of_the_normal_approximation() -> None:
    interval = accuracy(np.arange(1000) % 10 > 0, np.arange(1000).astype(str).astype(object), resamples=2000)
    half = 1.96 * np.sqrt(0.9 * 0.1 / 1000)
    assert (interval.low, interval.high) == pytest.approx((0.9 - half, 0.9 + half), abs=0.003)


def test_a_difference_is_paired() -> None:
    better = CORRECT.copy()
    better[:10] = True
    a, b = Ratio.mean(better), Ratio.mean(CORRECT)
    difference = ratios.difference(a, b, LEMMAS, options())
    alone = accuracy(better, LEMMAS)
    assert difference.value == pytest.approx(better.mean() - CORRECT.mean())
    assert difference.high - difference.low < alone.high - alone.low
    assert ratios.difference(a, a, LEMMAS, options()) == Interval(0, 0, 0)


def test_an_interval_is_as_wide_as_its_confidence_says_and_has_as_many_draws_as_asked() -> None:
    rows = np.arange(1000).astype(str).astype(object)
    correct = np.random.default_rng(1).random(1000) < 0.8
    deviation = np.sqrt(correct.mean() * (1 - correct.mean()) / 1000)
    for confidence, reach in ((0.95, 1.96), (0.8, 1.2816)):  # of a normal distribution
        found = accuracy(correct, rows, confidence=confidence, resamples=5000)
        assert found.high - found.low == pytest.approx(2 * reach * deviation, rel=0.06)
    few = options().model_copy(update={"resamples": 1})
    alone = ratios.intervals({"": Ratio.mean(correct)}, rows, few)[""]
    assert alone.low == alone.high
