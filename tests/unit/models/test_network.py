from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from esetrag.core.config import Head
from esetrag.models import network
from esetrag.models.blend import Blend
from esetrag.models.network import score
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from tests.samples import CPU, Fixed, subset

TARGETS = torch.tensor([[True, True, False], [False, False, True], [False, False, False]])
LOGITS = torch.tensor([[2.0, 1.0, -1.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])


def losses(head: Head, logits: Tensor = LOGITS, smoothing: float = 0.0) -> Tensor:
    return Fixed(LOGITS, head).loss(logits, TARGETS, smoothing)


def test_labels_share_one_probability_or_have_one_each() -> None:
    shared, own = Fixed(LOGITS, "softmax"), Fixed(LOGITS, "sigmoid")
    assert shared.distribution(TARGETS).tolist() == [[0.5, 0.5, 0], [0, 0, 1], [0, 0, 0]]
    assert own.distribution(TARGETS).tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert shared.probabilities(LOGITS).sum(1).tolist() == pytest.approx([1, 1, 1])
    assert own.probabilities(LOGITS)[2].tolist() == [0.5, 0.5, 0.5]


def test_the_loss_is_torchs_cross_entropy() -> None:
    logs = torch.log_softmax(LOGITS, 1)
    expected = [-float(logs[0, :2].mean()), -float(logs[1, 2]), 0]  # no known label, no loss
    assert losses("softmax").tolist() == pytest.approx(expected, rel=1e-5)
    each = functional.binary_cross_entropy_with_logits(LOGITS, TARGETS.float(), reduction="none")
    torch.testing.assert_close(losses("sigmoid"), each.sum(1))


def test_label_smoothing_moves_the_target_towards_even_odds() -> None:
    smoothed = torch.where(TARGETS, 0.95, 0.05)
    each = functional.binary_cross_entropy_with_logits(LOGITS, smoothed, reduction="none")
    torch.testing.assert_close(losses("sigmoid", smoothing=0.1), each.sum(1))
    expected = functional.cross_entropy(LOGITS[1:2], torch.tensor([2]), label_smoothing=0.1)
    assert float(losses("softmax", smoothing=0.1)[1]) == pytest.approx(float(expected))


def test_a_word_is_correct_if_its_top_label_is_one_of_its_own() -> None:
    assert Fixed(LOGITS).correct(LOGITS, TARGETS).tolist() == [True, False, False]


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_scores_are_in_the_order_of_the_rows_and_without_dropout(
    monkeypatch: pytest.MonkeyPatch, tiny_network: Blend, tiny_encoded: Encoded, at_once: int
) -> None:
    rows = Batch.of(tiny_encoded, CPU)
    expected = tiny_network.eval()(rows[:])
    monkeypatch.setattr(network, "AT_ONCE", at_once)
    torch.testing.assert_close(score(tiny_network.train(), rows), expected, rtol=1e-5, atol=1e-5)


def test_no_rows_have_no_scores(tiny_network: Blend, tiny_encoded: Encoded) -> None:
    assert score(tiny_network, Batch.of(subset(tiny_encoded, []), CPU)).shape == (0, 7)


def test_a_blend_adds_weighted_logits(tiny_encoded: Encoded) -> None:
    rows = Batch.of(tiny_encoded, CPU)[:3]
    blend = Blend([Fixed(LOGITS), Fixed(LOGITS.flip(1))], torch.tensor([0.5, 2.0]))
    torch.testing.assert_close(blend(rows), 0.5 * LOGITS + 2 * LOGITS.flip(1))
    assert blend.is_sound()
    blend.weights[0] = -0.1
    assert not blend.is_sound()
