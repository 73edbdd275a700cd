"""Probabilities that can be trusted, and what follows from them: label sets and abstention.

All of it is fitted on dev; ``reliability`` measures how well that worked elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from esetrag.core import config
from esetrag.core.errors import ParamsError
from esetrag.scoring.ratios import Bools, Floats, Ratio

PRIORS = (0.5, 0.3)
"""Standard deviations of the logs of temperature and exponent before dev is seen: a few words without an
error do not make a model certain of everything."""
LEAST = 1e-6
"""The least prior of a label."""
_RATIOS = np.linspace(0.02, 1.0, 50)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted on dev."""

    temperature: float = 1.0
    """Differences of logits to the top one are divided by it …"""
    exponent: float = 1.0
    """… and raised to this power: training with smoothed labels compresses the large ones."""
    ratio: float = 1.0
    """The label set holds every label at least this share as probable as the top one."""
    threshold: float = 0.0
    """Selective prediction abstains if the top label is less probable."""
    prior: tuple[float, ...] = ()
    """How frequent each label is where the model is used, if it was told (under ``softmax``)."""

    @property
    def figures(self) -> dict[str, Any]:
        """All that was fitted."""
        return {name: value for name, value in asdict(self).items() if name != "prior"}


UNCALIBRATED = Calibration()


@dataclass(frozen=True)
class ModelOutput:
    """The predictions of a model for n forms."""

    probabilities: Floats
    """(n, labels), calibrated."""
    calibration: Calibration
    head: config.Head = "softmax"


def fit(
    logits: Floats, targets: Bools, head: config.Head, options: config.Calibration, labels: Sequence[str] = ()
) -> Calibration:
    """Fits all but the prior on forms that no training saw.

    Args:
        logits: (n, labels).
        targets: (n, labels) the true labels of each form; forms without a known one do not count.
        head: meaning of the logits.
        options: whether probabilities are calibrated; the accepted share of errors among the answers; prior.
        labels: names of the columns, for the prior.

    Raises:
        ParamsError: if the prior names a label that there is not.
    """
    known = targets.any(1)
    logits, targets = logits[known].astype(np.float64), targets[known]
    if not len(logits):
        return Calibration()
    fitted = _fitted(logits, targets, head, PRIORS)[0] if options.temperature else Calibration()
    fitted = replace(fitted, prior=_prior(options.prior or {}, labels))
    shares = probabilities(logits, head, fitted)
    return replace(fitted, ratio=_ratio(shares, targets), threshold=_threshold(shares, targets, options.risk))


def cost(logits: Floats, targets: Bools, head: config.Head) -> float:
    """Summed cross-entropy in nats at the best temperature; arguments as for ``fit``.

    No prior holds the temperature: of two models the more confident one has no advantage.
    """
    known = targets.any(1)
    return _fitted(logits[known].astype(np.float64), targets[known], head, (math.inf,))[1]


def probabilities(logits: Floats, head: config.Head, fitted: Calibration = UNCALIBRATED) -> Floats:
    """Logits (n, labels) as calibrated probabilities."""
    if head == "sigmoid":
        scaled = np.sign(logits) * np.abs(logits / fitted.temperature) ** fitted.exponent
        positive: Floats = 0.5 * (1 + np.tanh(scaled / 2))
        return positive
    gaps = (logits.max(1, keepdims=True) - logits) / fitted.temperature
    shares = np.exp(-(gaps**fitted.exponent))
    # Training rows have all labels about equally often, so that shares are weighted by the prior as they are.
    shares *= np.array(fitted.prior or 1.0)
    normalised: Floats = shares / shares.sum(1, keepdims=True)
    return normalised


def _prior(given: Mapping[str, float], labels: Sequence[str]) -> tuple[float, ...]:
    """The frequency of each label; those that are not given share the rest."""
    if unknown := sorted({*given} - {*labels}):
        raise ParamsError(f"calibration.prior: expected labels of {', '.join(labels)}, found {unknown[0]}")
    rest = (1 - sum(given.values())) / max(len(labels) - len(given), 1)
    return tuple(max(given.get(label, rest), LEAST) for label in labels) if given else ()


