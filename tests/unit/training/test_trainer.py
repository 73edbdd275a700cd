from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from esetrag.core import config, tables
from esetrag.core.errors import TrainingError
from esetrag.scoring import calibration
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import history, trainer
from esetrag.training.history import Epoch
from esetrag.training.trainer import Trained

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def how(given: config.Params) -> config.Train:
    return given.train.model_copy(update={"device": "cpu", "threads": 1, "epochs": 3, "batch_size": 16})


@pytest.fixture
def fit(
    train: Encoded, dev: Encoded, tiny_vocabulary: Vocabulary, tiny_model: config.Model, how: config.Train
) -> Any:
    """Trains with some parameters changed."""

    def run(rows: Encoded = train, dev_rows: Encoded = dev, **changed: Any) -> Trained:
        wanted = config.Train.model_validate(how.model_dump() | changed)
        return trainer.fit(rows, dev_rows, tiny_vocabulary, tiny_model, wanted)

    return run


def same_weights(one: Trained, other: Trained) -> bool:
    pairs = zip(one.network.state_dict().values(), other.network.state_dict().values(), strict=True)
    return all(torch.equal(weight, twin) for weight, twin in pairs)


def some(rows: Encoded, kept: list[int], targets: Any = None) -> Encoded:
    changed = rows.targets[kept] if targets is None else targets
    return Encoded(rows.ids[kept], rows.lengths[kept], changed, rows.keep)


def test_the_same_seed_gives_the_same_weights_to_the_bit(fit: Any) -> None:
    one = fit()
    torch.rand(17)
    np.random.default_rng().random()
    other = fit()
    assert same_weights(one, other)
    assert one.epochs == other.epochs


def test_another_seed_gives_other_weights(fit: Any) -> None:
    assert not same_weights(fit(epochs=1), fit(epochs=1, seed=2))


