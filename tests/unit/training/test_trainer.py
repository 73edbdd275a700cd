from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from esetrag.core import config
from esetrag.core.config import BilstmModel, Params, Resolved, Train
from esetrag.core.errors import TrainingError
from esetrag.core.layout import Layout
from esetrag.models import checkpoint
from esetrag.models.network import score
from esetrag.scoring import calibration
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Unit, Vocabulary
from esetrag.training import history, trainer
from esetrag.training.data import Data
from esetrag.training.history import Epoch
from esetrag.training.loop import Loop, measure
from esetrag.training.resume import SavedStates
from esetrag.training.trainer import Trained
from tests.project import CASES, REPO, STEMS
from tests.samples import CPU, NO_LEMMAS, Fixed, subset, table

KINDS = ("bilstm", "ngram")
both = pytest.mark.parametrize("kind", KINDS)
SETTINGS = {"device": "cpu", "threads": 1, "epochs": 3, "min_steps": 0, "batch_size": 16, "analogies": 0}
WILD = {"learning_rate": 0.2, "schedule": "constant", "clip": None}
SIZES: dict[str, dict[str, Any]] = {
    "bilstm": {"embedding": 8, "hidden": 12},
    "ngram": {"longest": 6, "iterations": 6},
}
Fit = Callable[..., Trained]

pytestmark = pytest.mark.usefixtures("single_thread")


def resolved(params: Params, *kinds: str, lemmas: bool = False, **shape: Any) -> Resolved:
    """Small models of some kinds."""
    usual = [params.models[kind] for kind in kinds]
    experts: list[Any] = [
        type(model).model_validate(model.model_dump() | SIZES[model.kind] | shape) for model in usual
    ]
    return Resolved("-".join(kinds), experts, lemmas)


def options_of(params: Params, **changed: Any) -> Train:
    return Train.model_validate(params.train.model_dump() | SETTINGS | changed)


def data_of(rows: Any, dev: Any = None, unit: Unit = "char") -> Data:
    """Rows (``tables.SAMPLE``) as training set, and others or the same as development set."""
    build = config.BuildVocab(unit=unit, merges=5, min_count=1)
    shape = config.EncodePad(max_symbols=None, keep="end")
    return Data.of(rows, rows if dev is None else dev, build, shape)


@pytest.fixture
def split(tiny_data: Data) -> Data:
    """The tiny rows without their lemmas, the last fourteen as development set."""
    rows = tiny_data.train
    return Data(subset(rows, range(70)), subset(rows, range(70, 84)), tiny_data.vocabulary, NO_LEMMAS)


@pytest.fixture
def shifted(split: Data) -> Data:
    """A development set of other labels: in the end, what training learns makes the loss on them higher."""
    labels = np.concatenate([split.dev.targets[:7], np.roll(split.dev.targets[7:], -1, 0)])
    return Data(split.train, subset(split.dev, range(14), labels), split.vocabulary, NO_LEMMAS)


@pytest.fixture
def fit(params: Params, split: Data) -> Fit:
    """Trains a kind of model with some options changed."""

    def run(
        kind: str,
        data: Data = split,
        shape: dict[str, Any] | None = None,
        listeners: Any = (),
        **changed: Any,
    ) -> Trained:
        options = options_of(params, **changed)
        return trainer.fit(data, resolved(params, kind, **(shape or {})), options, listeners)

    return run


def digest(trained: Trained) -> str:
    tensors = trained.network.state_dict().values()
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


def everything() -> Trained:
    """A blend of both kinds, with analogies and lemmas."""
    params = config.load(REPO / "params.yaml")
    rows = [(stem, stem + ending, case) for case, ending in CASES.items() for stem in STEMS[:20]]
    data = data_of(table(rows[::2]), table(rows[1::2]))
    return trainer.fit(data, resolved(params, *KINDS, lemmas=True), options_of(params, analogies=300))


