from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.core import files, tables
from esetrag.core.config import Params, Train
from esetrag.core.layout import Layout
from esetrag.models import checkpoint
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import seeds
from esetrag.training.history import Epoch
from tests.unit.training.small import options_of, resolved


@pytest.fixture
def layout(tmp_path: Path, tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, tiny_encoded: Encoded) -> Layout:
    """A task before its training."""
    layout = Layout("toy", tmp_path)
    files.write_json(layout.vocab, tiny_vocabulary.to_json())
    for part in ("train", "dev"):
        tables.write(layout.sample(part), tiny_rows)
        encoding.write(layout.encoded(part), tiny_encoded, len(tiny_vocabulary.symbols))
    return layout


def train(layout: Layout, params: Params, options: Train) -> tuple[list[Epoch], list[Epoch]]:
    """The epochs that are logged and those that are returned."""
    logged: list[Epoch] = []
    model = resolved(params, "bilstm", lemmas=True)
    return logged, seeds.train(layout, model, options, params.calibration, logged.append)


def test_each_seed_has_a_checkpoint_of_its_own_and_the_first_is_logged(
    layout: Layout, params: Params
) -> None:
    options = options_of(params, repeats=2, analogies=100)
    logged, epochs = train(layout, params, options)
    folders = [layout.checkpoint, *(layout.extra_seed(options.seed + number) for number in (1, 2))]
    loaded = [checkpoint.load(folder) for folder in folders]
    assert [model.manifest.training["seed"] for model in loaded] == [options.seed + n for n in range(3)]
    assert len({model.manifest.weights.sha256 for model in loaded}) == 3
    assert logged == epochs
    assert [epoch.epoch for epoch in logged] == list(range(options.epochs + 1))
    assert not list(layout.runtime.glob("train-*")), "no saved state is left"
    # A further seed is trained as if it had been the first.
    train(layout, params, options.model_copy(update={"seed": options.seed + 1, "repeats": 0}))
    assert checkpoint.load(layout.checkpoint).manifest.weights == loaded[1].manifest.weights
