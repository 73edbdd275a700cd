"""How well a form's label is read, and how surely that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from esetrag import params

RESAMPLES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A share, or the difference of two, with its confidence interval."""

    value: float
    low: float
    high: float


def accuracy(right: npt.NDArray[np.bool_], lemmas: npt.NDArray[np.object_], how: params.Evaluate) -> Interval:
    """Accuracy, with its interval by bootstrap over lemmas.

    Args:
        right: (rows,) whether the row was read right.
        lemmas: (rows,) its lemma.
        how: seed, resamples and confidence.
    """
    return _mean(right, lemmas, how)


def gain(
    before: npt.NDArray[np.bool_],
    after: npt.NDArray[np.bool_],
    lemmas: npt.NDArray[np.object_],
    how: params.Evaluate,
) -> Interval:
    """Difference of two accuracies on the same rows, with its interval by paired bootstrap over lemmas.

    Args:
        before: (rows,) whether the one reader read the row right.
        after: (rows,) whether the other did.
        lemmas: (rows,) the row's lemma.
        how: seed, resamples and confidence.
    """
    return _mean(after.astype(float) - before.astype(float), lemmas, how)


def _mean(
    values: npt.NDArray[np.bool_] | npt.NDArray[np.float64],
    lemmas: npt.NDArray[np.object_],
    how: params.Evaluate,
) -> Interval:
    """Mean over the rows, with a percentile interval by bootstrap over lemmas.

    Forms of one lemma are misread together, so whole lemmas are drawn, not rows (Efron and
    Tibshirani 1993, ch. 13, for the percentile interval; Field and Welsh 2007 for clusters).
    """
    _, cluster = np.unique(lemmas, return_inverse=True)
    size = np.bincount(cluster).astype(float)  # (lemmas,)
    sums = np.bincount(cluster, weights=values)  # (lemmas,)
    chance = np.random.default_rng(how.seed)
    resampled = []
    for start in range(0, how.resamples, RESAMPLES_AT_ONCE):
        draws = min(RESAMPLES_AT_ONCE, how.resamples - start)
        times = chance.multinomial(
            len(size), np.full(len(size), 1 / len(size)), size=draws
        )  # (draws, lemmas)
        resampled.append((times @ sums) / (times @ size))
    tail = (1 - how.confidence) / 2
    low, high = np.quantile(np.concatenate(resampled), [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def per_class(gold: npt.NDArray[np.object_], read: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Precision, recall, F1 and support of every label that is borne or read, sorted by label.

    Args:
        gold: (rows,) true labels.
        read: (rows,) labels read.
    """
    labels, codes = np.unique(np.concatenate([gold, read]), return_inverse=True)
    borne, given = codes[: len(gold)], codes[len(gold) :]
    support, taken, right = (
        np.bincount(some, minlength=len(labels)) for some in (borne, given, borne[borne == given])
    )
    return pd.DataFrame(
        {
            "label": labels,
            "precision": right / np.maximum(taken, 1),
            "recall": right / np.maximum(support, 1),
            "f1": 2 * right / np.maximum(taken + support, 1),
            "support": support,
        }
    )


def macro_f1(gold: npt.NDArray[np.object_], read: npt.NDArray[np.object_]) -> float:
    """Mean F1 over the labels that occur among the true ones."""
    classes = per_class(gold, read)
    return float(classes.loc[classes["support"] > 0, "f1"].mean())


def ceiling(forms: npt.NDArray[np.object_], labels: npt.NDArray[np.object_]) -> float:
    """The best accuracy any reader of the form alone can have: each form's commonest label is right."""
    rows = pd.DataFrame({"form": forms, "label": labels}).value_counts()
    return float(rows.groupby("form").max().sum() / len(forms))
