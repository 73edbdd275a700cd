"""How well each value is read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis.extra import numpy as arrays
from sklearn.metrics import precision_recall_fscore_support

from esetrag.scoring import classes


def one_hot(values: list[str], names: list[str]) -> npt.NDArray[np.bool_]:
    return np.array([[value == name for name in names] for value in values], dtype=bool)


def test_precision_recall_and_f1_by_hand() -> None:
    names = ["ACC", "DAT", "ESS", "GEN", "NOM"]
    gold = one_hot(["ACC", "ACC", "ACC", "NOM", "DAT"], names)
    read = one_hot(["ACC", "ACC", "NOM", "NOM", "GEN"], names)
    rows = {row.label: row for row in classes.per_class(gold, read, names).itertuples()}
    assert list(rows) == ["ACC", "DAT", "GEN", "NOM"]
    assert (rows["ACC"].precision, rows["ACC"].recall, rows["ACC"].support) == (1.0, 2 / 3, 3)
    assert rows["ACC"].f1 == pytest.approx(0.8)
    assert (rows["NOM"].precision, rows["NOM"].recall, rows["NOM"].support) == (0.5, 1.0, 1)
    assert (rows["DAT"].precision, rows["DAT"].recall, rows["DAT"].support) == (0.0, 0.0, 1)
    assert (rows["GEN"].precision, rows["GEN"].recall, rows["GEN"].support) == (0.0, 0.0, 0)


def test_macro_f1_is_over_the_values_that_are_borne() -> None:
    names = ["ACC", "GEN", "NOM"]
    found = classes.per_class(
        one_hot(["ACC", "ACC", "NOM"], names), one_hot(["ACC", "GEN", "NOM"], names), names
    )
    assert classes.macro_f1(found) == pytest.approx((2 / 3 + 1) / 2)


@settings(max_examples=60)
@for_all(arrays.arrays(bool, (12, 3)), arrays.arrays(bool, (12, 3)))
def test_figures_of_values_are_those_of_scikit_learn(
    gold: npt.NDArray[np.bool_], read: npt.NDArray[np.bool_]
) -> None:
    found = classes.per_class(gold, read, ["a", "b", "c"])
    by_label = precision_recall_fscore_support(gold, read, average=None, zero_division=0.0)
    some = gold.any(0) | read.any(0)
    for place, name in enumerate(("precision", "recall", "f1", "support")):
        assert found[name].tolist() == pytest.approx(by_label[place][some].tolist())
