from __future__ import annotations

import numpy as np
import pytest
import torch

from esetrag.core import config
from esetrag.models.bilstm import BiLSTM
from esetrag.symbols import batch as batch_module
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.encoding import Encoded

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def network(tiny_model: config.Model) -> BiLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return BiLSTM(40, 7, tiny_model)


def test_rows_become_tensors_of_the_same_values(tiny_encoded: Encoded) -> None:
    batch = Batch.of(tiny_encoded, CPU)
    assert batch.ids.tolist() == tiny_encoded.ids.tolist()
    assert batch.lengths.tolist() == tiny_encoded.lengths.tolist()
    assert batch.targets.tolist() == tiny_encoded.targets.tolist()
    assert (batch.ids.dtype, batch.lengths.dtype, batch.targets.dtype) == (
        torch.uint8,
        torch.int64,
        torch.bool,
    )
    assert len(batch) == len(tiny_encoded)


def test_some_rows_are_as_wide_as_the_longest_of_them(tiny_encoded: Encoded) -> None:
    batch = Batch.of(tiny_encoded, CPU)
    chosen = torch.tensor([5, 0, 3])
    some = batch[chosen]
    width = max(tiny_encoded.lengths[[5, 0, 3]])
    assert some.ids.tolist() == tiny_encoded.ids[[5, 0, 3], :width].tolist()
    assert some.lengths.tolist() == tiny_encoded.lengths[[5, 0, 3]].tolist()
    assert some.targets.tolist() == tiny_encoded.targets[[5, 0, 3]].tolist()


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_scores_stand_in_the_order_of_the_rows(
    monkeypatch: pytest.MonkeyPatch, network: BiLSTM, tiny_encoded: Encoded, at_once: int
) -> None:
    monkeypatch.setattr(batch_module, "READ_AT_ONCE", at_once)
    batch = Batch.of(tiny_encoded, CPU)
    expected = network.eval()(batch.ids.int(), batch.lengths)
    torch.testing.assert_close(score(network.train(), batch), expected, rtol=1e-5, atol=1e-6)


def test_scoring_is_without_dropout_and_repeats_to_the_bit(network: BiLSTM, tiny_encoded: Encoded) -> None:
    batch = Batch.of(tiny_encoded, CPU)
    assert torch.equal(score(network.train(), batch), score(network.train(), batch))


def test_no_rows_have_no_scores(network: BiLSTM) -> None:
    none = Encoded(np.zeros((0, 5), np.uint8), np.zeros(0, np.uint16), np.zeros((0, 7), bool))
    assert score(network, Batch.of(none, CPU)).shape == (0, 7)
