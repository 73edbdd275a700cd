"""What rows do in a training: few and many, heavy and light, of one label or of several."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from esetrag.core.config import Params
from esetrag.models.network import score
from esetrag.scoring import calibration
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import history, trainer
from esetrag.training.data import Data
from esetrag.training.loop import measure
from tests.project import STEMS
from tests.samples import CPU, NO_LEMMAS, Fixed, subset, table
from tests.unit.training.small import Fit, both, data_of, options_of, resolved

pytestmark = pytest.mark.usefixtures("single_thread")


@both
def test_a_row_counts_by_its_weight(fit: Fit, kind: str) -> None:
    """Each word has a row of each of two labels; the heavier one decides."""
    rows = [(stem, stem, label) for stem in STEMS[:16] for label in ("A", "B")]
    for heavy, weights in (("A", [1.0, 0.1]), ("B", [0.1, 1.0])):
        data = data_of(table(rows, weights * 16), table(row for row in rows if row[2] == heavy))
        logits = score(fit(kind, data, epochs=10).network, Batch.of(data.dev, CPU))
        assert {data.vocabulary.labels[best] for best in logits.argmax(1).tolist()} == {heavy}


@both
def test_dev_rows_without_a_known_label_are_misclassified_and_have_no_loss(
    fit: Fit, split: Data, kind: str
) -> None:
    none = np.zeros((7, 7), bool)
    unseen = subset(split.dev, range(14), np.concatenate([none, split.dev.targets[7:]]))
    whole, half = (
        fit(kind, Data(split.train, dev, split.vocabulary, NO_LEMMAS)).epochs
        for dev in (unseen, subset(split.dev, range(7, 14)))
    )
    for row, expected in zip(whole, half, strict=True):
        assert row.dev_loss == pytest.approx(expected.dev_loss, rel=5e-4)
        assert row.dev_accuracy == pytest.approx(expected.dev_accuracy / 2, abs=1e-4)


@pytest.mark.parametrize("dev", [[], [0, 1]], ids=["no rows", "no known label"])
@both
def test_a_dev_set_that_tells_nothing_keeps_the_last_epoch(
    fit: Fit, split: Data, kind: str, dev: list[int]
) -> None:
    nothing = subset(split.dev, dev, np.zeros((len(dev), 7), bool))
    epochs = fit(kind, Data(split.train, nothing, split.vocabulary, NO_LEMMAS)).epochs
    assert {(epoch.dev_loss, epoch.dev_accuracy) for epoch in epochs} == {(0.0, 0.0)}
    assert history.best(epochs) == epochs[-1]


def test_loss_and_accuracy_of_a_development_set() -> None:
    logits = torch.log(torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]]))
    targets = np.array([[True, True, False], [True, True, False], [True, False, False], [False] * 3])
    rows = Batch.of(Encoded(np.ones((4, 2), np.uint8), np.full(4, 2), targets, np.ones(4, np.float32)), CPU)
    loss, accuracy = measure(Fixed(logits), rows)
    expected = (math.log(0.6 * 0.3) + math.log(0.1 * 0.2)) / 2 + math.log(0.5)
    assert loss == pytest.approx(-expected / 3, abs=1e-5)
    assert accuracy == 0.5


@pytest.mark.parametrize(
    ("changed", "rows"),
    [
        ({"batch_size": 10_000}, 70),
        ({"batch_size": 1}, 5),
        ({"epochs": 1, "batch_size": 69}, 70),
        ({"schedule": "constant", "shuffle": False, "clip": None, "label_smoothing": 0.0}, 20),
        ({}, 1),
    ],
)
@both
def test_any_number_of_rows_trains(
    fit: Fit, split: Data, kind: str, changed: dict[str, Any], rows: int
) -> None:
    data = Data(subset(split.train, range(rows)), split.dev, split.vocabulary, NO_LEMMAS)
    trained = fit(kind, data, **changed)
    assert len(trained.epochs) > 1
    assert all(bool(torch.isfinite(weight).all()) for weight in trained.network.state_dict().values())


@both
def test_a_single_label_trains(params: Params, kind: str) -> None:
    data = data_of(table([(stem, stem + "t", "NOM") for stem in STEMS[:9]]))
    trained = trainer.fit(data, resolved(params, kind, lemmas=True), options_of(params, analogies=100))
    assert {(epoch.dev_loss, epoch.dev_accuracy) for epoch in trained.epochs} == {(0.0, 1.0)}


@both
def test_a_form_of_two_labels_teaches_both_under_either_head(
    fit: Fit, tiny_syncretic: Encoded, tiny_vocabulary: Vocabulary, kind: str
) -> None:
    data = Data(tiny_syncretic, tiny_syncretic, tiny_vocabulary, NO_LEMMAS)
    options = {"epochs": 40, "batch_size": 6, "learning_rate": 0.02, "label_smoothing": 0.0}
    shape: dict[str, Any] = {"dropout": 0.0} if kind == "bilstm" else {"iterations": 40}
    several = tiny_syncretic.targets.sum(1) == 2
    two = [tiny_vocabulary.labels.index(case) for case in ("ACC", "NOM")]
    for head, least, most in (("softmax", 0.3, 0.7), ("sigmoid", 0.8, 1.0)):
        network = fit(kind, data, shape={**shape, "head": head}, **options).network
        shares = calibration.probabilities(score(network, Batch.of(data.dev, CPU)).numpy(), head)  # type: ignore[arg-type]
        assert (shares[several][:, two] > least).all()
        assert (shares[several][:, two] < most).all()
        assert (shares[~several][:, two] < 0.2).all()
