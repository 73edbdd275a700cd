"""A finished pipeline without its data's sense, and stores to log it in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.core import config, files, tables
from esetrag.core.layout import PARTS, Layout
from esetrag.tracking import log_run, runs, store
from esetrag.tracking.runs import EXPERIMENT
from esetrag.training import history
from esetrag.training.history import Epoch
from tests.project import REPO

TASK = "hun-noun-case"
FORMS, LEMMAS = 5, 40
EPOCHS = [
    Epoch(epoch=0, train_loss=2.0, train_accuracy=0.1, dev_loss=2.1, dev_accuracy=0.2, learning_rate=0.0),
    Epoch(epoch=1, train_loss=0.5, train_accuracy=0.9, dev_loss=0.4, dev_accuracy=0.8, learning_rate=0.01),
    Epoch(epoch=2, train_loss=0.3, train_accuracy=1.0, dev_loss=0.6, dev_accuracy=0.7, learning_rate=0.0),
]
PARAMS = config.load(REPO / "params.yaml")
Log = Callable[..., str]


def predictions(wrong: Collection[int], rows: range = range(FORMS * LEMMAS)) -> pa.Table:
    """Test rows, those of some numbers misclassified."""
    return pa.table(
        {
            "lemma": [f"l{i // FORMS:02}" for i in rows],
            "form": [f"l{i // FORMS:02}x{i % FORMS}" for i in rows],
            "features": [f"N;C{i % FORMS}" for i in rows],
            "label": [f"C{i % FORMS}" for i in rows],
            "predicted": [f"C{(i + (i in wrong)) % FORMS}" for i in rows],
        }
    )


def scores(accuracy: float) -> dict[str, float]:
    return {
        "accuracy": accuracy,
        "low": accuracy - 0.1,
        "high": accuracy + 0.05,
        "macro_f1": 0.6,
        "ece": 0.02,
    }


TEST: dict[str, Any] = {
    "model": "bilstm",
    "baselines": ["logistic_regression", "longest_suffix", "majority"],
    "confidence": 0.95,
    "models": {
        "bilstm": scores(0.9),
        "ngram": scores(0.85),
        "logistic_regression": scores(0.8),
        "longest_suffix": scores(0.7),
        "majority": scores(0.3),
    },
    "upper_bound": {"accuracy": 0.98},
}


@pytest.fixture
def layout(tmp_path: Path, tiny_checkpoint: Path) -> Layout:
    """The artifacts of a finished pipeline, pages and pictures without content."""
    layout = Layout(TASK, tmp_path / "project")
    for path in (*runs.Outcome.paths(layout), layout.root / "data/raw/hun.tsv.gz"):
        files.write_text(path, path.name)
    files.write_bytes(layout.root / "params.yaml", (REPO / "params.yaml").read_bytes())
    files.write_json(layout.metrics / "test.json", TEST)
    files.write_json(layout.metrics / "train.json", {"epoch": 1, "dev_accuracy": 0.8})
    files.write_text(layout.history, history.to_csv(EPOCHS))
    for part, count in zip(PARTS, (60, 12, 20), strict=True):
        pq.write_table(predictions((), range(count)), layout.sample(part))
    pq.write_table(predictions({3}), layout.predictions)
    tables.write(layout.errors, tables.ERRORS.empty_table())
    shutil.copytree(tiny_checkpoint, layout.checkpoint, dirs_exist_ok=True)
    return layout


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a run; tests work on copies."""
    place = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        _use(place, patch)
        with store.opened("another"):  # the experiment itself would keep its artifacts here
            pass
    return place


def _use(place: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv(store.VARIABLE, f"sqlite:///{place / 'mlflow.db'}")  # MLflow exports it; put back afterwards
    patch.setenv("DVC_ROOT", str(place))


@pytest.fixture
def log(layout: Layout, empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Logs a run of the pipeline in a store of its own, by name, with these rows misclassified."""
    shutil.copytree(empty_store, tmp_path / "store")
    _use(tmp_path / "store", monkeypatch)

    def logged(name: str = "run", table: pa.Table | None = None) -> str:
        if table is not None:
            pq.write_table(table, layout.predictions)
        return log_run.complete(layout, PARAMS, {EXPERIMENT: name})

    return logged
