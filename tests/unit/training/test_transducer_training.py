"""Networks that write are trained, saved, loaded and resumed as classifiers are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from esetrag.core import config
from esetrag.core.errors import CheckpointError
from esetrag.core.layout import MANIFEST, WEIGHTS, Layout
from esetrag.models import checkpoint
from esetrag.models.edit_rules import EditRules
from esetrag.models.transducer import Transducer
from esetrag.symbols.batch import Batch
from esetrag.training import history, trainer
from esetrag.training.data import Data
from esetrag.training.history import Epoch
from esetrag.training.loop import measure
from esetrag.training.resume import SavedStates
from esetrag.training.trainer import Trained
from tests import writing
from tests.project import STEMS
from tests.samples import CPU

pytestmark = pytest.mark.usefixtures("single_thread")
KINDS: dict[str, dict[str, Any]] = {
    "edits": {},
    "letters": {"output": "letters"},
    "no features": {"source": ["form"], "target": "lemma"},
}
each = pytest.mark.parametrize("kind", KINDS)


def small(kind: str = "edits", dev: int = 4) -> Data:
    rows = [writing.paradigms(STEMS[a : a + count]) for a, count in ((0, 8), (8, dev or 1))]
    return writing.data(rows[0], rows[1] if dev else rows[1].slice(0, 0), writing.task(**KINDS[kind]))


def outcome(found: Trained) -> tuple[list[Epoch], list[bytes]]:
    return found.epochs, [value.numpy().tobytes() for value in found.network.state_dict().values()]


def fit(data: Data, **changed: Any) -> Trained:
    return trainer.fit(data, writing.model(), writing.options(**{"epochs": 3, "analogies": 40, **changed}))


@each
def test_a_training_that_was_stopped_ends_as_one_that_was_not(kind: str, tmp_path: Path) -> None:
    data, options = small(kind), writing.options(epochs=3, analogies=40)
    whole = outcome(trainer.fit(data, writing.model(dropout=0.3), options))

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise InterruptedError

    def saved(number: int) -> SavedStates:
        return SavedStates(tmp_path / str(number), "key", every=0)

    with pytest.raises(InterruptedError):
        trainer.fit(data, writing.model(dropout=0.3), options, [stop], saved)
    torch.rand(3)
    assert outcome(trainer.fit(data, writing.model(dropout=0.3), options, [], saved)) == whole


def test_the_seed_decides_what_is_random() -> None:
    data = small()
    assert outcome(fit(data)) == outcome(fit(data)) != outcome(fit(data, seed=2))


def test_endings_are_learned_and_rules_stand_beside() -> None:
    found = writing.trained()
    assert [expert.kind for expert in found.experts] == ["seq2seq", "rules"]
    assert history.best(found.epochs).dev_accuracy > 0.9
    assert found.epochs[0].dev_accuracy < 0.1
    assert (found.network.weights > 0).all()


@pytest.mark.parametrize("rate", [1e-9, 0.01])
def test_the_model_is_behind_no_expert_on_the_rows_that_decide(rate: float) -> None:
    data = small(dev=12)
    network = fit(data, learning_rate=rate).network
    assert isinstance(network, Transducer)
    dev = Batch.of(data.dev, CPU)
    candidates = network.candidates(dev.source)
    matches = network.matches(candidates, dev)

    def right(scores: torch.Tensor) -> int:
        return int(matches.gather(1, scores.argmax(1, keepdim=True)).sum())

    own = right(network.logits(candidates))
    rules = EditRules.of_rows(Batch.of(data.train, CPU), data.vocabulary).propose(dev.source)[:, 0]
    width = max(rules.shape[1], dev.target.shape[1])
    padded = (torch.nn.functional.pad(x, (0, width - x.shape[1])) for x in (rules, dev.target))
    assert own >= int((next(padded) == next(padded)).all(1).sum())
    assert own >= max(map(right, candidates.scores))


def test_rules_are_left_out_where_they_are_not_wanted_or_letters_are_written() -> None:
    options = writing.options(epochs=1)
    for data, model in ((small(), writing.model(rules=False)), (small("letters"), writing.model())):
        found = trainer.fit(data, model, options)
        assert [expert.kind for expert in found.experts] == ["seq2seq"]


@each
def test_without_dev_rows_it_is_not_calibrated(kind: str, tmp_path: Path, params: config.Params) -> None:
    data = small(kind, dev=0)
    found = fit(data, epochs=1)
    found.save(Layout("toy", tmp_path), data, writing.options(), params.calibration)
    loaded = checkpoint.load(Layout("toy", tmp_path).checkpoint)
    assert loaded.manifest.calibration.temperature == 1
    assert history.best(found.epochs) == found.epochs[-1]


def test_targets_that_cannot_be_written_are_wrong_and_have_no_loss() -> None:
    data = small()
    other = writing.asked(*[(stem, "N;ACC;SG", stem + "qqq") for stem in STEMS[8:10]])
    strange = Batch.of(writing.encoded(writing.task(), other, data.vocabulary, data.train.ids.shape[1]), CPU)
    assert measure(fit(data, epochs=1).network.networks[0], strange) == (0.0, 0.0)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, params: config.Params) -> Path:
    layout = Layout("toy", tmp_path_factory.mktemp("toy"))
    writing.trained().save(layout, writing.toy(), writing.options(), params.calibration)
    return layout.checkpoint


def test_a_loaded_model_writes_the_same_with_the_same_probabilities(saved: Path) -> None:
    loaded, own, rows = checkpoint.load(saved), writing.trained().network, Batch.of(writing.toy().dev, CPU)
    assert isinstance(loaded.network, Transducer)
    assert [expert.kind for expert in loaded.manifest.experts] == ["seq2seq", "rules"]
    for one, other in zip(loaded.network.ranked(rows), own.ranked(rows), strict=True):
        assert torch.equal(one, other)
    assert loaded.vocabulary == writing.toy().vocabulary


def copied(saved: Path, folder: Path) -> Path:
    for path in saved.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_a_damaged_checkpoint_is_refused(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path)
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-9] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    with pytest.raises(CheckpointError, match="its SHA-256 is not the one in its manifest"):
        checkpoint.load(folder)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("hidden", 17, "not the weights of this network"),
        ("attention", "bahdanau", "not the weights of this network"),
        ("attention", "dot", "should be 'luong' or 'bahdanau'"),
        ("beam", 0, "should be greater than or equal to 1"),
    ],
)
def test_a_manifest_of_another_network_is_refused(
    saved: Path, tmp_path: Path, place: str, value: object, message: str
) -> None:
    folder = copied(saved, tmp_path)
    content = json.loads((folder / MANIFEST).read_bytes())
    content["experts"][0][place] = value
    (folder / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(folder)
