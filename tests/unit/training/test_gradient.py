from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from esetrag.core.config import BilstmModel, Params, Train
from esetrag.core.errors import TrainingError
from esetrag.models.bilstm import BilstmClassifier
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import PAD
from esetrag.training import gradient
from esetrag.training.augmentation import Analogies
from esetrag.training.data import Data
from esetrag.training.loop import Loop
from tests.samples import CPU
from tests.unit.training.small import data_of

LENGTHS = np.random.default_rng(5).integers(3, 30, size=1000)

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def options(params: Params) -> Train:
    changes = {"device": "cpu", "epochs": 3, "min_steps": 0, "batch_size": 16, "analogies": 0}
    return params.train.model_copy(update=changes)


@pytest.fixture
def train(tiny_data: Data, tiny_model: BilstmModel, options: Train) -> Any:
    """Trains with some options changed; the network and its epochs."""

    def run(made_by: Analogies | None = None, **changed: Any) -> tuple[BilstmClassifier, Loop]:
        loop = Loop(Batch.of(tiny_data.dev, CPU))
        wanted = Train.model_validate(options.model_dump() | changed)
        network = gradient.fit(tiny_data, tiny_model, wanted, made_by, loop)
        assert isinstance(network, BilstmClassifier)
        return network, loop

    return run


def test_a_row_of_no_weight_teaches_nothing(
    tiny_rows: pa.Table, tiny_model: BilstmModel, tiny_training: Train
) -> None:
    labels = tiny_rows["label"].to_pylist()
    wrong = tiny_rows.set_column(3, "label", pa.array([*labels[1:], labels[0]], pa.string()))
    wrong = wrong.set_column(4, "weight", pa.array([0.0] * len(wrong), pa.float32()))
    data = data_of(pa.concat_tables([tiny_rows, wrong.cast(tiny_rows.schema)]), tiny_rows)
    loop = Loop(Batch.of(data.dev, CPU))
    gradient.fit(data, tiny_model, tiny_training, None, loop)
    assert loop.epochs[-1].dev_accuracy > 0.9


@pytest.mark.parametrize("pool", [1, 4, 10**6])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_row_is_in_one_batch_of_an_epoch(options: Train, pool: int, shuffle: bool) -> None:
    wanted = options.model_copy(update={"pool": pool, "shuffle": shuffle})
    batches = gradient.draw(LENGTHS, wanted, np.random.default_rng(1))
    assert sorted(len(batch) for batch in batches) == [8, *[16] * 62]
    assert sorted(np.concatenate(batches).tolist()) == list(range(1000))


def test_batches_of_a_pool_are_of_similar_length_and_in_any_order(options: Train) -> None:
    def longest(pool: int, seed: int = 1) -> list[int]:
        wanted = options.model_copy(update={"pool": pool})
        return [int(LENGTHS[b].max()) for b in gradient.draw(LENGTHS, wanted, np.random.default_rng(seed))]

    def padding(pool: int) -> float:
        wanted = options.model_copy(update={"pool": pool})
        batches = gradient.draw(LENGTHS, wanted, np.random.default_rng(1))
        return sum(int(LENGTHS[batch].max()) * len(batch) for batch in batches) / int(LENGTHS.sum()) - 1

    assert padding(1000) < 0.05 < padding(8) < 0.2 < padding(1)
    assert longest(1000) != sorted(longest(1000))
    assert longest(1000) != longest(1000, seed=2)


def test_rows_are_in_another_order_each_epoch_unless_they_are_not_shuffled(options: Train) -> None:
    plain = options.model_copy(update={"pool": 1, "shuffle": False})
    first, second = (np.concatenate(gradient.draw(LENGTHS, plain, np.random.default_rng(s))) for s in (1, 2))
    assert first.tolist() == second.tolist() == list(range(1000))
    first, second = (
        np.concatenate(gradient.draw(LENGTHS, options, np.random.default_rng(s))) for s in (1, 2)
    )
    assert first.tolist() != second.tolist()


