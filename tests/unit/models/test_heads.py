from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from esetrag.core.config import Head
from esetrag.models import heads

TARGETS = torch.tensor([[True, True, False], [False, False, True], [False, False, False]])
LOGITS = torch.tensor([[2.0, 1.0, -1.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])


def test_the_values_of_a_form_share_the_truth_or_have_one_each() -> None:
    assert heads.truth(TARGETS, "softmax").tolist() == [[0.5, 0.5, 0], [0, 0, 1], [0, 0, 0]]
    assert heads.truth(TARGETS, "sigmoid").tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_a_distribution_sums_to_one_and_probabilities_of_values_need_not() -> None:
    assert heads.probabilities(LOGITS, "softmax").sum(1).tolist() == pytest.approx([1, 1, 1])
    assert heads.probabilities(LOGITS, "sigmoid")[2].tolist() == [0.5, 0.5, 0.5]


def test_the_loss_of_one_value_is_the_cross_entropy_of_its_label() -> None:
    found = heads.losses(LOGITS, heads.truth(TARGETS, "softmax"), "softmax")
    assert found[1].item() == pytest.approx(functional.cross_entropy(LOGITS[1:2], torch.tensor([2])).item())
    assert found[2].item() == 0  # a form without a known value costs nothing


def test_the_loss_of_two_values_is_least_where_each_has_half() -> None:
    wanted = heads.truth(TARGETS[:1], "softmax")
    even = heads.losses(torch.tensor([[5.0, 5.0, -5.0]]), wanted, "softmax")
    assert even.item() == pytest.approx(0.6932, abs=1e-3)
    assert heads.losses(torch.tensor([[6.0, 4.0, -5.0]]), wanted, "softmax") > even


def test_the_loss_of_values_by_themselves_is_a_sum_over_them() -> None:
    found = heads.losses(LOGITS, heads.truth(TARGETS, "sigmoid"), "sigmoid")
    one = functional.binary_cross_entropy(
        torch.sigmoid(LOGITS[0]), torch.tensor([1.0, 1.0, 0.0]), reduction="sum"
    )
    assert found[0].item() == pytest.approx(one.item())


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_smoothing_punishes_being_sure(head: Head) -> None:
    wanted = heads.truth(TARGETS[1:2], head)
    sure, very = torch.tensor([[-4.0, -4.0, 4.0]]), torch.tensor([[-40.0, -40.0, 40.0]])
    assert heads.losses(very, wanted, head, 0.1) > heads.losses(sure, wanted, head, 0.1)
    assert heads.losses(very, wanted, head) < heads.losses(sure, wanted, head)


def test_a_form_is_read_right_if_its_likeliest_value_is_one_of_its_own() -> None:
    assert heads.right(LOGITS, TARGETS).tolist() == [True, False, False]
