"""How well the values of forms are read, and how surely that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from esetrag.core import config

RESAMPLES_AT_ONCE = 100

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Strings = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Interval:
    """A share, or the difference of two, with its confidence interval."""

    value: float
    low: float
    high: float


def accuracy(right: Bools, lemmas: Strings, how: config.Evaluate) -> Interval:
    """Share of the forms that are read right, with its interval by bootstrap over lemmas.

    Args:
        right: (forms,) whether the form was read right.
        lemmas: (forms,) its lemma.
        how: seed, resamples and confidence.
    """
    return ratios({"accuracy": (right, np.ones(len(right)))}, lemmas, how)["accuracy"]


def gain(before: Bools, after: Bools, lemmas: Strings, how: config.Evaluate) -> Interval:
    """Difference of two accuracies on the same forms, with its interval by paired bootstrap over lemmas.

    Args:
        before: (forms,) whether the one reader read the form right.
        after: (forms,) whether the other did.
        lemmas: (forms,) the form's lemma.
        how: seed, resamples and confidence.
    """
    difference = after.astype(float) - before.astype(float)
    return ratios({"gain": (difference, np.ones(len(before)))}, lemmas, how)["gain"]


def ratios(
    of: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]], lemmas: Strings, how: config.Evaluate
) -> dict[str, Interval]:
    """Ratios of sums over the forms, each with a percentile interval by bootstrap over lemmas.

    Forms of one lemma are misread together, so whole lemmas are drawn, not forms (Efron and
    Tibshirani 1993, ch. 13, for the percentile interval; Field and Welsh 2007 for clusters). All
    ratios are taken of the same draws.

    Args:
        of: name to what is summed above and below the line, (forms,) each.
        lemmas: (forms,) their lemmas.
        how: seed, resamples and confidence.
    """
    _, cluster = np.unique(lemmas, return_inverse=True)
    lemma_count = int(cluster.max()) + 1
    sums = np.stack(
        [
            np.bincount(cluster, weights=np.asarray(side, dtype=float), minlength=lemma_count)
            for pair in of.values()
            for side in pair
        ],
        axis=1,
    )  # (lemmas, 2 * ratios)
    chance = np.random.default_rng(how.seed)
    even = np.full(lemma_count, 1 / lemma_count)
    drawn = []
    for start in range(0, how.resamples, RESAMPLES_AT_ONCE):
        draws = min(RESAMPLES_AT_ONCE, how.resamples - start)
        drawn.append(chance.multinomial(lemma_count, even, size=draws) @ sums)
    resampled = np.concatenate(drawn)
    tail = (1 - how.confidence) / 2
    low, high = np.quantile(resampled[:, 0::2] / resampled[:, 1::2], [tail, 1 - tail], axis=0)
    total = sums.sum(0)
    value = total[0::2] / total[1::2]
    return {
        name: Interval(float(value[place]), float(low[place]), float(high[place]))
        for place, name in enumerate(of)
    }


@dataclass(frozen=True, slots=True)
class SetScores:
    """Precision, recall and F1 of sets of values, over all pairs of form and value."""

    precision: float
    recall: float
    f1: float


def set_scores(gold: Bools, read: Bools) -> SetScores:
    """Compares the sets of values that are read with the true ones.

    Args:
        gold: (forms, values) the values that each form bears.
        read: (forms, values) those that were read.
    """
    both, taken, borne = int((gold & read).sum()), int(read.sum()), int(gold.sum())
    return SetScores(both / max(taken, 1), both / max(borne, 1), 2 * both / max(taken + borne, 1))


def ceiling(gold: Bools) -> float:
    """The best strict accuracy of a reader that gives one value a form: one of its values is right.

    Args:
        gold: (forms, values) the values that each form bears.
    """
    return float((gold.sum(1) > 0).sum() / gold.sum())
