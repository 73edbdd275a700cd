from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional

from esetrag.core import config
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.ngram import ABSENT, NgramClassifier, hashes
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import linear
from esetrag.training.lbfgs import Objective

CPU = torch.device("cpu")
LABELS = 7
ROWS = 84

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def model(given: config.Params) -> config.Model:
    return given.model.model_copy(update={"kind": "ngram", "longest": 6})


@pytest.fixture
def how(given: config.Params) -> config.Train:
    return given.train.model_copy(update={"iterations": 60, "penalty": 0.2, "analogies": 5 * ROWS, "seed": 1})


@pytest.fixture
def rows(tiny_encoded: Encoded) -> Batch:
    return Batch.of(tiny_encoded, CPU)


@pytest.fixture
def analogies(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Analogies:
    return Analogies.of(tiny_rows, tiny_vocabulary)


@pytest.fixture
def more(rows: Batch, analogies: Analogies, how: config.Train) -> tuple[Batch, Tensor]:
    """The rows and five forms by analogy of each, with their weights."""
    return linear.shown(rows, analogies, "end", how)


def gold(rows: Batch) -> Tensor:
    """Ids of the labels of rows that have one each."""
    return rows.targets.int().argmax(1)


def objective(network: NgramClassifier, rows: Batch, weights: Tensor, penalty: float) -> Tensor:
    """What is to be made small, as a textbook writes it, in nats a row."""
    losses = functional.cross_entropy(network(rows.ids, rows.lengths), gold(rows), reduction="none")
    return ((weights * losses).sum() + penalty / 2 * network.weight.square().sum()) / weights.sum()


def fitted(
    rows: Batch, weights: Tensor, model: config.Model, how: config.Train
) -> tuple[NgramClassifier, list[float]]:
    """A reader and the loss at the beginning of each step."""
    network = linear.network(rows, torch.ones(len(rows)), LABELS, model)
    return network, [loss for loss, _, _ in linear.LinearFit(network, rows, weights, how)]


@pytest.mark.parametrize("penalty", [0.0, 0.2, 30.0])
def test_the_gradient_is_that_of_autograd(
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[Batch, Tensor],
    model: config.Model,
    how: config.Train,
    penalty: float,
) -> None:
    handed: list[tuple[Objective, Tensor]] = []

    class Minimiser:
        def __init__(self, objective: Objective, start: Tensor) -> None:
            self.gradient = objective(start)[1]
            handed.append((objective, start))

        def step(self) -> bool:
            return False

    monkeypatch.setattr(linear, "Lbfgs", Minimiser)
    network = linear.network(*more, LABELS, model)
    assert list(linear.LinearFit(network, *more, how.model_copy(update={"penalty": penalty}))) == []
    ((function, point),) = handed
    point.copy_(torch.randn(point.shape, generator=torch.Generator().manual_seed(1)))
    with torch.no_grad():
        network.weight[0] = 0
    value, slope = function(point)
    expected = objective(network, *more, penalty)
    theirs = torch.autograd.grad(expected, list(network.parameters()))
    assert value == pytest.approx(float(expected.detach()), rel=1e-5)
    torch.testing.assert_close(slope, torch.cat([part.ravel() for part in theirs]), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_the_gradient_of_either_head_is_that_of_autograd_for_forms_of_several_values(
    monkeypatch: pytest.MonkeyPatch,
    tiny_syncretic: Encoded,
    model: config.Model,
    how: config.Train,
    head: config.Head,
) -> None:
    handed: list[tuple[Objective, Tensor]] = []
    monkeypatch.setattr(linear, "Lbfgs", lambda *given: handed.append(given))
    rows = Batch.of(tiny_syncretic, CPU)
    weights = torch.rand(len(rows), generator=torch.Generator().manual_seed(2)) + 0.5
    network = linear.network(rows, weights, LABELS, model.model_copy(update={"head": head}))
    linear.LinearFit(network, rows, weights, how.model_copy(update={"penalty": 0.2}))
    ((function, point),) = handed
    point.copy_(torch.randn(point.shape, generator=torch.Generator().manual_seed(1)))
    with torch.no_grad():
        network.weight[0] = 0
    value, slope = function(point)
    logits, borne = network(rows.ids, rows.lengths), rows.targets.float()
    if head == "softmax":
        losses = -(torch.log_softmax(logits, 1) * borne).sum(1) / borne.sum(1)
    else:
        losses = -functional.logsigmoid(torch.where(rows.targets, logits, -logits)).sum(1)
    expected = ((weights * losses).sum() + 0.1 * network.weight.square().sum()) / weights.sum()
    theirs = torch.autograd.grad(expected, list(network.parameters()))
    assert value == pytest.approx(float(expected.detach()), rel=1e-5)
    torch.testing.assert_close(slope, torch.cat([part.ravel() for part in theirs]), rtol=1e-4, atol=1e-7)


def test_the_first_loss_and_accuracy_are_those_of_no_knowledge(
    rows: Batch, model: config.Model, how: config.Train
) -> None:
    network = linear.network(rows, torch.ones(len(rows)), LABELS, model)
    loss, accuracy, rate = next(linear.LinearFit(network, rows, torch.ones(ROWS), how))
    assert loss == pytest.approx(np.log(LABELS))
    assert accuracy == pytest.approx(1 / LABELS)
    assert rate == 1


def test_the_loss_and_accuracy_of_a_step_are_those_where_it_begins(
    more: tuple[Batch, Tensor], model: config.Model, how: config.Train
) -> None:
    network = linear.network(*more, LABELS, model)
    course = linear.LinearFit(network, *more, how)
    for _ in range(4):
        before = objective(network, *more, 0.0)
        right = network(more[0].ids, more[0].lengths).argmax(1) == gold(more[0])
        loss, accuracy, _ = next(course)
        assert loss == pytest.approx(float(before.detach()), rel=1e-5)
        assert accuracy == pytest.approx(float((more[1] * right).sum() / more[1].sum()), rel=1e-5)


def test_the_objective_falls_step_by_step(
    more: tuple[Batch, Tensor], model: config.Model, how: config.Train
) -> None:
    network = linear.network(*more, LABELS, model)
    values = [float(objective(network, *more, 0.2).detach()) for _ in linear.LinearFit(network, *more, how)]
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(values))
    assert values[-1] < 0.2 * values[0]


@pytest.mark.parametrize("penalty", [0.05, 0.2, 3.0, 100.0])
def test_it_ends_at_the_optimum_that_scikit_learn_finds(
    more: tuple[Batch, Tensor], model: config.Model, how: config.Train, penalty: float
) -> None:
    ours, _ = fitted(*more, model, how.model_copy(update={"penalty": penalty}))
    best, _ = fitted(*more, model, how.model_copy(update={"iterations": 1}))  # to be overwritten
    places = ours.places(more[0].ids, more[0].lengths).numpy()
    at, column = np.nonzero(places)
    counts = scipy.sparse.csr_matrix(
        (np.ones(len(at)), (at, places[at, column] - 1)), (len(places), len(ours.grams))
    )
    theirs = LogisticRegression(C=1 / penalty, tol=1e-9, max_iter=10_000)
    theirs.fit(counts, gold(more[0]).numpy(), sample_weight=more[1].numpy())
    with torch.no_grad():
        best.weight[1:] = torch.from_numpy(theirs.coef_.T)
        best.bias.copy_(torch.from_numpy(theirs.intercept_))
    least, found = (float(objective(network, *more, penalty).detach()) for network in (best, ours))
    assert found == pytest.approx(least, rel=1e-3)
    assert found >= least * (1 - 1e-5), "nothing is below the optimum"


def test_a_heavier_penalty_makes_lighter_weights(rows: Batch, model: config.Model, how: config.Train) -> None:
    def size(penalty: float) -> float:
        some = how.model_copy(update={"penalty": penalty})
        return float(fitted(rows, torch.ones(ROWS), model, some)[0].weight.detach().norm())

    assert size(0.01) > 1.5 * size(0.2) > 3 * size(10.0) > 0


def test_the_bias_is_not_penalised(rows: Batch, model: config.Model, how: config.Train) -> None:
    often = torch.where(gold(rows) == 3, 5.0, 1.0)
    bias = fitted(rows, often, model, how.model_copy(update={"penalty": 1e4}))[0].bias.detach()
    expected = torch.log(torch.bincount(gold(rows), often))
    torch.testing.assert_close(bias - bias.mean(), (expected - expected.mean()).float(), rtol=0, atol=0.02)


def test_what_is_unseen_keeps_no_weight(
    more: tuple[Batch, Tensor], model: config.Model, how: config.Train
) -> None:
    assert not fitted(*more, model, how)[0].weight[0].any()


def test_a_row_that_counts_twice_is_two_rows(rows: Batch, model: config.Model, how: config.Train) -> None:
    twice = torch.arange(ROWS) % 3 == 0
    order = torch.cat([torch.arange(ROWS), torch.arange(ROWS)[twice]])
    network = linear.network(rows, torch.ones(len(rows)), LABELS, model)
    longer = NgramClassifier(network.grams, LABELS, model)
    weighted = linear.LinearFit(network, rows, 1.0 + twice, how)
    repeated = linear.LinearFit(longer, rows[order], torch.ones(len(order)), how)
    for _ in range(3):
        assert next(weighted) == pytest.approx(next(repeated), rel=1e-4)


def test_n_grams_seen_too_seldom_get_no_weight(rows: Batch, model: config.Model) -> None:
    weights = torch.where(torch.arange(ROWS) % 2 == 0, linear.SEEN / 4, linear.SEEN / 2)
    seen: Counter[int] = Counter()
    found = hashes(rows.ids, rows.lengths, model.longest)
    for row, weight in zip(found.tolist(), weights.tolist(), strict=True):
        seen.update({number: round(weight / linear.SEEN * 4) for number in row})
    expected = sorted(n for n, quarters in seen.items() if quarters >= 4 and n != ABSENT)
    network = linear.network(rows, weights, LABELS, model)
    assert network.grams.tolist() == expected
    assert 0 < len(expected) < len(seen)


def test_every_n_gram_of_a_real_row_gets_a_weight(rows: Batch, model: config.Model) -> None:
    found = hashes(rows.ids, rows.lengths, model.longest)
    network = linear.network(rows, torch.ones(ROWS), LABELS, model)
    assert network.grams.tolist() == [number for number in found.unique().tolist() if number != ABSENT]


def test_forms_by_analogy_weigh_as_much_as_the_rows_do(rows: Batch, more: tuple[Batch, Tensor]) -> None:
    shown, weights = more
    assert len(shown) == len(weights) == 6 * ROWS
    assert torch.equal(weights[:ROWS], torch.ones(ROWS))
    assert float(weights[ROWS:].sum()) == pytest.approx(ROWS)
    assert torch.equal(shown.ids[:ROWS], rows.ids)
    assert torch.equal(shown.lengths[:ROWS], rows.lengths)
    assert torch.equal(shown.targets, rows.targets.repeat(6, 1))
    assert shown.ids.dtype == rows.ids.dtype


def test_every_round_makes_other_forms(more: tuple[Batch, Tensor]) -> None:
    rounds = {part.numpy().tobytes() for part in more[0].ids.split(ROWS)}
    assert len(rounds) == 6


@pytest.mark.parametrize("wanted", [0, ROWS - 1, None])
def test_rows_stay_alone_where_too_few_forms_are_wanted_or_none_can_be_made(
    rows: Batch, analogies: Analogies, how: config.Train, wanted: int | None
) -> None:
    some = how.model_copy(update={"analogies": 10**6 if wanted is None else wanted})
    shown, weights = linear.shown(rows, None if wanted is None else analogies, "end", some)
    assert torch.equal(shown.ids, rows.ids)
    assert torch.equal(shown.targets, rows.targets)
    assert torch.equal(weights, torch.ones(ROWS))


def test_no_round_is_begun_that_would_make_more_forms_than_wanted(
    rows: Batch, analogies: Analogies, how: config.Train
) -> None:
    some = how.model_copy(update={"analogies": 3 * ROWS - 1})
    assert len(linear.shown(rows, analogies, "end", some)[0]) == 3 * ROWS


def test_the_seed_alone_chooses_the_forms_and_the_weights(
    rows: Batch, analogies: Analogies, model: config.Model, how: config.Train
) -> None:
    def weights(seed: int) -> bytes:
        some = how.model_copy(update={"seed": seed, "iterations": 5})
        network, _ = fitted(*linear.shown(rows, analogies, "end", some), model, some)
        return b"".join(weight.numpy().tobytes() for weight in network.state_dict().values())

    first = weights(1)
    torch.rand(3)
    np.random.default_rng().random()
    assert weights(1) == first
    assert weights(2) != first


@pytest.mark.parametrize("keep", ["end", "start"])
def test_forms_too_long_lose_the_end_that_is_not_read(
    tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, analogies: Analogies, how: config.Train, keep: Any
) -> None:
    narrow = Batch.of(encoding.encode_rows(tiny_rows, tiny_vocabulary, 6, keep), CPU)
    shown, _ = linear.shown(narrow, analogies, keep, how)
    drawn, lengths = analogies.draw(np.random.default_rng([how.seed, 0]), 6, keep)
    assert shown.ids[ROWS : 2 * ROWS].tolist() == drawn.tolist()
    assert shown.lengths[ROWS : 2 * ROWS].tolist() == lengths.tolist()
