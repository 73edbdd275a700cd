"""Fixtures of all tests."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from hypothesis import settings

from esetrag.core import config, tables
from esetrag.models import checkpoint
from esetrag.models.network import Network
from esetrag.scoring import calibration
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import trainer

# The same examples on every machine, and no time limit that a busy one could miss.
settings.register_profile("esetrag", deadline=None, derandomize=True)
settings.load_profile("esetrag")

BACK_STEMS = ("kana", "lomta", "bor", "fogul", "dara", "mosza")
FRONT_STEMS = ("kep", "birse", "szel", "mente", "ver", "cise")
SUFFIXES = {
    "NOM": ("", ""),
    "ACC": ("t", "t"),
    "DAT": ("nak", "nek"),
    "IN+ESS": ("ban", "ben"),
    "IN+ALL": ("ba", "be"),
    "IN+ABL": ("ból", "ből"),
    "ON+ALL": ("ra", "re"),
}


@pytest.fixture
def repo() -> Path:
    return Path(__file__).parents[1]


@pytest.fixture
def given(repo: Path) -> config.Params:
    return config.load(repo / "params.yaml")


@pytest.fixture
def tiny_rows() -> pa.Table:
    """Twelve invented nouns in seven cases: 84 rows."""
    rows = [
        (stem, stem + suffixes[front], f"N;{case};SG", case)
        for front, stems in enumerate((BACK_STEMS, FRONT_STEMS))
        for stem in stems
        for case, suffixes in SUFFIXES.items()
    ]
    return tables.sample(*zip(*rows, strict=True))


@pytest.fixture
def tiny_vocabulary(tiny_rows: pa.Table) -> Vocabulary:
    return Vocabulary.build(tiny_rows["form"].to_pylist(), tiny_rows["label"].to_pylist())


@pytest.fixture
def tiny_encoded(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Encoded:
    width = encoding.width_of(tiny_rows["form"], None)
    return encoding.encode_rows(tiny_rows, tiny_vocabulary, width, "end")


@pytest.fixture
def tiny_syncretic(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Encoded:
    """The rows of three cases; a form without an ending is nominative and accusative."""
    few = tiny_rows.filter(pc.is_in(tiny_rows["label"], pa.array(["NOM", "DAT", "IN+ABL"])))
    labels = pc.replace_substring(few["label"], "NOM", "ACC/NOM")
    rows = few.set_column(3, tables.SAMPLE.field("label"), labels)
    return encoding.encode_rows(rows, tiny_vocabulary, encoding.width_of(rows["form"], None), "end")


@pytest.fixture
def tiny_model(given: config.Params) -> config.Model:
    return given.model.model_copy(update={"kind": "lstm", "embedding": 8, "hidden": 12, "layers": 1})


@pytest.fixture
def single_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def tiny_training(given: config.Params) -> config.Train:
    """What is enough for the notebook's network to learn the tiny rows by heart."""
    return given.train.model_copy(
        update={"device": "cpu", "epochs": 16, "learning_rate": 0.03, "batch_size": 8}
    )


@pytest.fixture
def tiny_network(
    tiny_training: config.Train,
    tiny_encoded: Encoded,
    tiny_vocabulary: Vocabulary,
    tiny_model: config.Model,
    single_thread: None,
) -> Network:
    """The notebook's network, after it has learnt the tiny rows by heart."""
    return trainer.fit(tiny_encoded, tiny_encoded, tiny_vocabulary, tiny_model, tiny_training).network


@pytest.fixture
def tiny_checkpoint(
    tmp_path: Path,
    given: config.Params,
    tiny_encoded: Encoded,
    tiny_vocabulary: Vocabulary,
    tiny_model: config.Model,
    tiny_training: config.Train,
    tiny_network: Network,
) -> Path:
    """A reader that has learnt the tiny rows by heart."""
    folder = tmp_path / "tiny-model"
    fitted = calibration.fit(
        trainer.logits(tiny_network, tiny_encoded), tiny_encoded.targets, "softmax", given.calibration
    )
    account = tiny_training.model_dump()
    checkpoint.save(folder, tiny_network, tiny_vocabulary, tiny_encoded, tiny_model, account, fitted)
    return folder
