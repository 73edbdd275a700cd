"""Accuracy when symbols are hidden."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from esetrag.analysis import masking
from esetrag.models.blend import Blend
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import PAD

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


class Watching(Blend):
    """Keeps what it is given."""

    def ranked(self, batch: Batch) -> tuple[Tensor, Tensor]:
        self.ids = batch[:].source.ids.numpy()
        return torch.zeros(len(batch), 1), torch.ones(len(batch), 1, dtype=torch.bool)


def test_so_many_symbols_are_hidden_and_no_values_of_features(
    tiny_network: Blend, tiny_encoded: Encoded
) -> None:
    watching = Watching(tiny_network.networks, tiny_network.weights)
    masking.curve(watching, tiny_encoded, 99, 1)
    sizes, rows = tiny_encoded.lengths - 2, len(tiny_encoded)
    whole = (watching.ids[:rows] != PAD).sum(1)
    hidden = whole - (watching.ids.reshape(18, rows, -1) != PAD).sum(2)
    counts = np.arange(9)[:, None]
    assert np.array_equal(hidden[:9], np.minimum(counts, sizes)), "without the last k"
    assert np.array_equal(hidden[9:], np.maximum(sizes - counts, 0)), "only the last k"
    masking.curve(watching, tiny_encoded, 7, 1)
    values = tiny_encoded.ids >= 7
    assert values.any()
    for variant in watching.ids.reshape(18, rows, -1):
        assert np.array_equal(variant[values], tiny_encoded.ids[values])
