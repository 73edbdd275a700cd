"""Accuracy when symbols are hidden."""

from __future__ import annotations

import pytest

from esetrag.analysis import masking
from esetrag.models.blend import Blend
from esetrag.symbols.encoding import Encoded

pytestmark = pytest.mark.usefixtures("single_thread")


def test_with_all_symbols_every_prediction_is_correct_and_with_none_hardly_any(
    tiny_network: Blend, tiny_encoded: Encoded
) -> None:
    found = masking.curve(tiny_network, tiny_encoded, 99, 1)
    assert found["symbols"].tolist() == list(range(9))
    assert (found["forms"] == 84).all()
    assert found["without_last"].iloc[0] > 0.95, "nothing is hidden"
    assert found["only_last"].iloc[0] < 0.5, "everything is"
    # The suffixes of the tiny rows have three symbols at most, the stems three or more.
    assert found["without_last"].iloc[3] < 0.5
    assert found["only_last"].iloc[4] > 0.8
    assert found["only_last"].iloc[8] >= found["only_last"].iloc[1]


def test_of_many_rows_a_sample_is_drawn_that_does_not_change(
    tiny_network: Blend, tiny_encoded: Encoded
) -> None:
    found = masking.curve(tiny_network, tiny_encoded, 99, 1, most=40)
    assert (found["forms"] == 40).all()
    assert found.equals(masking.curve(tiny_network, tiny_encoded, 99, 1, most=40))
