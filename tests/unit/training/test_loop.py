"""Loss and accuracy on some rows."""

from __future__ import annotations

import math

import pytest
import torch

from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import BOS, EOS
from esetrag.training.history import Epoch
from esetrag.training.loop import Loop, measure
from tests.samples import Fixed


def rows(*targets: list[bool]) -> Batch:
    ids = torch.tensor([[BOS, 4, EOS]] * len(targets))
    lengths = torch.full((len(targets),), 3)
    return Batch(Sequences(ids, lengths), torch.tensor(targets).reshape(-1, 2), torch.ones(len(targets)))


def test_a_row_without_a_known_label_has_no_loss_and_is_misclassified() -> None:
    network = Fixed(torch.tensor([[0.0, math.log(3)]] * 3))
    loss, accuracy = measure(network, rows([False, True], [True, False], [False, False]))
    assert loss == pytest.approx(-(math.log(3 / 4) + math.log(1 / 4)) / 2)
    assert accuracy == pytest.approx(1 / 3)


def test_no_rows_and_no_known_label_have_no_loss() -> None:
    network = Fixed(torch.zeros(1, 2))
    assert measure(network, rows([False, False])) == (0, 0)
    assert measure(network, rows()) == (0, 0)


@pytest.mark.parametrize(
    ("losses", "is_over"),
    [
        ((0.3, 0.5, 0.505, 0.503), True),  # no lower one, however near
        ((0.3, 0.5, 0.505, 0.499), False),
        ((0.3, 0.5, 0.5, 0.5), True),  # equal is not lower
        ((0.3, 0.5, 0.6), False),
    ],
)
def test_patience_counts_from_the_epoch_of_the_lowest_dev_loss(
    losses: tuple[float, ...], is_over: bool
) -> None:
    loop = Loop(rows(), patience=2)
    loop.epochs = [Epoch(number, 1.0, 0.5, loss, 0.5, 0.01) for number, loss in enumerate(losses)]
    assert loop.is_over == is_over
    loop.patience = None
    assert not loop.is_over
