from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from esetrag.core import config, files
from esetrag.core.config import BilstmModel, Params
from esetrag.core.errors import TrainingError
from esetrag.core.layout import Layout
from esetrag.models import checkpoint
from esetrag.models.network import score
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import Unit
from esetrag.training import history, trainer
from esetrag.training.data import Data
from esetrag.training.history import Epoch
from esetrag.training.loop import Loop, measure
from esetrag.training.resume import SavedStates
from esetrag.training.trainer import Trained
from tests.project import CASES, REPO, STEMS
from tests.samples import CPU, table
from tests.unit.training.small import KINDS, WILD, Fit, both, data_of, options_of, resolved

pytestmark = pytest.mark.usefixtures("single_thread")


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
    measured = measure(trained.network, Batch.of(shifted.dev, CPU))
    assert files.rounded(measured) == [best.dev_loss, best.dev_accuracy]


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
    assert last - min(stopped.epochs[1:], key=lambda epoch: epoch.dev_loss).epoch == 2
    assert stopped.epochs == whole.epochs[: last + 1]


def test_training_does_not_stop_while_the_dev_loss_falls(fit: Fit) -> None:
    epochs = fit("bilstm", epochs=4, patience=1, learning_rate=0.002, schedule="constant").epochs
    losses = [epoch.dev_loss for epoch in epochs]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 5


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


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DefaultCPUAllocator: not enough memory:\nyou tried to allocate 1 TB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 TB"),
        MemoryError(),
    ],
)
def test_a_network_without_room_ends_in_one_line(
    error: Exception, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise error

    monkeypatch.setattr(Loop, "begin", no_memory)
    with pytest.raises(TrainingError, match=r"^no room for the network \(.*\); lower the sizes of the model"):
        fit("bilstm")


def test_another_fault_is_no_lack_of_room(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied (8x12 and 16x7)")

    monkeypatch.setattr(Loop, "begin", wrong)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
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


@pytest.mark.parametrize(("unit", "has_analogies"), [("bpe", True), ("word", False)])
def test_the_lemma_prior_is_of_characters_alone(
    params: Params, tiny_data: Data, unit: Unit, has_analogies: bool
) -> None:
    data = data_of(tiny_data.rows, unit=unit)
    assert (data.split is not None) == has_analogies
    trained = trainer.fit(data, resolved(params, "ngram", lemmas=True), options_of(params))
    assert [expert.kind for expert in trained.experts] == ["ngram"]


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


def test_the_manifest_names_the_best_epoch_not_the_last(
    tiny_trained: Trained, tiny_data: Data, tiny_training: config.Train, params: Params, tmp_path: Path
) -> None:
    worse = [replace(each, dev_loss=1.0 + each.epoch) for each in tiny_trained.epochs]
    trained = replace(tiny_trained, epochs=worse)
    trained.save(Layout("toy", tmp_path), tiny_data, tiny_training, params.calibration)
    assert checkpoint.load(Layout("toy", tmp_path).checkpoint).manifest.training["epoch"] == 1


def test_probabilities_are_calibrated_on_dev_alone(
    tiny_trained: Trained, tiny_data: Data, params: Params
) -> None:
    wrong = replace(tiny_data.train, targets=np.roll(tiny_data.train.targets, 1, axis=1))
    of_dev = tiny_trained.calibrate(replace(tiny_data, dev=wrong), params.calibration)
    of_train = tiny_trained.calibrate(replace(tiny_data, train=wrong), params.calibration)
    assert of_dev.threshold == 1, "nothing is certain enough"
    assert of_train == tiny_trained.calibrate(tiny_data, params.calibration)
    assert of_train.threshold < 1
