"""Scores of each label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis.extra import numpy as arrays
from sklearn.metrics import precision_recall_fscore_support

from esetrag.scoring import classes

SETS = arrays.arrays(bool, (12, 3))


@settings(max_examples=60)
@for_all(SETS, SETS)
def test_the_scores_are_those_of_scikit_learn(
    chosen: npt.NDArray[np.bool_], targets: npt.NDArray[np.bool_]
) -> None:
    table = classes.per_class(chosen, targets, ["a", "b", "c"])
    by_label = precision_recall_fscore_support(targets, chosen, average=None, zero_division=0.0)
    present = targets.any(0) | chosen.any(0)
    for place, name in enumerate(("precision", "recall", "f1", "support")):
        assert table[name].tolist() == pytest.approx(by_label[place][present].tolist())


def test_macro_f1_is_over_the_labels_that_are_true_of_a_form() -> None:
    targets = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], dtype=bool)
    chosen = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool)
    table = classes.per_class(chosen, targets, ["ACC", "GEN", "NOM"])
    assert table["label"].tolist() == ["ACC", "GEN", "NOM"]
    assert classes.macro_f1(table) == pytest.approx((2 / 3 + 1) / 2)
