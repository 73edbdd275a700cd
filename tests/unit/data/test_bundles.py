from __future__ import annotations

import numpy as np
import pytest

from esetrag.data.bundles import features_of

LABELS = ("ACC;SG", "DAT;SG;PSS1S", "NOM;PL", "NOM;SG")
SHARES = np.array([[0.1, 0.2, 0.3, 0.4], [0.0, 1.0, 0.0, 0.0]])


def test_a_feature_has_the_probabilities_of_all_bundles_with_its_values() -> None:
    case, number, possession = features_of(LABELS, ("Case", "Number", "Possession"))
    assert case.values == ("ACC", "DAT", "NOM")
    assert case.probabilities(SHARES) == pytest.approx(np.array([[0.1, 0.2, 0.7], [0, 1, 0]]))
    assert number.probabilities(SHARES) == pytest.approx(np.array([[0.3, 0.7], [0, 1]]))
    assert possession.values == ("PSS1S", "_"), "absent is a value"
    values, shares = case.ranked(SHARES, "softmax", 2)
    assert values.tolist() == [["NOM", "DAT"], ["DAT", "ACC"]]
    assert shares[0] == pytest.approx([0.7, 0.2])


def test_with_probabilities_of_their_own_a_value_has_that_of_any_bundle() -> None:
    _, number = features_of(LABELS, ("Case", "Number"))
    shares = number.probabilities(np.array([[0.5, 0.5, 0.25, 0.0], [1.0, 1.0, 0.0, 0.0]]), "sigmoid")
    assert shares == pytest.approx(np.array([[0.25, 0.75], [0.0, 1.0]]))


def test_a_form_has_the_values_of_all_its_bundles() -> None:
    case, number = features_of([*LABELS, "GEN;DU"], ("Case", "Number"))
    targets = np.array([[True, False, True, False, False], [False, False, False, False, True]])
    assert case.true(targets).tolist() == [[True, False, False, True], [False, False, True, False]]
    assert number.true(targets).tolist() == [[False, True, True], [True, False, False]]
    known = case.probabilities(SHARES)  # of a model that does not know the last bundle
    assert known[0] == pytest.approx([0.1, 0.2, 0.0, 0.7])


def test_features_without_any_value_are_not_there() -> None:
    assert [feature.name for feature in features_of(LABELS, ("Tense", "Number", "Case"))] == [
        "Number",
        "Case",
    ]
