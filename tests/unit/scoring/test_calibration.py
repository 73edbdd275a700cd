"""Calibration of probabilities, label sets and abstention."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import expit, softmax
from sklearn.metrics import log_loss, precision_recall_fscore_support

from esetrag.core import config
from esetrag.core.errors import ParamsError
from esetrag.scoring import calibration, reliability
from esetrag.scoring.calibration import Calibration
from esetrag.scoring.ratios import Bools, Floats

OPTIONS = config.Calibration(temperature=True, risk=0.05, prior=None)


def drawn(forms: int, temperature: float = 1.0, exponent: float = 1.0, seed: int = 1) -> tuple[Floats, Bools]:
    """Logits of four labels that this temperature and exponent calibrate, and labels drawn from them."""
    generator = np.random.default_rng(seed)
    logits = 3 * generator.normal(size=(forms, 4))
    shares = calibration.probabilities(logits, "softmax", Calibration(temperature, exponent))
    values = (generator.random((forms, 1)) > shares.cumsum(1)).sum(1).clip(max=3)
    return logits, np.eye(4, dtype=bool)[values]


def test_probabilities_are_those_of_softmax_and_sigmoid() -> None:
    logits, _ = drawn(50)
    assert calibration.probabilities(logits, "softmax") == pytest.approx(softmax(logits, axis=1))
    assert calibration.probabilities(logits, "sigmoid") == pytest.approx(expit(logits))
    halved = calibration.probabilities(logits, "softmax", Calibration(temperature=2.0))
    assert halved == pytest.approx(softmax(logits / 2, axis=1))
    for head in ("softmax", "sigmoid"):
        bent = calibration.probabilities(logits, head, Calibration(0.5, 1.5))
        assert (bent.argmax(1) == logits.argmax(1)).all()


@pytest.mark.parametrize(("temperature", "exponent"), [(0.5, 1.0), (2.5, 1.0), (1.0, 1.4), (2.0, 0.8)])
def test_what_calibrates_is_found_and_holds_for_other_forms(temperature: float, exponent: float) -> None:
    fitted = calibration.fit(*drawn(20_000, temperature, exponent), "softmax", OPTIONS)
    assert (fitted.temperature, fitted.exponent) == pytest.approx((temperature, exponent), rel=0.1)
    logits, targets = drawn(5000, temperature, exponent, seed=2)
    shares = calibration.probabilities(logits, "softmax", fitted)
    assert reliability.expected_error(reliability.reliability(shares, targets, "softmax")) < 0.02


def test_a_few_words_without_an_error_do_not_make_a_model_certain_of_everything() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    fitted = calibration.fit(logits, logits > 1, "softmax", OPTIONS)
    assert 0.3 < fitted.temperature < 1


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_the_cost_is_that_at_the_best_temperature_and_finite_without_errors(head: config.Head) -> None:
    logits, targets = drawn(500)
    costs = [calibration.cost(factor * logits, targets, head) for factor in (0.5, 1.0, 2.0)]
    assert costs == pytest.approx([costs[0]] * 3)
    assert 0 <= calibration.cost(logits, logits == logits.max(1, keepdims=True), head) < costs[0]


def test_where_nothing_is_wanted_or_known_nothing_is_fitted() -> None:
    options = OPTIONS.model_copy(update={"temperature": False})
    assert calibration.fit(*drawn(500, 3.0), "softmax", options).temperature == 1
    for rows in (3, 0):
        none = np.zeros((rows, 2))
        assert calibration.fit(none, none > 0, "softmax", OPTIONS) == Calibration()


def test_sets_hold_one_label_where_forms_have_one() -> None:
    logits, targets = drawn(2000)
    confident = logits * 20
    targets[:] = np.eye(4, dtype=bool)[confident.argmax(1)]
    assert calibration.fit(confident, targets, "softmax", OPTIONS).ratio == 1


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_sets_hold_two_labels_where_forms_have_two(head: config.Head) -> None:
    logits = np.tile([[4.0, 3.8, -4.0], [-4.0, -4.0, 4.0]], (50, 1))
    targets = np.tile([[True, True, False], [False, False, True]], (50, 1))
    found = calibration.fit(logits, targets, head, OPTIONS)
    shares = calibration.probabilities(logits, head, found)
    assert (calibration.sets(shares, found.ratio) == targets).all()


@for_all(st.integers(0, 10_000), st.sampled_from([0.02, 0.3, 0.98, 1.0]))
@settings(max_examples=50)
def test_a_set_holds_the_top_label_and_grows_as_the_ratio_falls(seed: int, ratio: float) -> None:
    shares = calibration.probabilities(drawn(20, seed=seed)[0], "softmax")
    chosen = calibration.sets(shares, ratio)
    assert chosen[np.arange(20), shares.argmax(1)].all()
    assert (chosen <= calibration.sets(shares, ratio / 2)).all()


def test_a_label_at_the_very_ratio_is_in_the_set() -> None:
    shares = np.array([[0.5, 0.25, 0.25 - 2**-10, 2**-10]])
    assert calibration.sets(shares, 0.5).tolist() == [[True, True, False, False]]


def test_a_risk_just_reached_is_allowed() -> None:
    logits = np.array([[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    targets = np.array([[True, False], [True, False], [True, False], [False, True]])
    options = OPTIONS.model_copy(update={"risk": 0.25, "temperature": False})
    assert calibration.fit(logits, targets, "softmax", options).threshold == 0


def test_abstention_keeps_the_errors_among_the_answers_below_the_risk() -> None:
    logits, targets = drawn(3000)
    found = calibration.fit(logits, targets, "softmax", OPTIONS)
    logits, targets = drawn(3000, seed=5)
    shares = calibration.probabilities(logits, "softmax", found)
    answered = shares.max(1) >= found.threshold
    wrong = ~targets[np.arange(3000), shares.argmax(1)]
    assert wrong.mean() > 0.1
    assert 0.3 < answered.mean() < 0.95
    assert wrong[answered].mean() < 0.07


def test_a_model_without_errors_never_abstains_and_one_without_a_correct_answer_always() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    assert calibration.fit(logits, logits > 1, "softmax", OPTIONS).threshold == 0
    assert calibration.fit(logits, logits < 1, "softmax", OPTIONS).threshold == 1


def test_loss_and_brier_score_by_hand_and_by_scikit_learn() -> None:
    logits, targets = drawn(300)
    shares = calibration.probabilities(logits, "softmax")
    assert loss(shares, targets) == pytest.approx(log_loss(targets, shares))
    single, both = np.array([[True, False]]), np.array([[True, True]])
    assert brier(np.array([[0.7, 0.3]]), single) == pytest.approx(0.18)
    assert brier(np.array([[0.5, 0.5]]), both) == 0
    assert loss(np.array([[0.5, 0.5]]), both) == pytest.approx(np.log(2))
    by_label = np.array([[0.9, 0.8]])
    assert loss(by_label, both, "sigmoid") == pytest.approx(-np.log(0.9) - np.log(0.8))
    assert brier(by_label, both, "sigmoid") == pytest.approx(0.05)


def loss(shares: Floats, targets: Bools, head: config.Head = "softmax") -> float:
    return calibration.losses(shares, targets, head).value


def brier(shares: Floats, targets: Bools, head: config.Head = "softmax") -> float:
    return reliability.brier(shares, targets, head).value


def test_the_loss_is_finite_where_the_true_label_got_nothing_and_counts_known_labels_only() -> None:
    shares = np.array([[1.0, 0.0]] * 2, np.float32)
    assert 80 < loss(shares, np.array([[False, True], [False, False]])) < 100


@settings(max_examples=60)
@for_all(arrays.arrays(bool, (12, 3)), arrays.arrays(bool, (12, 3)))
def test_scores_of_label_sets_are_those_of_scikit_learn(chosen: Bools, targets: Bools) -> None:
    scores = [ratio.value for ratio in calibration.set_scores(chosen, targets).values()]
    expected = precision_recall_fscore_support(targets, chosen, average="micro", zero_division=0.0)
    assert scores == pytest.approx(list(expected[:3]))


def test_a_prior_weights_the_probabilities_and_the_others_share_the_rest() -> None:
    logits, targets = drawn(500)
    options = OPTIONS.model_copy(update={"prior": {"a": 0.7, "c": 0.1}})
    fitted = calibration.fit(logits, targets, "softmax", options, "abcd")
    assert fitted.prior == pytest.approx((0.7, 0.1, 0.1, 0.1))
    plain = calibration.probabilities(logits, "softmax", replace(fitted, prior=()))
    weighted = plain * np.array(fitted.prior)
    expected = weighted / weighted.sum(1, keepdims=True)
    assert calibration.probabilities(logits, "softmax", fitted) == pytest.approx(expected)


def test_a_prior_of_a_label_that_there_is_not_is_refused() -> None:
    options = OPTIONS.model_copy(update={"prior": {"ACK": 0.2}})
    with pytest.raises(ParamsError, match="expected labels of ACC, NOM, found ACK"):
        calibration.fit(np.eye(2), np.eye(2) > 0, "softmax", options, ("ACC", "NOM"))
