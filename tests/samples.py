"""Words and rows that tests of symbols, models and training share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from esetrag.core import tables
from esetrag.core.config import Head
from esetrag.models.network import Network, difference
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary

CPU = torch.device("cpu")
NO_LEMMAS = tables.SAMPLE.empty_table()
"""Stands for training rows whose lemmas are not to be used."""


def column(words: Iterable[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(list(words), pa.string())])


def table(rows: Iterable[tuple[str | None, str, str]], weights: Sequence[float] | None = None) -> pa.Table:
    """Rows of a part (``tables.SAMPLE``) from lemma, form and label."""
    rows = list(rows)
    lemmas, forms, labels = (list(values) for values in zip(*rows, strict=True)) if rows else ([], [], [])
    return tables.sample(lemmas, forms, [f"N;{label}" for label in labels], labels, weights)


def words(forms: list[str], vocabulary: Vocabulary, width: int | None = None) -> Batch:
    """Forms without labels, ready for a network."""
    width = width or encoding.width_of(column(forms), None)
    ids, lengths = encoding.encode(column(forms), vocabulary, width, "end")
    return Batch.of(Encoded.unlabelled(ids, lengths, len(vocabulary.labels)), CPU)[:]


def subset(rows: Encoded, places: Iterable[int], targets: np.ndarray | None = None) -> Encoded:
    """Some of the rows, perhaps of other labels."""
    at = list(places)
    labels = rows.targets[at] if targets is None else targets
    return Encoded(rows.ids[at], rows.lengths[at], labels, rows.weights[at], rows.keep)


class Fixed(Network):
    """A network that gives the first rows the first logits, whatever they are."""

    logits: Tensor

    def __init__(self, logits: Tensor, head: Head = "softmax") -> None:
        super().__init__(logits.shape[1], head)
        self.register_buffer("logits", logits)

    def forward(self, batch: Batch) -> Tensor:
        return self.logits[: len(batch)]

    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(batch.source.ids.shape), difference(self(batch), label, against)
