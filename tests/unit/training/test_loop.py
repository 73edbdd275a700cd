from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
import torch

from esetrag.core import config
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import loop

ROWS = 84

pytestmark = pytest.mark.usefixtures("single_thread")


@pytest.fixture
def rows(tiny_encoded: Encoded) -> Batch:
    return Batch.of(tiny_encoded, torch.device("cpu"))


@pytest.fixture
def analogies(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Analogies:
    return Analogies.of(tiny_rows, tiny_vocabulary)


@pytest.fixture
def how(given: config.Params) -> config.Train:
    return given.train.model_copy(update={"epochs": 3, "batch_size": 16, "analogies": ROWS})


@pytest.fixture
def weights(
    rows: Batch,
    analogies: Analogies,
    tiny_vocabulary: Vocabulary,
    tiny_model: config.Model,
    how: config.Train,
) -> Callable[..., list[bytes]]:
    """The weights before training and after each epoch."""

    def run(with_analogies: bool = True, **changed: object) -> list[bytes]:
        wanted = config.Train.model_validate(how.model_dump() | changed)
        network = loop.network(tiny_vocabulary, tiny_model, wanted)

        def state() -> bytes:
            return b"".join(weight.detach().numpy().tobytes() for weight in network.parameters())

        before = state()
        course = loop.GradientDescent(network, rows, analogies if with_analogies else None, "end", wanted)
        return [before, *(state() for _ in course)]

    return run


def replaced(rows: Batch, analogies: Analogies, share: float, seed: int = 1) -> list[bool]:
    """Which rows gave way; those that did are forms by analogy, the others themselves."""
    chance = np.random.default_rng(seed)
    mixed = loop.mixed(rows, analogies, share, "end", chance)
    ids, lengths = analogies.draw(np.random.default_rng(seed), rows.ids.shape[1], "end")
    gave_way = []
    for row in range(len(rows)):
        found = mixed.ids[row].tolist(), int(mixed.lengths[row])
        same = found == (rows.ids[row].tolist(), int(rows.lengths[row]))
        assert same or found == (ids[row].tolist(), lengths[row])
        gave_way.append(not same)
    assert torch.equal(mixed.targets, rows.targets)
    assert (mixed.ids.dtype, mixed.lengths.dtype) == (rows.ids.dtype, rows.lengths.dtype)
    return gave_way


def test_no_row_gives_way_for_a_share_of_nothing(rows: Batch, analogies: Analogies) -> None:
    assert not any(replaced(rows, analogies, 0.0))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_wanted_gives_way(rows: Batch, analogies: Analogies, share: float) -> None:
    # A form by analogy can be the row's own: few are, where there are twelve lemmas.
    whole = np.mean([replaced(rows, analogies, 1.0, seed) for seed in range(30)])
    part = np.mean([replaced(rows, analogies, share, seed) for seed in range(30)])
    assert whole > 0.8
    assert part / whole == pytest.approx(share, abs=0.05)


def test_the_rows_themselves_stay_as_they_are(rows: Batch, analogies: Analogies) -> None:
    before = rows.ids.clone()
    loop.mixed(rows, analogies, 1.0, "end", np.random.default_rng(1))
    assert torch.equal(rows.ids, before)


def test_no_forms_wanted_is_as_if_none_could_be_made(weights: Callable[..., list[bytes]]) -> None:
    assert weights(analogies=0) == weights(with_analogies=False)


def test_forms_by_analogy_change_the_course_and_not_where_it_begins(
    weights: Callable[..., list[bytes]],
) -> None:
    mixed, plain = weights(), weights(with_analogies=False)
    assert mixed[0] == plain[0]
    assert all(one != other for one, other in zip(mixed[1:], plain[1:], strict=True))


def test_more_forms_than_rows_are_as_many_as_rows(weights: Callable[..., list[bytes]]) -> None:
    assert weights(analogies=3 * ROWS) == weights(analogies=10**7)
    assert weights(analogies=3 * ROWS) != weights(analogies=ROWS)


def test_the_seed_settles_the_course_with_forms_by_analogy(weights: Callable[..., list[bytes]]) -> None:
    first = weights()
    torch.rand(3)
    assert weights() == first
    other = weights(seed=2)
    assert other[0] != first[0]
    assert other[-1] != first[-1]


def test_each_epoch_shows_other_forms(
    monkeypatch: pytest.MonkeyPatch, analogies: Analogies, weights: Callable[..., list[bytes]]
) -> None:
    drawn: list[bytes] = []
    draw = Analogies.draw

    def noted(self: Analogies, *arguments: object) -> tuple[np.ndarray, np.ndarray]:
        ids, lengths = draw(self, *arguments)  # type: ignore[arg-type]
        drawn.append(ids.tobytes())
        return ids, lengths

    monkeypatch.setattr(Analogies, "draw", noted)
    weights()
    assert len(set(drawn)) == len(drawn) == 3


LENGTHS = np.random.default_rng(5).integers(3, 30, size=1000)


@pytest.mark.parametrize("pool", [1, 4, 10**6])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_row_is_in_one_batch_of_an_epoch(how: config.Train, pool: int, shuffle: bool) -> None:
    wanted = how.model_copy(update={"pool": pool, "shuffle": shuffle})
    batches = loop.drawn(LENGTHS, wanted, np.random.default_rng(1))
    assert sorted(len(batch) for batch in batches) == [8, *[16] * 62]
    assert sorted(np.concatenate(batches).tolist()) == list(range(1000))


def test_batches_of_a_pool_hold_forms_of_like_length(how: config.Train) -> None:
    def padding(pool: int) -> float:
        batches = loop.drawn(LENGTHS, how.model_copy(update={"pool": pool}), np.random.default_rng(1))
        return sum(int(LENGTHS[batch].max()) * len(batch) for batch in batches) / int(LENGTHS.sum()) - 1

    assert padding(1000) < 0.05 < padding(8) < 0.2 < padding(1)


def test_the_batches_of_a_pool_come_in_any_order(how: config.Train) -> None:
    batches = loop.drawn(LENGTHS, how.model_copy(update={"pool": 1000}), np.random.default_rng(1))
    longest = [int(LENGTHS[batch].max()) for batch in batches]
    assert longest != sorted(longest)
    again = loop.drawn(LENGTHS, how.model_copy(update={"pool": 1000}), np.random.default_rng(2))
    assert [set(batch.tolist()) for batch in batches] != [set(batch.tolist()) for batch in again]


def test_without_shuffling_and_pooling_rows_come_as_they_are(how: config.Train) -> None:
    plain = how.model_copy(update={"pool": 1, "shuffle": False})
    batches = loop.drawn(LENGTHS, plain, np.random.default_rng(1))
    assert np.concatenate(batches).tolist() == list(range(1000))
