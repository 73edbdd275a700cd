from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from esetrag.core import config
from esetrag.scoring import ratios


def strings(values: list[str]) -> npt.NDArray[np.object_]:
    return np.array(values, dtype=object)


def how(seed: int = 1, resamples: int = 200, confidence: float = 0.95) -> config.Evaluate:
    return config.Evaluate(seed=seed, resamples=resamples, confidence=confidence, suffix_length=6, stress=9)


def some_reading(lemmas: int = 40, forms: int = 5) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.object_]]:
    right = np.random.default_rng(3).random(lemmas * forms) < 0.9
    return right, np.repeat(np.array([f"l{i}" for i in range(lemmas)], dtype=object), forms)


def test_accuracy_is_the_share_of_rows_read_right_within_its_interval() -> None:
    right, lemmas = some_reading()
    found = ratios.accuracy(right, lemmas, how())
    assert found.value == accuracy_score(np.ones(len(right)), right)
    assert found.low < found.value < found.high


def test_the_interval_closes_when_all_rows_are_read_right_or_none() -> None:
    _, lemmas = some_reading()
    for share in (0.0, 1.0):
        found = ratios.accuracy(np.full(len(lemmas), share == 1), lemmas, how())
        assert (found.low, found.value, found.high) == (share, share, share)


def test_the_interval_of_one_lemma_closes() -> None:
    found = ratios.accuracy(np.array([True, False, True, True]), strings(["a"] * 4), how())
    assert (found.low, found.value, found.high) == (0.75, 0.75, 0.75)


def test_the_bootstrap_is_deterministic_and_follows_its_seed() -> None:
    right, lemmas = some_reading()
    assert ratios.accuracy(right, lemmas, how()) == ratios.accuracy(right, lemmas, how())
    assert ratios.accuracy(right, lemmas, how()) != ratios.accuracy(right, lemmas, how(seed=2))


def test_the_order_of_the_rows_is_without_influence() -> None:
    right, lemmas = some_reading()
    order = np.random.default_rng(1).permutation(len(right))
    assert ratios.accuracy(right[order], lemmas[order], how()) == ratios.accuracy(right, lemmas, how())


def test_more_confidence_is_a_wider_interval() -> None:
    right, lemmas = some_reading()
    narrow, wide = (ratios.accuracy(right, lemmas, how(confidence=share)) for share in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_forms_misread_together_widen_the_interval() -> None:
    lemmas = np.repeat(np.arange(50).astype(str).astype(object), 10)
    together = np.repeat(np.arange(50) % 5 > 0, 10)
    spread = np.tile(np.arange(10) % 5 > 0, 50)
    clustered, even = (ratios.accuracy(right, lemmas, how()) for right in (together, spread))
    assert clustered.value == even.value == 0.8
    assert clustered.high - clustered.low > 0.1
    assert even.high - even.low == pytest.approx(0)


def test_the_interval_is_about_that_of_the_normal_approximation() -> None:
    right = np.arange(1000) % 10 > 0
    found = ratios.accuracy(right, np.arange(1000).astype(str).astype(object), how(resamples=2000))
    half = 1.96 * np.sqrt(0.9 * 0.1 / 1000)
    assert found.low == pytest.approx(0.9 - half, abs=0.003)
    assert found.high == pytest.approx(0.9 + half, abs=0.003)


SETS = st.lists(st.tuples(*[st.tuples(*[st.booleans()] * 3)] * 2), min_size=1, max_size=40)


@settings(max_examples=60)
@for_all(SETS)
def test_figures_of_sets_are_those_of_scikit_learn(
    pairs: list[tuple[tuple[bool, bool, bool], tuple[bool, bool, bool]]],
) -> None:
    gold, read = (np.array(side, dtype=bool) for side in zip(*pairs, strict=True))
    found = ratios.set_scores(gold, read)
    expected = precision_recall_fscore_support(gold, read, average="micro", zero_division=0.0)
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])


def test_figures_of_sets_by_hand() -> None:
    gold = np.array([[1, 1, 0], [0, 0, 1]], dtype=bool)
    read = np.array([[1, 0, 1], [0, 0, 1]], dtype=bool)
    found = ratios.set_scores(gold, read)
    assert (found.precision, found.recall, found.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_the_ceiling_is_one_value_of_each_form() -> None:
    gold = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    assert ratios.ceiling(gold) == pytest.approx(3 / 6)
    assert ratios.ceiling(gold[1:2]) == 1.0


def test_a_ratio_is_that_of_the_sums_and_its_interval_that_of_its_own_draws() -> None:
    lemmas = np.repeat(np.array([f"l{i}" for i in range(30)], dtype=object), 4)
    chance = np.random.default_rng(1)
    above, below = chance.random(120), 1 + chance.random(120)
    pairs = {"ratio": (above, below), "mean": (above, np.ones(120))}
    found = ratios.ratios(pairs, lemmas, how())
    assert found["ratio"].value == pytest.approx(above.sum() / below.sum())
    assert found["ratio"].low < found["ratio"].value < found["ratio"].high
    assert found["mean"] == ratios.ratios({"mean": pairs["mean"]}, lemmas, how())["mean"]