def truth(targets: Bools, head: config.Head) -> Floats:
    """The ideal probabilities: the true labels of a form share one, or each has its own."""
    return (
        targets / np.maximum(targets.sum(1, keepdims=True), 1) if head == "softmax" else targets.astype(float)
    )


def sets(shares: Floats, ratio: float) -> Bools:
    """The label set of each form, (n, labels); it holds the top label."""
    if ratio == 1:  # of equally probable labels the first one, as argmax takes it
        first: Bools = shares.argmax(1)[:, None] == np.arange(shares.shape[1])
        return first
    likely: Bools = shares >= ratio * shares.max(1, keepdims=True)
    return likely


def correct(shares: Floats, targets: Bools) -> Bools:
    """Whether the top label of each form is a true one, (n,)."""
    hit: Bools = targets[np.arange(len(shares)), shares.argmax(1)]
    return hit


def losses(shares: Floats, targets: Bools, head: config.Head) -> Ratio:
    """Cross-entropy in nats, mean over the forms that have a known label."""
    known = targets.sum(1) > 0
    tiny = float(np.finfo(np.float32).tiny)
    p, y = np.clip(shares.astype(np.float64), tiny, 1.0), truth(targets, head)
    each = -(y * np.log(p)).sum(1)
    if head == "sigmoid":
        each -= ((1 - y) * np.log(np.clip(1 - p, tiny, 1.0))).sum(1)
    return Ratio(np.where(known, each, 0.0), known)


def by_confidence(shares: Floats, targets: Bools) -> tuple[Floats, Bools]:
    """Probability of the top label and whether it is wrong, the most confident form first."""
    confidence, wrong = shares.max(1).astype(np.float64), ~correct(shares, targets)
    order = np.lexsort((~wrong, -confidence))  # of equal ones the errors first: no order of rows may flatter
    return confidence[order], wrong[order]


def set_scores(chosen: Bools, targets: Bools) -> dict[str, Ratio]:
    """Precision, recall and F1 of label sets over all pairs of form and label.

    Args:
        chosen: (n, labels) predicted sets.
        targets: (n, labels) true ones.
    """
    both, predicted, true = (side.sum(1) for side in (chosen & targets, chosen, targets))
    return {
        "set_precision": Ratio(both, predicted),
        "set_recall": Ratio(both, true),
        "set_f1": Ratio(2 * both, predicted + true),
    }


def _fitted(
    logits: Floats, targets: Bools, head: config.Head, priors: tuple[float, ...]
) -> tuple[Calibration, float]:
    """The most probable temperature, and exponent if it has a prior; the cross-entropy and penalty there."""
    from scipy.optimize import minimize  # a third of a second that predictions do not need

    def penalised(logs: Floats) -> float:
        shares = probabilities(logits, head, Calibration(*np.exp(logs).tolist()))
        loss = losses(shares, targets, head).numerator.sum()
        return float(loss) + 0.5 * float(np.square(logs / np.array(priors)).sum())

    start, bounds = np.zeros(len(priors)), [(-3.0, 3.0)] * len(priors)
    options = {"xatol": 1e-6, "fatol": 1e-9}
    found = minimize(penalised, start, method="Nelder-Mead", bounds=bounds, options=options)
    # The last bits are noise; without them the values are the same on more machines.
    return Calibration(*np.exp(found.x).round(4).tolist()), float(found.fun)


def _ratio(shares: Floats, targets: Bools) -> float:
    """The ratio whose sets have the best F1, the middle one of equals; 1 where every form has one label."""
    if not (targets.sum(1) > 1).any():
        return 1.0
    scores = np.array([set_scores(sets(shares, ratio), targets)["set_f1"].value for ratio in _RATIOS])
    best = np.flatnonzero(scores == scores.max())
    return round(float(_RATIOS[best[len(best) // 2]]), 4)


def _threshold(shares: Floats, targets: Bools, risk: float) -> float:
    """The least confidence at which no more than a share of the answers are errors."""
    confidence, wrong = by_confidence(shares, targets)
    good = np.flatnonzero(np.cumsum(wrong) <= risk * np.arange(1, len(wrong) + 1))
    if not len(good):
        return 1.0
    return 0.0 if good[-1] == len(wrong) - 1 else float(confidence[good[-1]])
