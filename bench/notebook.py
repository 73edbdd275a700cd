"""The lecture notebook's loop, written afresh from its description: what the others are compared with.

Where the description leaves a choice, the faster one was taken: batches are slices, not a ``DataLoader``'s.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

SPECIAL = ("<PAD>", "<BOS>", "<EOS>", "<UNK>")
EPOCHS, BATCH = 30, 128
Rows = tuple[Tensor, Tensor, Tensor]
"""Ids (n, t), lengths (n,), labels (n,); -1 is a label that no training row has."""


@dataclass(frozen=True)
class Alphabet:
    """Ids of symbols and labels of the training rows; width of the longest form, BOS and EOS counted."""

    symbols: dict[str, int]
    labels: dict[str, int]
    width: int

    @classmethod
    def of(cls, train: pd.DataFrame) -> Alphabet:
        """Collects them from the columns ``form`` and ``label``."""
        names = [*SPECIAL, *sorted(set("".join(train["form"])))], sorted(set(train["label"]))
        symbols, labels = ({name: number for number, name in enumerate(each)} for each in names)
        return cls(symbols, labels, int(train["form"].str.len().max()) + 2)

    def encode(self, form: str) -> list[int]:
        """Ids of ``BOS symbols EOS``."""
        unknown = self.symbols["<UNK>"]
        inner = [self.symbols.get(symbol, unknown) for symbol in form]
        return [self.symbols["<BOS>"], *inner, self.symbols["<EOS>"]]


def encode(frame: pd.DataFrame, alphabet: Alphabet) -> pd.DataFrame:
    """Adds ``length``, ``padded`` and ``label_id``; a form longer than the training's stays whole."""
    ids = frame["form"].apply(alphabet.encode)
    lengths = ids.apply(len)
    width, pad = max(alphabet.width, int(lengths.max())), alphabet.symbols["<PAD>"]
    padded = ids.apply(lambda row: row + [pad] * (width - len(row)))
    label_ids = frame["label"].apply(lambda label: alphabet.labels.get(label, -1))
    return frame.assign(length=lengths, padded=padded, label_id=label_ids)


def tensors(encoded: pd.DataFrame) -> Rows:
    """The columns that ``encode`` added."""
    padded = torch.tensor(np.array(list(encoded["padded"])))
    return padded, torch.tensor(encoded["length"].values), torch.tensor(encoded["label_id"].values)


class Classifier(nn.Module):
    """Embedding, one bidirectional LSTM over packed sequences, a linear layer on its two last states."""

    def __init__(self, symbols: int, labels: int) -> None:
        """Builds the layers for an alphabet of so many symbols, and so many labels."""
        super().__init__()
        self.embedding = nn.Embedding(symbols, 30, padding_idx=0)
        self.lstm = nn.LSTM(30, 64, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * 64, labels)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits (b, labels) of ids (b, t) and lengths (b,)."""
        packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        logits: Tensor = self.output(torch.cat([last[0], last[1]], dim=1))
        return logits


@dataclass
class Trained:
    """A trained network and what it took."""

    network: Classifier
    alphabet: Alphabet
    training: list[float] = field(default_factory=list)
    """Seconds of each epoch's training alone."""
    history: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Loss and accuracy on train, then on dev, after each epoch."""

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[np.object_]:
        """The label of each form."""
        ids, lengths, _ = tensors(encode(frame.assign(label=""), self.alphabet))
        best = torch.cat([logits.argmax(1) for logits in _scores(self.network, ids, lengths)])
        labels: npt.NDArray[np.object_] = np.array(list(self.alphabet.labels), dtype=object)[best.numpy()]
        return labels


def train_epoch(network: Classifier, optimizer: torch.optim.Optimizer, rows: Rows) -> None:
    """Trains once over the rows, in their order."""
    network.train()
    for ids, lengths, labels in zip(*(column.split(BATCH) for column in rows), strict=True):
        optimizer.zero_grad()
        functional.cross_entropy(network(ids, lengths), labels).backward()
        optimizer.step()


def evaluate(network: Classifier, rows: Rows) -> tuple[float, float]:
    """Mean loss and accuracy."""
    ids, lengths, labels = rows
    logits = torch.cat(_scores(network, ids, lengths))
    loss = functional.cross_entropy(logits, labels, ignore_index=-1)
    return float(loss), float((logits.argmax(1) == labels).float().mean())


@torch.inference_mode()
def _scores(network: Classifier, ids: Tensor, lengths: Tensor) -> list[Tensor]:
    network.eval()
    return [network(*batch) for batch in zip(ids.split(BATCH), lengths.split(BATCH), strict=True)]


def fit(train: pd.DataFrame, dev: pd.DataFrame | None, seed: int, epochs: int = EPOCHS) -> Trained:
    """The whole loop.

    Args:
        train: columns ``form`` and ``label``.
        dev: likewise; None: nothing is evaluated, neither train nor dev.
        seed: of the weights.
        epochs: over all rows.
    """
    alphabet = Alphabet.of(train)
    rows = tensors(encode(train, alphabet))
    dev_rows = None if dev is None else tensors(encode(dev, alphabet))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Classifier(len(alphabet.symbols), len(alphabet.labels))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    trained = Trained(network, alphabet)
    for _ in range(epochs):
        start = time.perf_counter()
        train_epoch(network, optimizer, rows)
        trained.training.append(time.perf_counter() - start)
        if dev_rows is not None:
            trained.history.append((*evaluate(network, rows), *evaluate(network, dev_rows)))
    return trained
