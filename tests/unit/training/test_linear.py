from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.linear_model import LogisticRegression

from esetrag.core.config import Head, NgramModel, Params, Train
from esetrag.models.ngram import ABSENT, NgramClassifier, hashes
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import linear
from esetrag.training.augmentation import Analogies
from esetrag.training.data import Data
from esetrag.training.loop import Loop
from tests.samples import CPU, NO_LEMMAS, subset

ROWS = 84

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def options(params: Params) -> Train:
    return params.train.model_copy(update={"analogies": 5 * ROWS})


@pytest.fixture
def analogies(tiny_data: Data) -> Analogies:
    assert tiny_data.split
    return Analogies(tiny_data.split, tiny_data.vocabulary, "end")


def shape(params: Params, **changed: Any) -> NgramModel:
    usual = {"longest": 6, "iterations": 200, "penalty": 0.2}
    return NgramModel.model_validate(params.models["ngram"].model_dump() | usual | changed)


def fitted(rows: Encoded, vocabulary: Vocabulary, model: NgramModel, options: Train) -> NgramClassifier:
    """A fit that ends at its last iteration: without dev rows none is better than the last."""
    data = Data(rows, subset(rows, []), vocabulary, NO_LEMMAS)
    network = linear.fit(data, model, options, None, Loop(Batch.of(data.dev, CPU)))
    assert isinstance(network, NgramClassifier)
    return network


def weighted(rows: Encoded) -> Encoded:
    weights = np.random.default_rng(2).random(len(rows)).astype(np.float32) + 0.5
    return Encoded(rows.ids, rows.lengths, rows.targets, weights)


def objective(network: NgramClassifier, rows: Batch, penalty: float) -> float:
    """What the fit makes small, in nats."""
    losses = network.loss(network(rows), rows.target)
    return float(((rows.weight * losses).sum() + penalty / 2 * network.weight.square().sum()).detach())


@pytest.mark.parametrize("prefixes", [True, False])
@pytest.mark.parametrize("penalty", [0.1, 3.0])
@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_the_fit_reaches_the_optimum_that_scikit_learn_finds(
    tiny_syncretic: Encoded,
    tiny_vocabulary: Vocabulary,
    params: Params,
    options: Train,
    head: Head,
    penalty: float,
    prefixes: bool,
) -> None:
    rows = weighted(tiny_syncretic)  # a form without an ending has two labels
    model = shape(params, head=head, penalty=penalty, prefixes=prefixes)
    ours = fitted(rows, tiny_vocabulary, model, options)
    batch = Batch.of(rows, CPU)
    row, column = np.nonzero(places := ours.places(batch.source).numpy())
    counts = scipy.sparse.csr_matrix((np.ones(len(row)), (row, places[row, column] - 1)))
    best = NgramClassifier(ours.grams, ours.labels, model)
    best.bias.data.fill_(-50.0)  # of labels that no row has
    for labels in [np.flatnonzero(rows.targets.any(0))] if head == "softmax" else [[n] for n in range(7)]:
        if head == "softmax":  # each label of a row is a row of its own, of an equal part of the weight
            at, label = np.nonzero(rows.targets)
            share = (rows.weights / rows.targets.sum(1))[at]
        else:
            at, label, share = np.arange(len(rows)), rows.targets[:, labels[0]].astype(int), rows.weights
            if not label.any():
                continue
        theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=10_000)
        theirs.fit(counts[at], label, sample_weight=share)
        best.weight.data[1:, labels] = torch.from_numpy(theirs.coef_.T).float()
        best.bias.data[labels] = torch.from_numpy(theirs.intercept_).float()
    least, reached = objective(best, batch, penalty), objective(ours, batch, penalty)
    assert reached == pytest.approx(least, rel=2e-3)
    assert reached > least * (1 - 1e-3), "nothing is below the optimum"


def test_a_heavier_penalty_makes_lighter_weights(tiny_data: Data, params: Params, options: Train) -> None:
    def size(penalty: float) -> float:
        network = fitted(tiny_data.train, tiny_data.vocabulary, shape(params, penalty=penalty), options)
        return float(network.weight.detach().norm())

    assert size(0.01) > 1.5 * size(0.2) > 3 * size(10.0) > 0


def test_the_bias_is_not_penalised(tiny_data: Data, params: Params, options: Train) -> None:
    rows = tiny_data.train
    weights = np.where(rows.targets[:, 3], 5, 1).astype(np.float32)
    often = Encoded(rows.ids, rows.lengths, rows.targets, weights)
    bias = fitted(often, tiny_data.vocabulary, shape(params, penalty=1e4), options).bias.detach()
    expected = torch.log(torch.tensor(weights @ rows.targets))
    torch.testing.assert_close(bias - bias.mean(), expected - expected.mean(), rtol=0, atol=0.02)


def test_a_row_of_weight_two_is_two_rows(tiny_data: Data, params: Params, options: Train) -> None:
    rows, twice = tiny_data.train, np.arange(ROWS) % 3 == 0
    heavier = Encoded(rows.ids, rows.lengths, rows.targets, (1 + twice).astype(np.float32))
    longer = subset(rows, [*range(ROWS), *np.flatnonzero(twice)])
    one, other = (
        fitted(some, tiny_data.vocabulary, shape(params, iterations=3), options) for some in (heavier, longer)
    )
    torch.testing.assert_close(one.weight, other.weight, rtol=1e-3, atol=1e-4)


def test_n_grams_of_little_weight_have_none(tiny_data: Data, params: Params) -> None:
    rows = Batch.of(tiny_data.train, CPU)
    real = linear.untrained(rows, 7, shape(params))
    hashed = hashes(rows.source, 6, prefixes=True)
    assert real.grams.tolist() == [number for number in hashed.unique().tolist() if number != ABSENT]
    light = Batch(rows.source, rows.target, torch.full((ROWS,), linear.FEWEST / 2))
    few = linear.untrained(light, 7, shape(params)).grams
    numbers, counts = hashed.unique(return_counts=True)
    assert few.tolist() == numbers[(counts > 1) & (numbers != ABSENT)].tolist()


def test_forms_by_analogy_weigh_as_much_as_the_rows(
    tiny_data: Data, analogies: Analogies, options: Train
) -> None:
    rows = Batch.of(weighted(tiny_data.train), CPU)
    more = linear.augmented(rows, analogies, options)
    assert len(more) == 6 * ROWS
    assert float(more.weight[ROWS:].sum()) == pytest.approx(float(rows.weight.sum()), rel=1e-4)
    assert torch.equal(more.weight[:ROWS], rows.weight)
    assert torch.equal(more.source.ids[:ROWS], rows.source.ids)
    assert torch.equal(more.target, rows.target.repeat(6, 1))
    assert len({part.numpy().tobytes() for part in more.source.ids.split(ROWS)}) == 6


@pytest.mark.parametrize(("wanted", "rounds"), [(0, 0), (ROWS - 1, 0), (3 * ROWS - 1, 2)])
def test_no_more_forms_are_made_than_wanted(
    tiny_data: Data, analogies: Analogies, options: Train, wanted: int, rounds: int
) -> None:
    rows = Batch.of(tiny_data.train, CPU)
    some = options.model_copy(update={"analogies": wanted})
    assert len(linear.augmented(rows, analogies, some)) == (1 + rounds) * ROWS
    assert linear.augmented(rows, None, options) is rows
