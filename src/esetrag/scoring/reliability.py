"""How true the probabilities of a reader come, and how many errors its surest answers hold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from esetrag.core import config
from esetrag.scoring.calibration import Bools, Floats, by_confidence, truth

BINS = 15
"""Of equal width, as in Guo et al. (2017), *On Calibration of Modern Neural Networks*."""


def brier(shares: Floats, targets: Bools, head: config.Head) -> float:
    """Mean over the forms of the squared distance between probabilities and truth (Brier 1950)."""
    return float(np.square(shares - truth(targets, head)).sum(1).mean())


def outcome(shares: Floats, targets: Bools, head: config.Head) -> Floats:
    """What the probability of the likeliest value is held against: 1 or 0, of ``softmax`` its true share."""
    hit: Floats = truth(targets, head)[np.arange(len(shares)), shares.argmax(1)]
    return hit


def reliability(shares: Floats, targets: Bools, head: config.Head) -> pd.DataFrame:
    """Confidence beside accuracy: low, high, forms, confidence, accuracy of every bin that is not empty."""
    sure, hit = shares.max(1).astype(np.float64), outcome(shares, targets, head)
    number = np.minimum((sure * BINS).astype(int), BINS - 1)
    forms = np.bincount(number, minlength=BINS)
    some = forms > 0
    return pd.DataFrame(
        {
            "low": np.arange(BINS)[some] / BINS,
            "high": (np.arange(BINS)[some] + 1) / BINS,
            "forms": forms[some],
            "confidence": np.bincount(number, sure, BINS)[some] / forms[some],
            "accuracy": np.bincount(number, hit, BINS)[some] / forms[some],
        }
    )


def expected_error(bins: pd.DataFrame) -> float:
    """Expected calibration error: the gap between confidence and accuracy of its bin, mean over the forms."""
    gap = (bins["confidence"] - bins["accuracy"]).abs()
    return float((gap * bins["forms"]).sum() / bins["forms"].sum())


def coverage(shares: Floats, targets: Bools) -> pd.DataFrame:
    """Risk of the answers if only the surest are given: coverage, risk, threshold; one row each hundredth.

    Args:
        shares: (forms, values).
        targets: (forms, values) the values of each form; an answer that is none of them is an error.
    """
    sure, wrong = by_confidence(shares, targets)
    answered = np.unique(np.ceil(np.linspace(0.01, 1, 100) * len(sure)).astype(int))
    return pd.DataFrame(
        {
            "coverage": answered / len(sure),
            "risk": np.cumsum(wrong)[answered - 1] / answered,
            "threshold": sure[answered - 1],
        }
    )


def area(shares: Floats, targets: Bools) -> float:
    """Mean risk over all numbers of answers: the area under the curve (Geifman et al. 2019)."""
    _, wrong = by_confidence(shares, targets)
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())