def test_training_leaves_the_callers_chance_alone(fit: Any) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    fit(epochs=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_history_begins_with_a_network_about_as_good_as_chance(fit: Any) -> None:
    epochs = fit(epochs=2).epochs
    assert [row.epoch for row in epochs] == [0, 1, 2]
    chance = math.log(7)
    assert epochs[0].train_loss == pytest.approx(chance, rel=0.1)
    assert epochs[0].dev_loss == pytest.approx(chance, rel=0.1)
    assert epochs[0].dev_accuracy < 0.5
    assert epochs[0].learning_rate == 0


def test_every_epoch_is_told_when_it_ends(
    train: Encoded, dev: Encoded, tiny_vocabulary: Vocabulary, tiny_model: config.Model, how: config.Train
) -> None:
    told: list[Epoch] = []
    trained = trainer.fit(train, dev, tiny_vocabulary, tiny_model, how, listeners=[told.append])
    assert told == trained.epochs
    assert len(told) == how.epochs + 1


def test_a_suffix_task_is_learnt_in_few_epochs(
    tiny_vocabulary: Vocabulary, tiny_model: config.Model, how: config.Train
) -> None:
    chance = np.random.default_rng(1)
    suffixes = {"ACC": "t", "DAT": "nak", "IN+ESS": "ban", "IN+ALL": "ba", "ON+ALL": "ra"}
    stems = ["".join(chance.choice(list("abcdefgiklmorsz"), size=5)) for _ in range(80)]
    rows = [
        (stem, stem + suffix, f"N;{label};SG", label) for stem in stems for label, suffix in suffixes.items()
    ]
    table = tables.sample(*zip(*rows, strict=True))
    encoded = encoding.encode_rows(table, tiny_vocabulary, 11, "end")
    train, dev = some(encoded, list(range(300))), some(encoded, list(range(300, 400)))
    wanted = how.model_copy(update={"epochs": 6, "learning_rate": 0.02})
    trained = trainer.fit(train, dev, tiny_vocabulary, tiny_model, wanted)
    assert history.best(trained.epochs).dev_accuracy > 0.95
    assert trained.device == "cpu"


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_the_best_epochs_weights_are_kept(fit: Any, dev: Encoded, schedule: str) -> None:
    # What is learnt of the true labels makes the loss on shifted ones worse.
    shifted = some(dev, list(range(len(dev))), np.roll(dev.targets, -1, axis=0))
    trained = fit(dev_rows=shifted, epochs=8, learning_rate=0.02, schedule=schedule)
    best = history.best(trained.epochs)
    assert 0 < best.epoch < 8
    assert best.dev_loss < trained.epochs[-1].dev_loss
    assert trainer.measure(trained.network, Batch.of(shifted, CPU)) == (best.dev_loss, best.dev_accuracy)


def test_training_stops_when_the_dev_loss_has_not_fallen_for_long(fit: Any) -> None:
    wild = {"learning_rate": 0.2, "schedule": "constant", "clip": None}
    whole, stopped = fit(epochs=15, **wild), fit(epochs=15, patience=2, **wild)
    last = stopped.epochs[-1].epoch
    assert last < 15
    assert last - history.best(stopped.epochs).epoch == 2
    assert stopped.epochs == whole.epochs[: last + 1]


def test_training_does_not_stop_while_the_dev_loss_falls(fit: Any) -> None:
    trained = fit(epochs=4, patience=1, learning_rate=0.002, schedule="constant")
    losses = [row.dev_loss for row in trained.epochs]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 5


def test_one_cycle_rises_to_the_learning_rate_and_falls_to_nothing(fit: Any) -> None:
    rates = [row.learning_rate for row in fit(epochs=10, learning_rate=0.01).epochs[1:]]
    top = rates.index(max(rates))
    assert rates[0] == pytest.approx(0.01 / 25)
    assert max(rates) == pytest.approx(0.01, rel=0.02)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.001


def test_a_constant_rate_stays(fit: Any) -> None:
    rates = [row.learning_rate for row in fit(schedule="constant", learning_rate=0.003).epochs[1:]]
    assert rates == [0.003] * 3


def test_dev_labels_unseen_in_training_count_as_misread(fit: Any, dev: Encoded) -> None:
    none = np.zeros((7, 7), bool)
    unseen = some(dev, list(range(len(dev))), np.concatenate([none, dev.targets[7:]]))
    known = some(dev, list(range(7, len(dev))))
    one, other = fit(dev_rows=unseen), fit(dev_rows=known)
    for row, expected in zip(one.epochs, other.epochs, strict=True):
        assert row.dev_loss == pytest.approx(expected.dev_loss, rel=1e-5)
        assert row.dev_accuracy == pytest.approx(expected.dev_accuracy * len(known) / len(unseen))


def test_training_goes_on_where_no_dev_label_is_known(fit: Any, dev: Encoded) -> None:
    epochs = fit(dev_rows=some(dev, [0, 1], np.zeros((2, 7), bool))).epochs
    assert {(row.dev_loss, row.dev_accuracy) for row in epochs} == {(0.0, 0.0)}


def test_loss_and_accuracy_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]) + 1e-12)
    targets = torch.tensor([[False, True, False], [True, False, False], [False, False, False]])
    loss, accuracy = trainer.loss_and_accuracy(logits, targets, "softmax")
    assert loss == pytest.approx(-(math.log(0.5) + math.log(0.9)) / 2, abs=1e-5)
    assert accuracy == pytest.approx(1 / 3)


def test_loss_and_accuracy_of_forms_of_several_values_by_hand() -> None:
    shares = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    targets = torch.tensor([[True, True, False], [True, True, False]])
    loss, accuracy = trainer.loss_and_accuracy(torch.log(shares), targets, "softmax")
    expected = -(math.log(0.6) + math.log(0.3) + math.log(0.1) + math.log(0.2)) / 4
    assert loss == pytest.approx(expected, abs=1e-5)
    assert accuracy == 0.5
    loss, accuracy = trainer.loss_and_accuracy(torch.logit(shares), targets, "sigmoid")
    expected = -math.log(0.6 * 0.3 * 0.9 * 0.1 * 0.2 * 0.3) / 2
    assert loss == pytest.approx(expected, abs=1e-5)
    assert accuracy == 0.5


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"batch_size": 10_000}, list(range(70))),
        ({"batch_size": 1}, list(range(5))),
        ({}, [3]),
        ({"epochs": 1}, [3]),
        ({"epochs": 1, "batch_size": 69}, list(range(70))),
        ({"schedule": "constant", "shuffle": False, "clip": None}, list(range(20))),
        ({"label_smoothing": 0.0, "weight_decay": 0.0}, list(range(20))),
    ],
)
def test_any_sizes_train(fit: Any, train: Encoded, changed: dict[str, Any], kept: list[int]) -> None:
    trained = fit(rows=some(train, kept), **changed)
    assert len(trained.epochs) == changed.get("epochs", 3) + 1
    assert all(bool(torch.isfinite(weight).all()) for weight in trained.network.parameters())