def test_the_same_rows_give_the_same_weights_to_the_bit_whatever_the_hash_seed() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    trained = everything()
    assert torch.equal(torch.random.get_rng_state(), before), "the caller's random numbers are left alone"
    assert [expert.kind for expert in trained.experts] == ["bilstm", "ngram", "lemmas"]
    assert trained.chosen["analogies"]
    code = "from tests.unit.training.test_trainer import digest, everything; print(digest(everything()))"
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == digest(trained)


@both
def test_the_seed_decides_what_is_random(fit: Fit, tiny_data: Data, kind: str) -> None:
    usual = {"data": tiny_data, "epochs": 1, "analogies": 200}
    assert digest(fit(kind, **usual)) == digest(fit(kind, **usual)) != digest(fit(kind, **usual, seed=2))


@both
def test_before_training_accuracy_and_loss_are_about_those_of_chance(fit: Fit, kind: str) -> None:
    epochs: list[Epoch] = []
    trained = fit(kind, listeners=[epochs.append])
    assert epochs == trained.epochs
    assert [epoch.epoch for epoch in epochs] == list(range(7 if kind == "ngram" else 4))
    assert epochs[0].train_loss == pytest.approx(math.log(7), rel=0.1)
    assert epochs[0].dev_loss == pytest.approx(math.log(7), rel=0.1)
    assert epochs[0].dev_accuracy < 0.5
    assert epochs[0].learning_rate == 0


@pytest.mark.parametrize(
    ("kind", "changed"), [("bilstm", {"epochs": 8, "learning_rate": 0.02}), ("ngram", {})]
)
def test_endings_are_learned_in_few_epochs(fit: Fit, kind: str, changed: dict[str, Any]) -> None:
    rows = [(stem, stem + ending, case) for case, ending in CASES.items() for stem in STEMS[:60]]
    train = [row for number, row in enumerate(rows) if number % 3]
    trained = fit(kind, data_of(table(train), table(rows[::3])), **changed)
    assert history.best(trained.epochs).dev_accuracy > 0.95


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("bilstm", {"epochs": 8, "learning_rate": 0.02, "schedule": "constant"}),
        ("bilstm", {"epochs": 12, "learning_rate": 0.02}),
        ("ngram", {"shape": {"iterations": 12, "penalty": 0.001}}),
    ],
)
def test_the_weights_of_the_epoch_of_least_dev_loss_are_kept(
    fit: Fit, shifted: Data, kind: str, changed: dict[str, Any]
) -> None:
    trained = fit(kind, shifted, **changed)
    best = history.best(trained.epochs)
    assert 0 < best.epoch < trained.epochs[-1].epoch
    assert best.dev_loss < trained.epochs[-1].dev_loss
    assert measure(trained.network, Batch.of(shifted.dev, CPU)) == (best.dev_loss, best.dev_accuracy)


@pytest.mark.parametrize(
    ("kind", "changed"),
    [("bilstm", {"epochs": 15, **WILD}), ("ngram", {"shape": {"iterations": 20, "penalty": 0.001}})],
)
def test_training_stops_when_patience_is_exhausted(
    fit: Fit, shifted: Data, kind: str, changed: dict[str, Any]
) -> None:
    whole, stopped = fit(kind, shifted, **changed), fit(kind, shifted, **changed, patience=2)
    last = stopped.epochs[-1].epoch
    assert last < whole.epochs[-1].epoch
    assert last - history.best(stopped.epochs).epoch == 2
    assert stopped.epochs == whole.epochs[: last + 1]


def test_training_does_not_stop_while_the_dev_loss_falls(fit: Fit) -> None:
    epochs = fit("bilstm", epochs=4, patience=1, learning_rate=0.002, schedule="constant").epochs
    losses = [epoch.dev_loss for epoch in epochs]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 5


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
        assert row.dev_loss == pytest.approx(expected.dev_loss, rel=1e-4)
        assert row.dev_accuracy == pytest.approx(expected.dev_accuracy / 2)


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


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("bilstm", {"learning_rate": 1e30}),
        ("bilstm", {"learning_rate": 1e30, "schedule": "constant"}),
        ("ngram", {"shape": {"penalty": 1e308}}),
    ],
)
def test_a_loss_that_is_no_number_ends_in_one_line(fit: Fit, kind: str, changed: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=r"^the loss is no longer a number in epoch \d; lower train\."):
        fit(kind, **changed)