def test_other_rows_are_together_each_epoch(options: Train) -> None:
    rng = np.random.default_rng(1)
    first, second = ({frozenset(b.tolist()) for b in gradient.draw(LENGTHS, options, rng)} for _ in "12")
    assert len(first & second) < len(first) / 10


def test_the_embedding_of_padding_stays_zero(train: Any) -> None:
    network, _ = train(weight_decay=0.1)
    assert not network.encoder.embedding.weight[PAD].any()
    assert network.encoder.embedding.weight.any(1).sum() > 10


def test_few_rows_take_more_epochs(train: Any) -> None:
    _, loop = train(min_steps=40)  # of six batches an epoch
    assert [epoch.epoch for epoch in loop.epochs] == list(range(8))


def test_one_cycle_rises_to_the_learning_rate_and_falls_to_nothing(train: Any) -> None:
    rates = [epoch.learning_rate for epoch in train(epochs=10, learning_rate=0.01)[1].epochs[1:]]
    top = rates.index(max(rates))
    assert rates[0] == pytest.approx(0.01 / 25)
    assert max(rates) == pytest.approx(0.01, rel=0.02)
    assert rates == [*sorted(rates[: top + 1]), *sorted(rates[top + 1 :], reverse=True)]
    assert rates[-1] < 0.001


@pytest.mark.parametrize("epochs", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [16, 1000])
def test_a_cycle_of_any_number_of_steps_trains(train: Any, epochs: int, batch_size: int) -> None:
    rates = [epoch.learning_rate for epoch in train(epochs=epochs, batch_size=batch_size)[1].epochs[1:]]
    assert len(rates) == epochs
    assert all(0 < rate <= 0.0101 for rate in rates)


def test_a_constant_rate_stays(train: Any) -> None:
    _, loop = train(schedule="constant", learning_rate=0.003)
    assert [epoch.learning_rate for epoch in loop.epochs] == [0, 0.003, 0.003, 0.003]


def test_forms_by_analogy_change_what_is_learned_as_far_as_there_are_rows(
    train: Any, tiny_data: Data
) -> None:
    assert tiny_data.split
    analogies = Analogies(tiny_data.split, tiny_data.vocabulary, "end")
    losses = [
        [epoch.train_loss for epoch in train(analogies, analogies=count)[1].epochs]
        for count in (0, 84, 3 * 84, 10**7)
    ]
    assert losses[0] == [epoch.train_loss for epoch in train()[1].epochs]
    assert losses[0][0] == losses[1][0]
    assert losses[0][1] != losses[1][1] != losses[2][1]
    assert losses[2] == losses[3]


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_trains_to_the_same_bytes_again_and_about_as_well_as_the_cpu(train: Any) -> None:
    (first, epochs), (second, _), (_, on_cpu) = train(device="cuda"), train(device="cuda"), train()
    torch.use_deterministic_algorithms(False)
    for name, value in first.state_dict().items():
        assert value.device == CPU
        assert torch.equal(value, second.state_dict()[name])
    assert epochs.epochs[-1].dev_loss < epochs.epochs[0].dev_loss
    assert epochs.epochs[-1].dev_loss == pytest.approx(on_cpu.epochs[-1].dev_loss, rel=0.3)


@pytest.mark.parametrize("device", ["cuda", "cuda:3", "mps"])
def test_a_device_that_is_not_there_is_named(device: str) -> None:
    message = f"params.yaml: train.device: no {device} on this machine; auto would take cpu"
    with pytest.raises(TrainingError, match=f"^{message}$"):
        gradient.choose_device(device)
    assert gradient.choose_device("auto") == CPU


def test_a_second_gpu_is_missed_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(TrainingError, match="no cuda:1 on this machine; auto would take cuda"):
        gradient.choose_device("cuda:1")


@pytest.mark.parametrize("epochs", [1, 2, 10])
def test_the_rate_rises_and_falls_in_few_steps_too(train: Any, epochs: int) -> None:
    _, loop = train(epochs=epochs, batch_size=100)  # a step each
    rates = [epoch.learning_rate for epoch in loop.epochs[1:]]
    assert len(rates) == epochs
    assert max(rates) >= rates[0] > 0