def test_one_label_trains(tiny_model: config.Model, how: config.Train) -> None:
    vocabulary = Vocabulary.build(["ab", "ba"], ["NOM"])
    ids, lengths = encoding.encode(pa.chunked_array([["ab", "ba"]]), vocabulary, 5, "end")
    rows = Encoded(ids, lengths, np.ones((2, 1), bool))
    trained = trainer.fit(rows, rows, vocabulary, tiny_model, how)
    assert {(row.dev_loss, row.dev_accuracy) for row in trained.epochs} == {(0.0, 1.0)}


def test_shuffling_changes_the_course(fit: Any) -> None:
    assert not same_weights(fit(epochs=1, shuffle=False), fit(epochs=1, shuffle=True))


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_a_loss_that_is_no_number_ends_the_training_with_the_mend(fit: Any, schedule: str) -> None:
    with pytest.raises(TrainingError, match=r"no longer a number in epoch \d; lower train.learning_rate"):
        fit(learning_rate=1e30, schedule=schedule)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:3", "mps"])
def test_a_device_that_is_not_there_is_told_before_training(fit: Any, device: str) -> None:
    with pytest.raises(TrainingError) as caught:
        fit(device=device)
    assert str(caught.value) == (
        f"params.yaml: train.device: no {device} on this machine; auto would take cpu"
    )


@pytest.mark.usefixtures("no_gpu")
def test_auto_is_the_cpu_where_there_is_no_gpu(fit: Any) -> None:
    assert trainer.choose_device("auto") == CPU
    assert same_weights(fit(epochs=1, device="auto"), fit(epochs=1, device="cpu"))


def test_a_second_gpu_is_told_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(TrainingError, match="no cuda:1 on this machine; auto would take cuda"):
        trainer.choose_device("cuda:1")


@pytest.mark.parametrize("epochs", [1, 2, 4, 7])
@pytest.mark.parametrize("kept", [3, 16, 70])
def test_a_cycle_of_any_number_of_steps_rises_and_falls(
    fit: Any, train: Encoded, epochs: int, kept: int
) -> None:
    trained = fit(rows=some(train, list(range(kept))), epochs=epochs, schedule="one-cycle")
    rates = [row.learning_rate for row in trained.epochs[1:]]
    assert all(0 < rate <= 0.0101 for rate in rates)
    assert len(rates) == epochs


def test_of_a_form_of_two_values_each_head_learns_both(
    tiny_syncretic: Encoded, tiny_vocabulary: Vocabulary, tiny_model: config.Model, how: config.Train
) -> None:
    rows = tiny_syncretic
    changed = {"epochs": 40, "batch_size": 6, "learning_rate": 0.02, "label_smoothing": 0.0}
    wanted = how.model_copy(update=changed)
    shares = {}
    for head in ("softmax", "sigmoid"):
        model = config.Model.model_validate(tiny_model.model_dump() | {"head": head, "dropout": 0.0})
        trained = trainer.fit(rows, rows, tiny_vocabulary, model, wanted)
        assert history.best(trained.epochs).dev_accuracy > 0.95
        shares[head] = calibration.probabilities(trainer.logits(trained.network, rows), trained.network.head)
    several, label = rows.targets.sum(1) == 2, tiny_vocabulary.labels.index
    both = [label("ACC"), label("NOM")]
    assert shares["softmax"].sum(1) == pytest.approx(np.ones(len(rows)), abs=1e-4)
    assert shares["softmax"][several][:, both] == pytest.approx(0.5, abs=0.2)
    assert (shares["sigmoid"][several][:, both] > 0.8).all()
    assert (shares["sigmoid"][several].sum(1) > 1.6).all()
    assert (shares["sigmoid"][~several][:, label("NOM")] < 0.2).all()
