"""How well confidence agrees with accuracy, and how few errors the most confident answers hold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from esetrag.core import config
from esetrag.scoring.calibration import by_confidence, truth
from esetrag.scoring.ratios import Bools, Floats, Ratio

BINS = 15
"""Of equal width, as in Guo et al. (2017), *On Calibration of Modern Neural Networks*."""


def brier(shares: Floats, targets: Bools, head: config.Head) -> Ratio:
    """Mean squared distance between probabilities and truth (Brier 1950)."""
    return Ratio.mean(np.square(shares - truth(targets, head)).sum(1))


def reliability(shares: Floats, targets: Bools, head: config.Head) -> pd.DataFrame:
    """Low, high, forms, confidence, accuracy of every bin of confidence that is not empty.

    Under ``softmax`` a form of k true labels counts 1 / k if the top label is one of them.
    """
    confidence = shares.max(1).astype(np.float64)
    hit = truth(targets, head)[np.arange(len(shares)), shares.argmax(1)]
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = [np.bincount(number, weights, BINS) for weights in (None, confidence, hit)]
    bins = np.flatnonzero(sums[0])
    forms, confidences, hits = (column[bins] for column in sums)
    return pd.DataFrame(
        {
            "low": bins / BINS,
            "high": (bins + 1) / BINS,
            "forms": forms,
            "confidence": confidences / forms,
            "accuracy": hits / forms,
        }
    )


def expected_error(bins: pd.DataFrame) -> float:
    """Expected calibration error: the gap between confidence and accuracy of a bin, mean over the forms."""
    gap = (bins["confidence"] - bins["accuracy"]).abs()
    return float((gap * bins["forms"]).sum() / bins["forms"].sum())


def coverage(shares: Floats, targets: Bools) -> pd.DataFrame:
    """Coverage, risk and threshold if only the most confident answers are given, for each hundredth."""
    confidence, wrong = by_confidence(shares, targets)
    answered = np.unique(np.ceil(np.linspace(0.01, 1, 100) * len(confidence)).astype(int))
    return pd.DataFrame(
        {
            "coverage": answered / len(confidence),
            "risk": np.cumsum(wrong)[answered - 1] / answered,
            "threshold": confidence[answered - 1],
        }
    )


def area(shares: Floats, targets: Bools) -> float:
    """Area under the risk-coverage curve (Geifman et al. 2019): the mean risk over all coverages."""
    _, wrong = by_confidence(shares, targets)
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())
