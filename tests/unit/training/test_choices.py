"""What dev decides: analogies, prefixes, and how much each expert of a blend counts."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from esetrag.core.config import Params
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.symbols.batch import Batch
from esetrag.training import blending
from esetrag.training.augmentation import Analogies
from esetrag.training.choices import Choices, choose
from esetrag.training.data import Data
from tests.project import CASES
from tests.samples import CPU, Fixed, table
from tests.unit.training.small import data_of, options_of

pytestmark = pytest.mark.usefixtures("single_thread")

STEMS = ["".join(letters) for letters in product("bdfgk", "aáoó", "rlds", "aeiou")]
CASE_ROWS = [(stem, stem + ending, case) for case, ending in CASES.items() for stem in STEMS[::5]]
VOWEL_ROWS = [(stem, stem + "n", stem[1]) for stem in STEMS]
"""The label goes with the stem, not with what the row does to its lemma: analogies mislead."""
FIRST_ROWS = [(stem, stem + "n", stem[0]) for stem in STEMS]


def chosen(params: Params, rows: list[tuple[str, str, str]], prefixes: bool = False) -> Choices:
    dev = [row for number, row in enumerate(rows) if number % 3]
    data = data_of(table(rows[::3]), table(dev))
    assert data.split
    options = options_of(params, analogies=3000)
    return choose(data, "softmax", options, Analogies(data.split, data.vocabulary, "end"), prefixes)


def test_analogies_are_used_unless_dev_shows_that_they_mislead(params: Params) -> None:
    assert chosen(params, CASE_ROWS).analogies
    assert not chosen(params, VOWEL_ROWS).analogies


def test_prefixes_are_used_where_dev_shows_that_they_help_and_a_model_has_them(params: Params) -> None:
    assert chosen(params, FIRST_ROWS, prefixes=True).prefixes
    assert not chosen(params, FIRST_ROWS, prefixes=False).prefixes
    assert not chosen(params, CASE_ROWS, prefixes=True).prefixes


def test_without_dev_rows_or_analogies_the_usual_is_chosen(params: Params) -> None:
    data = data_of(table(VOWEL_ROWS), table([]))
    assert data.split
    analogies = Analogies(data.split, data.vocabulary, "end")
    options = options_of(params, analogies=3000)
    assert choose(data, "softmax", options, analogies, True) == Choices(analogies=True, prefixes=False)
    assert choose(data, "softmax", options, None, True) == Choices(analogies=False, prefixes=False)


ROWS, LABELS = 400, 5


def expert(accuracy: float, seed: int, sharpness: float = 4.0) -> tuple[Fixed, Tensor]:
    """A network that prefers the correct label of such a share of the rows, and noise."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(ROWS) % LABELS
    wrong = torch.randint(LABELS, (ROWS,), generator=generator)
    top = torch.where(torch.rand(ROWS, generator=generator) < accuracy, label, wrong)
    noise = torch.randn(ROWS, LABELS, generator=generator)
    return Fixed(sharpness * torch.nn.functional.one_hot(top, LABELS) + noise), label


@pytest.fixture
def dev(tiny_data: Data) -> Batch:
    """Rows of the labels that experts are asked for."""
    at = torch.arange(ROWS) % len(tiny_data.train)
    rows = Batch.of(tiny_data.train, CPU)[at]
    target = torch.nn.functional.one_hot(torch.arange(ROWS) % LABELS, LABELS).bool()
    return Batch(rows.source, target, rows.weight)


def cost(logits: Tensor, dev: Batch) -> float:
    """Loss at the temperature that suits best."""
    return min(float(Fixed(logits).loss(logits * t, dev.target).mean()) for t in np.linspace(0.1, 3, 60))


def test_a_blend_loses_no_more_than_its_best_expert_or_their_average(dev: Batch) -> None:
    experts = [expert(accuracy, seed)[0] for seed, accuracy in enumerate((0.9, 0.8, 0.7))]
    blend, used = blending.blend(experts, None, dev)
    assert used == [0, 1, 2]
    assert bool((blend.weights > 0).all())
    others = [network.logits for network in experts]
    others.append(torch.stack(others).sum(0))
    assert cost(blend(dev), dev) <= min(cost(logits, dev) for logits in others) + 1e-3


def test_an_expert_that_misleads_is_left_out(dev: Batch) -> None:
    useful, label = expert(0.95, 1)
    wrong = Fixed(6 * torch.nn.functional.one_hot((label + 1) % LABELS, LABELS).float())
    blend, used = blending.blend([useful, wrong], None, dev)
    assert used == [0]
    assert len(blend.experts) == len(blend.weights) == 1
    torch.testing.assert_close(blend(dev), blend.weights[0] * useful.logits)


def test_an_expert_that_knows_nothing_hardly_counts(dev: Batch) -> None:
    blend, used = blending.blend([expert(0.95, 1)[0], expert(0.0, 2)[0]], None, dev)
    ignored = float(blend.weights[1]) if 1 in used else 0.0
    assert ignored < 0.1 < float(blend.weights[0])


def test_the_same_rows_give_the_same_weights_rounded(dev: Batch) -> None:
    experts = [expert(0.9, 1)[0], expert(0.8, 2)[0]]
    first, second = (blending.blend(experts, None, dev)[0].weights for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal((first * 10_000).round() / 10_000, first)


@pytest.mark.parametrize("labels", [0, 1], ids=["no row", "no known label"])
def test_where_dev_tells_nothing_experts_are_averaged_and_the_prior_counts_in_full(
    tiny_data: Data, labels: int
) -> None:
    assert tiny_data.split
    rows = Batch.of(tiny_data.train, CPU)[:]
    unknown = Batch(rows.source, torch.zeros_like(rows.target), rows.weight)
    dev = unknown if labels else Batch.of(data_of(table(CASE_ROWS), table([])).dev, CPU)
    prior = LemmaPrior.fit(tiny_data.split, rows.target, "softmax")
    networks = [Fixed(torch.randn(len(rows), 7)), Fixed(torch.randn(len(rows), 7))]
    blend, used = blending.blend(networks, prior, dev)
    assert used == [0, 1, 2]
    assert blend.weights.tolist() == [0.5, 0.5, 1.0]


def test_a_single_classifier_counts_in_full(dev: Batch) -> None:
    blend, used = blending.blend([expert(0.2, 1)[0]], None, dev)
    assert (used, blend.weights.tolist()) == ([0], [1.0])
