"""What training does with ``model.kind: ngram``; ``test_training`` has the older kind and the rest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from esetrag.core import config
from esetrag.core.errors import TrainingError
from esetrag.models.lemma_prior import analogy
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.ngram import NgramClassifier
from esetrag.scoring import calibration
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Unit, Vocabulary
from esetrag.training import history, trainer
from esetrag.training.history import Epoch
from esetrag.training.trainer import Trained

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def model(given: config.Params) -> config.Model:
    return given.model.model_copy(update={"kind": "ngram", "lemmas": 0.0})


@pytest.fixture
def how(given: config.Params) -> config.Train:
    changed = {"device": "cpu", "threads": 1, "iterations": 6, "analogies": 0}
    return given.train.model_copy(update=changed)


@pytest.fixture
def analogies(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Analogies:
    return Analogies.of(tiny_rows.slice(0, 70), tiny_vocabulary)


@pytest.fixture
def fit(
    train: Encoded,
    dev: Encoded,
    analogies: Analogies,
    tiny_vocabulary: Vocabulary,
    model: config.Model,
    how: config.Train,
) -> Any:
    """Trains with some parameters changed."""

    def run(
        rows: Encoded = train,
        dev_rows: Encoded = dev,
        listeners: Any = (),
        vocabulary: Any = None,
        **changed: Any,
    ) -> Trained:
        wanted = config.Train.model_validate(how.model_dump() | changed)
        able = analogies if rows is train else None
        return trainer.fit(rows, dev_rows, vocabulary or tiny_vocabulary, model, wanted, able, listeners)

    return run


def bytes_of(trained: Trained) -> bytes:
    return b"".join(weight.numpy().tobytes() for weight in trained.network.state_dict().values())


def some(rows: Encoded, kept: list[int], targets: Any = None) -> Encoded:
    changed = rows.targets[kept] if targets is None else targets
    return Encoded(rows.ids[kept], rows.lengths[kept], changed, rows.keep)


def test_the_history_begins_at_chance_and_has_a_row_a_step(fit: Any) -> None:
    trained = fit()
    assert isinstance(trained.network, NgramClassifier)
    assert [row.epoch for row in trained.epochs] == list(range(7))
    assert trained.epochs[0].train_loss == pytest.approx(math.log(7))
    assert trained.epochs[0].dev_loss == pytest.approx(math.log(7))
    assert trained.epochs[0].learning_rate == 0
    assert {row.learning_rate for row in trained.epochs[1:]} == {1.0}


def test_a_suffix_task_is_learnt_in_few_steps(fit: Any) -> None:
    best = history.best(fit(iterations=15, analogies=700).epochs)
    assert best.dev_accuracy > 0.95
    assert best.dev_loss < 0.3


def test_steps_and_epochs_are_those_of_the_kind(
    model: config.Model, tiny_model: config.Model, how: config.Train
) -> None:
    assert trainer.most_epochs(model, how) == how.iterations
    assert trainer.most_epochs(tiny_model, how) == how.epochs != how.iterations


def test_every_step_is_told_when_it_ends(fit: Any) -> None:
    told: list[Epoch] = []
    trained = fit(listeners=[told.append])
    assert told == trained.epochs
    assert len(told) == 7


def test_a_run_that_is_longer_begins_alike(fit: Any) -> None:
    assert fit(iterations=9).epochs[:7] == fit().epochs


def test_the_same_seed_gives_the_same_weights_to_the_bit(fit: Any) -> None:
    one = fit(analogies=700)
    torch.rand(17)
    np.random.default_rng().random()
    other = fit(analogies=700)
    assert bytes_of(one) == bytes_of(other)
    assert one.epochs == other.epochs


def test_the_seed_chooses_forms_by_analogy_and_nothing_else(fit: Any) -> None:
    assert bytes_of(fit(analogies=700)) != bytes_of(fit(analogies=700, seed=2))
    assert bytes_of(fit()) == bytes_of(fit(seed=2))


@pytest.mark.parametrize(
    "changed", [{"epochs": 1}, {"batch_size": 1}, {"learning_rate": 0.5}, {"shuffle": False}, {"clip": None}]
)
def test_what_the_other_kind_reads_is_without_influence(fit: Any, changed: dict[str, Any]) -> None:
    assert bytes_of(fit(**changed)) == bytes_of(fit())


def test_training_leaves_the_callers_chance_alone(fit: Any) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    fit(analogies=700)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.fixture
def shifted(dev: Encoded) -> Encoded:
    """What is learnt of the true labels makes the loss on these worse, sooner or later."""
    return some(
        dev, list(range(len(dev))), np.concatenate([dev.targets[:7], np.roll(dev.targets[7:], -1, 0)])
    )


def test_the_best_steps_weights_are_kept(fit: Any, shifted: Encoded) -> None:
    trained = fit(dev_rows=shifted, iterations=12, penalty=0.001)
    best = history.best(trained.epochs)
    assert best.dev_loss < trained.epochs[-1].dev_loss
    assert trainer.measure(trained.network, Batch.of(shifted, CPU)) == (best.dev_loss, best.dev_accuracy)


def test_the_lemmas_are_asked_when_the_n_grams_have_their_weights(
    train: Encoded,
    dev: Encoded,
    analogies: Analogies,
    tiny_vocabulary: Vocabulary,
    model: config.Model,
    how: config.Train,
) -> None:
    def trained(weight: float) -> Trained:
        asking = model.model_copy(update={"lemmas": weight})
        return trainer.fit(train, dev, tiny_vocabulary, asking, how, analogies)

    alone, both = trained(0.0), trained(1.5)
    assert alone.epochs == both.epochs
    tables = alone.network.state_dict()
    assert all(torch.equal(both.network.state_dict()[name], table) for name, table in tables.items())
    assert both.network.state_dict().keys() > tables.keys()
    rows = Batch.of(train, CPU)
    assert trainer.measure(both.network, rows)[0] < trainer.measure(alone.network, rows)[0]
    assert bytes_of(both) == bytes_of(trained(1.5))


@pytest.mark.parametrize("unit", ["bpe", "word"])
def test_lemmas_of_other_symbols_than_the_forms_are_not_asked(
    tiny_rows: pa.Table, model: config.Model, how: config.Train, unit: Unit
) -> None:
    forms, labels = tiny_rows["form"].to_pylist(), tiny_rows["label"].to_pylist()
    vocabulary = Vocabulary.build(forms, labels, unit=unit, merges=5)
    rows = encoding.encode_rows(tiny_rows, vocabulary, 10, "end")
    asking = model.model_copy(update={"lemmas": 1.5})
    trained = trainer.fit(rows, rows, vocabulary, asking, how, analogy.found(tiny_rows, vocabulary))
    assert isinstance(trained.network, NgramClassifier)
    assert trained.network.inflection is None


def test_training_stops_when_the_dev_loss_has_not_fallen_for_long(fit: Any, shifted: Encoded) -> None:
    whole = fit(dev_rows=shifted, iterations=20, penalty=0.001)
    stopped = fit(dev_rows=shifted, iterations=20, penalty=0.001, patience=2)
    last = stopped.epochs[-1].epoch
    assert last < 20
    assert last - history.best(stopped.epochs).epoch == 2
    assert stopped.epochs == whole.epochs[: last + 1]


@pytest.mark.parametrize("penalty", [0.0, 1e-30, 1e-6, 1e6])
def test_a_penalty_far_from_the_usual_trains(fit: Any, penalty: float) -> None:
    trained = fit(penalty=penalty, iterations=40)
    assert 1 < len(trained.epochs) <= 41, "it ends where nothing lower is found"
    assert trained.epochs[-1].train_loss < (0.01 if penalty < 1 else 2)
    assert all(bool(torch.isfinite(weight).all()) for weight in trained.network.parameters())


@pytest.mark.parametrize("penalty", [1e100, 1e308])
def test_a_penalty_beyond_all_numbers_ends_the_training_with_the_mend(fit: Any, penalty: float) -> None:
    with pytest.raises(TrainingError) as caught:
        fit(penalty=penalty)
    assert str(caught.value) == "the loss is no longer a number in epoch 1; lower train.penalty"
    assert fit(penalty=0.2).epochs[-1].dev_loss < 1, "the mend helps"


@pytest.mark.parametrize("kept", [[3], [3, 3], list(range(20))])
def test_any_number_of_rows_trains(fit: Any, train: Encoded, kept: list[int]) -> None:
    trained = fit(rows=some(train, kept))
    assert len(trained.epochs) == 7
    assert trained.epochs[-1].train_loss < trained.epochs[0].train_loss


def test_one_row_and_forms_by_analogy_train(
    tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, model: config.Model, how: config.Train, dev: Encoded
) -> None:
    rows = encoding.encode_rows(tiny_rows.slice(3, 1), tiny_vocabulary, 10, "end")
    able = Analogies.of(tiny_rows.slice(3, 1), tiny_vocabulary)
    wanted = how.model_copy(update={"analogies": 50})
    trained = trainer.fit(rows, dev, tiny_vocabulary, model, wanted, able)
    assert len(trained.network.state_dict()["grams"]) > 0
    assert all(math.isfinite(row.dev_loss) for row in trained.epochs)


def test_one_label_trains(fit: Any, train: Encoded) -> None:
    vocabulary = Vocabulary(tuple("\0" * 60), ("NOM",))
    rows = some(train, list(range(9)), np.ones((9, 1), bool))
    trained = fit(rows=rows, dev_rows=rows, vocabulary=vocabulary)
    assert {(row.train_loss, row.dev_loss, row.dev_accuracy) for row in trained.epochs} == {(0.0, 0.0, 1.0)}


def test_training_goes_on_without_dev_rows(fit: Any, dev: Encoded) -> None:
    trained = fit(dev_rows=some(dev, []))
    assert {(row.dev_loss, row.dev_accuracy) for row in trained.epochs} == {(0.0, 0.0)}
    assert history.best(trained.epochs).epoch == 6


def test_dev_labels_unseen_in_training_count_as_misread(fit: Any, dev: Encoded) -> None:
    none = np.zeros((7, 7), bool)
    unseen = some(dev, list(range(len(dev))), np.concatenate([none, dev.targets[7:]]))
    known = some(dev, list(range(7, len(dev))))
    for row, expected in zip(fit(dev_rows=unseen).epochs, fit(dev_rows=known).epochs, strict=True):
        assert row.dev_loss == pytest.approx(expected.dev_loss, rel=1e-5)
        assert row.dev_accuracy == pytest.approx(expected.dev_accuracy * len(known) / len(unseen))


def test_of_a_form_of_two_values_each_head_learns_both(
    tiny_syncretic: Encoded, tiny_vocabulary: Vocabulary, model: config.Model, how: config.Train
) -> None:
    rows, wanted = tiny_syncretic, how.model_copy(update={"iterations": 40})
    shares = {}
    for head in ("softmax", "sigmoid"):
        shaped = config.Model.model_validate(model.model_dump() | {"head": head})
        trained = trainer.fit(rows, rows, tiny_vocabulary, shaped, wanted)
        assert trained.epochs[-1].dev_accuracy == 1
        assert trained.epochs[-1].train_loss < trained.epochs[0].train_loss / 2
        shares[head] = calibration.probabilities(trainer.logits(trained.network, rows), trained.network.head)
    several, label = rows.targets.sum(1) == 2, tiny_vocabulary.labels.index
    both = [label("ACC"), label("NOM")]
    assert shares["softmax"].sum(1) == pytest.approx(np.ones(len(rows)), abs=1e-4)
    assert shares["softmax"][several][:, both] == pytest.approx(0.5, abs=0.1)
    assert (shares["sigmoid"][several][:, both] > 0.8).all()
    assert (shares["sigmoid"][~several][:, label("NOM")] < 0.2).all()


def test_a_sigmoid_begins_with_even_odds_for_every_value(
    train: Encoded, dev: Encoded, tiny_vocabulary: Vocabulary, model: config.Model, how: config.Train
) -> None:
    shaped = config.Model.model_validate(model.model_dump() | {"head": "sigmoid"})
    first = trainer.fit(train, dev, tiny_vocabulary, shaped, how.model_copy(update={"iterations": 1})).epochs[
        0
    ]
    assert first.train_loss == pytest.approx(7 * math.log(2), rel=1e-5)
    assert first.dev_loss == pytest.approx(7 * math.log(2), rel=1e-5)
