"""Precision, recall and F1 of each label."""

from __future__ import annotations

import numpy as np
import pandas as pd

from esetrag.scoring.ratios import Bools, Floats


def per_class(chosen: Bools, targets: Bools, names: list[str]) -> pd.DataFrame:
    """Label, precision, recall, F1 and support of every label that is true or predicted of a form.

    Args:
        chosen: (n, labels) predicted sets.
        targets: (n, labels) true ones.
        names: of the labels, sorted.
    """
    support, predicted, both = targets.sum(0), chosen.sum(0), (targets & chosen).sum(0)
    table = pd.DataFrame(
        {
            "label": names,
            "precision": both / np.maximum(predicted, 1),
            "recall": both / np.maximum(support, 1),
            "f1": 2 * both / np.maximum(predicted + support, 1),
            "support": support,
        }
    )
    present: pd.DataFrame = table[(support + predicted) > 0].reset_index(drop=True)
    return present


def auc(shares: Floats, true: Bools) -> float:
    """Area under the ROC curve: how often a true one of two drawn rows has the higher share.

    Args:
        shares: (n,) of a label.
        true: (n,) whether it is a row's label.
    """
    from scipy.stats import rankdata

    positive, negative = int(true.sum()), int((~true).sum())
    ranks = float(rankdata(shares)[true].sum()) - positive * (positive + 1) / 2
    return ranks / max(positive * negative, 1)


def macro_f1(classes: pd.DataFrame) -> float:
    """Mean F1 over the labels with support, of what ``per_class`` gives."""
    return float(classes.loc[classes["support"] > 0, "f1"].mean())
