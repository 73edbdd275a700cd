"""How far the probabilities of a reader are to be believed, and what follows for what it answers.

A temperature, a threshold of sets and one of abstention are fitted on dev; how well that worked is
measured on other forms (``reliability``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from esetrag.core import config
from esetrag.scoring import ratios

PRIOR = 0.5
"""Deviation of the logarithm of a temperature before dev is seen: some words without an error do not
make a reader sure of everything."""
_RATIOS = np.linspace(0.02, 1.0, 50)

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted on dev."""

    temperature: float = 1.0
    """Logits are divided by it."""
    ratio: float = 1.0
    """A value belongs to the set that is read if it is at least this share as probable as the likeliest."""
    threshold: float = 0.0
    """A model that may abstain does so if its top value is less probable."""


@dataclass(frozen=True)
class ModelOutput:
    """What a model predicts for a number of forms."""

    probabilities: Floats
    """(forms, labels), at its temperature."""
    calibration: Calibration
    head: config.Head = "softmax"


def fit(logits: Floats, targets: Bools, head: config.Head, how: config.Calibration) -> Calibration:
    """Fits all three on some forms that no training saw.

    Args:
        logits: (forms, values).
        targets: (forms, values) the values of each form; forms without a known one do not count.
        head: meaning of the logits.
        how: whether there is a temperature; the share of errors among the answers that is put up with.
    """
    known = targets.any(1)
    logits, targets = logits[known].astype(np.float64), targets[known]
    if not len(logits):
        return Calibration()
    temperature = _temperature(logits, targets, head) if how.temperature else 1.0
    shares = probabilities(logits, head, temperature)
    return Calibration(temperature, _ratio(shares, targets), _threshold(shares, targets, how.risk))


def probabilities(logits: Floats, head: config.Head, temperature: float = 1.0) -> Floats:
    """Logits (forms, values) as probabilities."""
    scaled = logits / temperature
    if head == "sigmoid":
        positive: Floats = 0.5 * (1 + np.tanh(scaled / 2))
        return positive
    exponents = np.exp(scaled - scaled.max(1, keepdims=True))
    shares: Floats = exponents / exponents.sum(1, keepdims=True)
    return shares


def truth(targets: Bools, head: config.Head) -> Floats:
    """What the probabilities should be: the values of a form share one, or each has its own."""
    return (
        targets / np.maximum(targets.sum(1, keepdims=True), 1) if head == "softmax" else targets.astype(float)
    )


def sets(shares: Floats, ratio: float) -> Bools:
    """The set that is read off each form, (forms, values); it holds the likeliest value."""
    if ratio == 1:  # of equally likely values the first one, as argmax takes it
        first: Bools = shares.argmax(1)[:, None] == np.arange(shares.shape[1])
        return first
    likely: Bools = shares >= ratio * shares.max(1, keepdims=True)
    return likely


def loss(shares: Floats, targets: Bools, head: config.Head) -> float | None:
    """Cross-entropy in nats, mean over the forms that have a known value; None if there are none."""
    known = targets.any(1)
    if not known.any():
        return None
    tiny = float(np.finfo(np.float32).tiny)
    p, y = np.clip(shares[known].astype(np.float64), tiny, 1.0), truth(targets[known], head)
    each = -(y * np.log(p)).sum(1)
    if head == "sigmoid":
        each -= ((1 - y) * np.log(np.clip(1 - p, tiny, 1.0))).sum(1)
    return float(each.mean()) + 0.0  # no -0.0


def by_confidence(shares: Floats, targets: Bools) -> tuple[Floats, Bools]:
    """Probability of the likeliest value and whether it is wrong, the surest form first."""
    sure = shares.max(1).astype(np.float64)
    wrong = ~targets[np.arange(len(shares)), shares.argmax(1)]
    # Of equally sure forms the misread ones first: no order of rows may flatter.
    order = np.lexsort((~wrong, -sure))
    return sure[order], wrong[order]


def cost(logits: Floats, targets: Bools, head: config.Head) -> float:
    """Cross-entropy of some forms, all in all, in nats, at the temperature that suits them best.

    No prior holds the temperature: of two logits the surer ones must not look the better for that.

    Args:
        logits: (forms, values).
        targets: (forms, values) the values of each form; forms without a known one do not count.
        head: meaning of the logits.
    """
    known = targets.any(1)
    logits, targets = logits[known].astype(np.float64), targets[known]
    best = _temperature(logits, targets, head, math.inf)
    return _cost(logits, targets, head, float(np.log(best)), math.inf)


def _cost(logits: Floats, targets: Bools, head: config.Head, log_temperature: float, prior: float) -> float:
    fitted = loss(probabilities(logits, head, float(np.exp(log_temperature))), targets, head) or 0.0
    return len(logits) * fitted + 0.5 * (log_temperature / prior) ** 2


def _temperature(logits: Floats, targets: Bools, head: config.Head, prior: float = PRIOR) -> float:
    """The most probable temperature: cross-entropy on the forms and a prior around 1, by golden section."""

    def cost(log_temperature: float) -> float:
        return _cost(logits, targets, head, log_temperature, prior)

    low, high = -3.0, 3.0
    golden = (np.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = cost(left), cost(right)
    for _ in range(40):  # down to a hundred-millionth
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = cost(right)
    # Its last bits are noise; without them it is the same on more machines.
    return round(float(np.exp((low + high) / 2)), 4)


def _ratio(shares: Floats, targets: Bools) -> float:
    """The ratio whose sets have the best F1; of equally good ones the middle one.

    Where every form has one value, so has every set: a second value could only hide an error.
    """
    if not (targets.sum(1) > 1).any():
        return 1.0
    scores = np.array([ratios.set_scores(targets, sets(shares, ratio)).f1 for ratio in _RATIOS])
    best = np.flatnonzero(scores == scores.max())
    return round(float(_RATIOS[best[len(best) // 2]]), 4)


def _threshold(shares: Floats, targets: Bools, risk: float) -> float:
    """The least probability at which answers are given so that no more than a share of them are errors."""
    sure, wrong = by_confidence(shares, targets)
    good = np.flatnonzero(np.cumsum(wrong) <= risk * np.arange(1, len(wrong) + 1))
    if not len(good):
        return 1.0
    return 0.0 if good[-1] == len(wrong) - 1 else float(sure[good[-1]])
