"""Confidence beside accuracy, risk beside coverage."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from esetrag.scoring import calibration, reliability
from tests.unit.scoring.test_calibration import drawn


def test_the_bins_of_reliability_are_those_of_scikit_learn() -> None:
    logits, targets = drawn(5000)
    shares = calibration.probabilities(logits, "softmax")
    bins = reliability.reliability(shares, targets, "softmax")
    right = targets[np.arange(5000), shares.argmax(1)]
    accuracy, confidence = calibration_curve(right, shares.max(1), n_bins=reliability.BINS)
    assert bins["accuracy"].tolist() == pytest.approx(accuracy.tolist())
    assert bins["confidence"].tolist() == pytest.approx(confidence.tolist())
    assert bins["forms"].sum() == 5000


def test_the_expected_error_by_hand() -> None:
    shares = np.array([[0.9, 0.1]] * 10)
    targets = np.array([[True, False]] * 7 + [[False, True]] * 3)
    bins = reliability.reliability(shares, targets, "softmax")
    assert reliability.expected_error(bins) == pytest.approx(0.2)


def test_a_bin_of_many_forms_weighs_more_than_one_of_few() -> None:
    shares = np.array([[0.95, 0.05]] * 9 + [[0.65, 0.35]])
    targets = np.array([[True, False]] * 9 + [[False, True]])
    bins = reliability.reliability(shares, targets, "softmax")
    assert bins["forms"].tolist() == [1, 9]
    assert [*bins["low"], *bins["high"]] == pytest.approx([9 / 15, 14 / 15, 10 / 15, 1])
    assert reliability.expected_error(bins) == pytest.approx((9 * 0.05 + 0.65) / 10)


def test_risk_and_coverage_by_hand() -> None:
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    targets = np.array([[True, False], [False, True], [True, False], [False, True]])
    found = reliability.coverage(shares, targets)
    assert found["coverage"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found["risk"].tolist() == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])
    assert found["threshold"].tolist() == [0.9, 0.8, 0.7, 0.6]
    assert reliability.area(shares, targets) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_the_order_of_equally_sure_forms_flatters_nobody() -> None:
    shares = np.array([[0.9, 0.1]] * 4)
    targets = np.array([[True, False], [True, False], [False, True], [True, False]])
    one, other = reliability.coverage(shares, targets), reliability.coverage(shares, targets[::-1])
    assert one.equals(other)
    assert one["risk"].tolist()[0] == 1
