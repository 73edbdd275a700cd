"""Fixtures of all tests."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from hypothesis import settings

from esetrag.core import config, tables
from esetrag.core.layout import Layout
from esetrag.models.blend import Blend
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import trainer
from esetrag.training.data import Data
from esetrag.training.trainer import Trained
from tests.samples import table

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


@pytest.fixture(scope="session")
def repo() -> Path:
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def params(repo: Path) -> config.Params:
    return config.load(repo / "params.yaml")


@pytest.fixture
def given(params: config.Params) -> config.Params:
    """The older name of ``params``."""
    return params


@pytest.fixture(scope="session")
def tiny_rows() -> pa.Table:
    """Twelve invented nouns in seven cases: 84 rows."""
    return table(
        (stem, stem + suffixes[front], case)
        for front, stems in enumerate((BACK_STEMS, FRONT_STEMS))
        for stem in stems
        for case, suffixes in SUFFIXES.items()
    )


@pytest.fixture(scope="session")
def tiny_vocabulary(tiny_rows: pa.Table) -> Vocabulary:
    return Vocabulary.build(tiny_rows["form"].to_pylist(), tiny_rows["label"].to_pylist())


@pytest.fixture(scope="session")
def tiny_encoded(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Encoded:
    width = encoding.width_of(tiny_rows["form"], None)
    return encoding.encode_rows(tiny_rows, tiny_vocabulary, width, "end")


@pytest.fixture(scope="session")
def tiny_data(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, tiny_encoded: Encoded) -> Data:
    """The tiny rows as training and development set."""
    return Data(tiny_encoded, tiny_encoded, tiny_vocabulary, tiny_rows)


@pytest.fixture(scope="session")
def tiny_syncretic(tiny_rows: pa.Table, tiny_vocabulary: Vocabulary) -> Encoded:
    """The rows of three cases; a form without an ending is nominative and accusative."""
    few = tiny_rows.filter(pc.is_in(tiny_rows["label"], pa.array(["NOM", "DAT", "IN+ABL"])))
    labels = pc.replace_substring(few["label"], "NOM", "ACC/NOM")
    rows = few.set_column(3, tables.SAMPLE.field("label"), labels)
    return encoding.encode_rows(rows, tiny_vocabulary, encoding.width_of(rows["form"], None), "end")


@pytest.fixture(scope="session")
def tiny_model(params: config.Params) -> config.BilstmModel:
    """The notebook's network, smaller."""
    model = params.models["bilstm"]
    assert isinstance(model, config.BilstmModel)
    return model.model_copy(update={"embedding": 8, "hidden": 12, "lemmas": False})


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """MLflow exports the store that it is told; the next test has its own."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def single_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_training(params: config.Params) -> config.Train:
    """What is enough for ``tiny_model`` to memorise the tiny rows."""
    changes = {"device": "cpu", "epochs": 16, "min_steps": 0, "learning_rate": 0.03, "batch_size": 8}
    return params.train.model_copy(update=changes | {"analogies": 0})


@pytest.fixture(scope="session")
def tiny_trained(tiny_data: Data, tiny_model: config.BilstmModel, tiny_training: config.Train) -> Trained:
    return trainer.fit(tiny_data, config.Resolved("bilstm", [tiny_model], lemmas=False), tiny_training)


@pytest.fixture
def tiny_network(tiny_trained: Trained, single_thread: None) -> Blend:
    """A network that has memorised the tiny rows."""
    return copy.deepcopy(tiny_trained.network)


@pytest.fixture(scope="session")
def _saved(
    tmp_path_factory: pytest.TempPathFactory,
    params: config.Params,
    tiny_data: Data,
    tiny_training: config.Train,
    tiny_trained: Trained,
) -> Path:
    layout = Layout("tiny", tmp_path_factory.mktemp("tiny"))
    tiny_trained.save(layout, tiny_data, tiny_training, params.calibration)
    return layout.checkpoint


@pytest.fixture
def tiny_checkpoint(tmp_path: Path, _saved: Path, single_thread: None) -> Path:
    """The checkpoint of a network that has memorised the tiny rows."""
    return shutil.copytree(_saved, tmp_path / "tiny-model")
