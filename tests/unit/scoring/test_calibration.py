from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from esetrag.core import config
from esetrag.scoring import calibration, reliability
from esetrag.scoring.calibration import Calibration

HOW = config.Calibration(temperature=True, risk=0.05)


def drawn(
    forms: int, temperature: float = 1.0, labels: int = 4, seed: int = 1
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Logits that would be right if they were divided by a temperature, and values drawn from them."""
    chance = np.random.default_rng(seed)
    logits = 3 * chance.normal(size=(forms, labels))
    shares = calibration.probabilities(logits, "softmax")
    values = (chance.random((forms, 1)) > shares.cumsum(1)).sum(1).clip(max=labels - 1)
    return temperature * logits, np.eye(labels, dtype=bool)[values]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_makes_probabilities_true_is_found(temperature: float) -> None:
    logits, targets = drawn(20_000, temperature)
    assert calibration.fit(logits, targets, "softmax", HOW).temperature == pytest.approx(
        temperature, rel=0.05
    )


def test_a_temperature_mends_the_calibration_on_other_forms() -> None:
    found = calibration.fit(*drawn(5000, 3.0), "softmax", HOW)
    logits, targets = drawn(5000, 3.0, seed=2)

    def error(temperature: float) -> float:
        shares = calibration.probabilities(logits, "softmax", temperature)
        return reliability.expected_error(reliability.reliability(shares, targets, "softmax"))

    assert error(1.0) > 0.05
    assert error(found.temperature) < 0.02


def test_a_few_words_without_an_error_do_not_make_a_reader_sure_of_everything() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    found = calibration.fit(logits, logits > 1, "softmax", HOW)
    assert 0.3 < found.temperature < 1


def test_no_temperature_where_none_is_wanted() -> None:
    how = HOW.model_copy(update={"temperature": False})
    assert calibration.fit(*drawn(500, 3.0), "softmax", how).temperature == 1


def test_without_a_form_of_known_value_nothing_is_fitted() -> None:
    assert calibration.fit(np.zeros((3, 2)), np.zeros((3, 2), bool), "softmax", HOW) == Calibration()
    assert calibration.fit(np.zeros((0, 2)), np.zeros((0, 2), bool), "softmax", HOW) == Calibration()


def test_forms_of_one_value_are_read_as_one_value() -> None:
    logits, targets = drawn(2000)
    sure = logits * 20
    targets[:] = np.eye(4, dtype=bool)[sure.argmax(1)]
    assert calibration.fit(sure, targets, "softmax", HOW).ratio == 1


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_forms_of_two_values_are_read_as_two(head: config.Head) -> None:
    logits = np.tile([[4.0, 3.8, -4.0], [-4.0, -4.0, 4.0]], (50, 1))
    targets = np.tile([[True, True, False], [False, False, True]], (50, 1))
    found = calibration.fit(logits, targets, head, HOW)
    shares = calibration.probabilities(logits, head, found.temperature)
    assert (calibration.sets(shares, found.ratio) == targets).all()


@for_all(st.integers(0, 10_000), st.sampled_from([0.02, 0.3, 0.98, 1.0]))
@settings(max_examples=50)
def test_a_set_holds_the_likeliest_value_and_grows_as_the_ratio_falls(seed: int, ratio: float) -> None:
    shares = calibration.probabilities(drawn(20, seed=seed)[0], "softmax")
    chosen = calibration.sets(shares, ratio)
    assert chosen[np.arange(20), shares.argmax(1)].all()
    assert (chosen <= calibration.sets(shares, ratio / 2)).all()


def test_of_equally_likely_values_one_is_read_where_sets_hold_one() -> None:
    assert calibration.sets(np.array([[0.5, 0.5]]), 1.0).tolist() == [[True, False]]


def test_abstention_keeps_the_errors_among_the_answers_below_the_risk() -> None:
    logits, targets = drawn(3000)
    found = calibration.fit(logits, targets, "softmax", HOW)
    logits, targets = drawn(3000, seed=5)
    shares = calibration.probabilities(logits, "softmax", found.temperature)
    answered = shares.max(1) >= found.threshold
    wrong = ~targets[np.arange(3000), shares.argmax(1)]
    assert wrong.mean() > 0.1
    assert 0.3 < answered.mean() < 0.95
    assert wrong[answered].mean() < 0.07


def test_a_reader_without_errors_never_abstains_and_one_without_a_right_answer_always() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    assert calibration.fit(logits, logits > 1, "softmax", HOW).threshold == 0
    assert calibration.fit(logits, logits < 1, "softmax", HOW).threshold == 1


def test_loss_and_brier_score_by_hand_and_by_scikit_learn() -> None:
    logits, targets = drawn(300)
    shares = calibration.probabilities(logits, "softmax")
    assert calibration.loss(shares, targets, "softmax") == pytest.approx(log_loss(targets, shares))
    assert reliability.brier(np.array([[0.7, 0.3]]), np.array([[True, False]]), "softmax") == pytest.approx(
        0.18
    )
    two = np.array([[True, True]])
    assert reliability.brier(np.array([[0.5, 0.5]]), two, "softmax") == 0
    assert calibration.loss(np.array([[0.5, 0.5]]), two, "softmax") == pytest.approx(np.log(2))
    by_value = np.array([[0.9, 0.8]])
    assert calibration.loss(by_value, two, "sigmoid") == pytest.approx(-np.log(0.9) - np.log(0.8))
    assert reliability.brier(by_value, two, "sigmoid") == pytest.approx(0.05)


def test_the_loss_is_finite_where_the_true_value_got_nothing_and_none_where_none_is_known() -> None:
    shares = np.array([[1.0, 0.0]], np.float32)
    assert 80 < (calibration.loss(shares, np.array([[False, True]]), "softmax") or 0) < 100
    assert calibration.loss(shares, np.array([[False, False]]), "softmax") is None