def test_a_network_without_room_ends_in_one_line(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise RuntimeError("not enough memory:\nyou tried to allocate 1 TB")

    monkeypatch.setattr(Loop, "begin", no_memory)
    message = r"^no room for the network \(not enough memory: you tried .*\); lower the sizes of the model"
    with pytest.raises(TrainingError, match=message):
        fit("bilstm")


def test_threads_are_those_of_the_parameters(fit: Fit) -> None:
    fit("ngram", threads=2)
    assert torch.get_num_threads() == 2


def test_lemmas_stand_beside_the_network_as_far_as_dev_wants_them(params: Params, tiny_data: Data) -> None:
    options = options_of(params)
    alone, beside = (
        trainer.fit(tiny_data, resolved(params, "bilstm", lemmas=lemmas), options) for lemmas in (False, True)
    )
    assert [expert.kind for expert in beside.experts] == ["bilstm", "lemmas"]
    assert beside.epochs == alone.epochs, "the curve is that of the network alone"
    rows = Batch.of(tiny_data.dev, CPU)
    assert measure(beside.network, rows)[0] < measure(alone.network, rows)[0]


@pytest.mark.parametrize("unit", ["char", "bpe", "word"])
@both
def test_without_lemmas_all_trains_that_needs_none(params: Params, kind: str, unit: Unit) -> None:
    rows = [(None, stem + ending, case) for case, ending in CASES.items() for stem in STEMS[:10]]
    data = data_of(table(rows), unit=unit)
    options = options_of(params, analogies=500)
    trained = trainer.fit(data, resolved(params, kind, lemmas=True), options)
    assert [expert.kind for expert in trained.experts] == [kind]
    assert not trained.chosen["analogies"]
    assert trained.epochs[-1].dev_loss < trained.epochs[0].dev_loss


def test_a_blend_whose_training_was_stopped_ends_as_one_that_was_not(
    params: Params, tiny_data: Data, tmp_path: Path
) -> None:
    model, options = resolved(params, *KINDS, lemmas=True), options_of(params, analogies=300)

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise InterruptedError

    def saved(number: int) -> SavedStates:
        return SavedStates(tmp_path / str(number), "key", every=0)

    whole = trainer.fit(tiny_data, model, options)
    with pytest.raises(InterruptedError):
        trainer.fit(tiny_data, model, options, [stop], saved)
    resumed = trainer.fit(tiny_data, model, options, [], saved)
    assert digest(resumed) == digest(whole)
    assert resumed.epochs == whole.epochs


def test_a_saved_model_is_calibrated_and_says_how_it_was_trained(
    params: Params, tiny_data: Data, tmp_path: Path
) -> None:
    model, options = resolved(params, *KINDS, lemmas=True), options_of(params, analogies=300)
    trained = trainer.fit(tiny_data, model, options)
    layout = Layout("toy", tmp_path)
    trained.save(layout, tiny_data, options, params.calibration)
    loaded = checkpoint.load(layout.checkpoint)
    rows = Batch.of(tiny_data.dev, CPU)
    assert torch.equal(score(loaded.network, rows), score(trained.network, rows))
    assert loaded.manifest.calibration.temperature != 1
    assert loaded.manifest.calibration.ratio == 1  # no form has two labels
    training = loaded.manifest.training
    assert (training["task"], training["seed"], training["epoch"]) == ("toy", options.seed, 3)
    assert [kind for kind, _ in training["weights"]] == [expert.kind for expert in trained.experts]
    assert isinstance(loaded.manifest.experts[0], BilstmModel)
