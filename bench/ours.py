"""The library's training and reading, called in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from bench.rows import Parts
from esetrag.core import config
from esetrag.models.lemma_prior import analogy
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import trainer
from esetrag.training.history import Epoch

ChangeModel = dict[str, dict[str, Any]]
"""Values of parameters, by section."""
LSTM: ChangeModel = {"model": {"kind": "lstm"}, "train": {"device": "cpu"}}
"""The notebook's network with the project's own settings, which are for few rows."""
LSTM_ALL: ChangeModel = {
    "encode_pad": {"max_symbols": 6},
    "model": {"kind": "lstm", "dropout": 0.0},
    "train": {
        "device": "cpu",
        "analogies": 0,
        "epochs": 2,
        "batch_size": 512,
        "learning_rate": 0.03,
        "label_smoothing": 0.0,
    },
}
"""The notebook's network with the settings that docs/performance.md has for all rows."""


@dataclass(frozen=True)
class Encoder:
    """Turns rows into what a network takes."""

    vocabulary: Vocabulary
    width: int
    keep: encoding.Keep

    @classmethod
    def of(cls, given: config.Params, parts: Parts) -> Encoder:
        """Of the training rows."""
        forms, labels = parts.train["form"], parts.train["label"]
        how = given.build_vocab
        vocabulary = Vocabulary.build(
            forms.to_pylist(), labels.to_pylist(), how.min_count, how.unit, how.merges
        )
        return cls(vocabulary, encoding.width_of(forms, given.encode_pad.max_symbols), given.encode_pad.keep)

    def encode(self, rows: pa.Table) -> encoding.Encoded:
        """Rows as arrays."""
        return encoding.encode_rows(rows, self.vocabulary, self.width, self.keep)

    def batch(self, rows: pa.Table) -> Batch:
        """Rows as tensors."""
        return Batch.of(self.encode(rows), torch.device("cpu"))


@dataclass(frozen=True)
class Trained:
    """A reader that the library trained."""

    network: Any
    encoder: Encoder

    def read(self, rows: pa.Table) -> npt.NDArray[np.object_]:
        """The labels read off some forms."""
        best = score(self.network, self.encoder.batch(rows)).argmax(1)
        labels: npt.NDArray[np.object_] = np.array(self.encoder.vocabulary.labels, dtype=object)[best.numpy()]
        return labels


def accuracy(network: Any, rows: Batch) -> float:
    """Share of the rows that a network reads right."""
    return trainer.measure(network, rows)[1]


def changed(given: config.Params, changes: ChangeModel) -> config.Params:
    """Parameters with some values changed, by section."""
    sections = {name: getattr(given, name).model_copy(update=values) for name, values in changes.items()}
    return given.model_copy(update=sections)


def fit(
    given: config.Params,
    parts: Parts,
    seed: int = 1,
    threads: int = 1,
    listeners: Sequence[Callable[[Epoch], None]] = (),
) -> Trained:
    """Builds the vocabulary, encodes and trains, on the CPU.

    Args:
        given: all parameters.
        parts: rows.
        seed: of the training.
        threads: of PyTorch.
        listeners: are told of each epoch.
    """
    encoder = Encoder.of(given, parts)
    train, dev = encoder.encode(parts.train), encoder.encode(parts.dev)
    how = given.train.model_copy(update={"seed": seed, "threads": threads, "device": "cpu"})
    trained = trainer.fit(
        train=train,
        dev=dev,
        analogies=analogy.found(parts.train, encoder.vocabulary),
        vocabulary=encoder.vocabulary,
        model=given.model,
        how=how,
        listeners=listeners,
    )
    return Trained(trained.network, encoder)
