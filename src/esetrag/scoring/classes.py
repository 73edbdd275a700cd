"""How well each value is read."""

from __future__ import annotations

import numpy as np
import pandas as pd

from esetrag.scoring.ratios import Bools


def per_class(gold: Bools, read: Bools, names: list[str]) -> pd.DataFrame:
    """Precision, recall, F1 and support of every value that is borne or read.

    Args:
        gold: (forms, values) the values that each form bears.
        read: (forms, values) those that were read.
        names: of the values, sorted.
    """
    support, taken, right = gold.sum(0), read.sum(0), (gold & read).sum(0)
    table = pd.DataFrame(
        {
            "label": names,
            "precision": right / np.maximum(taken, 1),
            "recall": right / np.maximum(support, 1),
            "f1": 2 * right / np.maximum(taken + support, 1),
            "support": support,
        }
    )
    some: pd.DataFrame = table[(support + taken) > 0].reset_index(drop=True)
    return some


def macro_f1(classes: pd.DataFrame) -> float:
    """Mean F1 over the values that are borne.

    Args:
        classes: what ``per_class`` gives.
    """
    return float(classes.loc[classes["support"] > 0, "f1"].mean())
