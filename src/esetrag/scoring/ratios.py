"""Scores as ratios of sums over rows, and their bootstrap intervals over clusters of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from esetrag.core import config

DRAWS_AT_ONCE = 100

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]
Strings = npt.NDArray[np.object_]
Key = TypeVar("Key")


@dataclass(frozen=True)
class Ratio:
    """A score: the sum of the numerators of all rows over the sum of their denominators."""

    numerator: npt.NDArray[np.generic]  # (n,)
    denominator: npt.NDArray[np.generic]  # (n,)

    @classmethod
    def mean(cls, values: npt.NDArray[np.generic]) -> Ratio:
        """The mean of the values (n,), as accuracy is that of correct predictions."""
        return cls(values, np.ones(len(values)))

    @property
    def value(self) -> float:
        """The score of all rows; 0 if the denominator is."""
        return float(
            _divided(*(np.asarray(side.sum(), float) for side in (self.numerator, self.denominator)))
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """A score, or the difference of two, with its confidence interval."""

    value: float
    low: float
    high: float


def intervals(
    ratios: Mapping[Key, Ratio], clusters: Strings, options: config.Evaluate
) -> dict[Key, Interval]:
    """Percentile intervals by bootstrap, all of the same draws.

    Forms of one lemma are misclassified together, so whole clusters are drawn (Efron and Tibshirani 1993,
    ch. 13, for the percentile interval; Field and Welsh 2007 for clusters).

    Args:
        ratios: scores by any key, all over the same rows.
        clusters: (n,) the cluster of each row, its lemma for example.
        options: seed, resamples and confidence.
    """
    drawn = _resampled(list(ratios.values()), clusters, options)
    return {
        name: _interval(ratio.value, column, options)
        for (name, ratio), column in zip(ratios.items(), drawn.T, strict=True)
    }


def difference(a: Ratio, b: Ratio, clusters: Strings, options: config.Evaluate) -> Interval:
    """``a`` minus ``b`` with its interval by paired bootstrap; arguments as for ``intervals``."""
    drawn = _resampled([a, b], clusters, options)
    return _interval(a.value - b.value, drawn[:, 0] - drawn[:, 1], options)


def _resampled(ratios: Sequence[Ratio], clusters: Strings, options: config.Evaluate) -> Floats:
    """The scores of every resample, (resamples, ratios)."""
    _, cluster = np.unique(clusters, return_inverse=True)
    sides = [side.astype(float) for ratio in ratios for side in (ratio.numerator, ratio.denominator)]
    sums = np.stack([np.bincount(cluster, weights=side) for side in sides], axis=1)  # (clusters, 2 * ratios)
    generator = np.random.default_rng(options.seed)
    even = np.full(len(sums), 1 / len(sums))
    drawn = []
    for start in range(0, options.resamples, DRAWS_AT_ONCE):
        size = min(DRAWS_AT_ONCE, options.resamples - start)
        drawn.append(generator.multinomial(len(sums), even, size=size) @ sums)
    resampled = np.concatenate(drawn)
    return _divided(resampled[:, 0::2], resampled[:, 1::2])


def _divided(above: Floats, below: Floats) -> Floats:
    quotient: Floats = np.divide(above, below, out=np.zeros_like(above), where=below != 0)
    return quotient


def _interval(value: float, drawn: Floats, options: config.Evaluate) -> Interval:
    tail = (1 - options.confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high))
