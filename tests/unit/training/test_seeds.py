from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.core import config, files, tables
from esetrag.core.layout import Layout
from esetrag.models import checkpoint
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import seeds
from esetrag.training.history import Epoch


@pytest.fixture
def layout(tmp_path: Path, tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Layout:
    """A task that stands before its training."""
    layout = Layout("toy", tmp_path)
    files.write_json(layout.vocab, tiny_vocabulary.to_json())
    width = encoding.width_of(tiny_rows["form"], None)
    for part in ("train", "dev"):
        tables.write(layout.sample(part), tiny_rows)
        rows = encoding.encode_rows(tiny_rows, tiny_vocabulary, width, "end")
        encoding.write(layout.encoded(part), rows, len(tiny_vocabulary.symbols))
    return layout


def test_each_repetition_has_a_seed_a_checkpoint_and_states_of_its_own(
    layout: Layout, given: config.Params
) -> None:
    material, logged = seeds.Material.read(layout), list[Epoch]()
    how = given.train.model_copy(update={"iterations": 6, "analogies": 500})
    for number in range(3):
        material.train(given.model, how, given.calibration, number, logged.append)
    folders = [layout.checkpoint, layout.repeat(how.seed + 1), layout.repeat(how.seed + 2)]
    loaded = [checkpoint.load(folder) for folder in folders]
    assert [one.manifest.training["seed"] for one in loaded] == [how.seed, how.seed + 1, how.seed + 2]
    assert len({one.manifest.weights.sha256 for one in loaded}) == 3
    assert [epoch.epoch for epoch in logged] == list(range(len(logged)))  # of the first alone


def test_a_repetition_is_the_training_of_its_seed(layout: Layout, given: config.Params) -> None:
    material = seeds.Material.read(layout)
    how = given.train.model_copy(update={"iterations": 4, "analogies": 500})
    material.train(given.model, how, given.calibration, 1, lambda _: None)
    material.train(
        given.model, how.model_copy(update={"seed": how.seed + 1}), given.calibration, 0, lambda _: None
    )
    weights = [
        checkpoint.load(folder).manifest.weights
        for folder in (layout.checkpoint, layout.repeat(how.seed + 1))
    ]
    assert weights[0] == weights[1]


def test_the_manifest_holds_what_dev_told(layout: Layout, given: config.Params) -> None:
    how = given.train.model_copy(update={"iterations": 6, "analogies": 0})
    seeds.Material.read(layout).train(given.model, how, given.calibration, 0, lambda _: None)
    fitted = checkpoint.load(layout.checkpoint).manifest.calibration
    assert fitted.temperature != 1
    assert fitted.ratio == 1  # no form of the tiny rows has two values
