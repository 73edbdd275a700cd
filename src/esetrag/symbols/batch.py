"""Encoded rows as tensors, the one input of every network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import PAD


@dataclass(frozen=True)
class Sequences:
    """Symbol ids, right-padded."""

    ids: Tensor  # (b, t) uint8 or int32
    lengths: Tensor  # (b,) int64, BOS and EOS counted

    def __getitem__(self, rows: Tensor | slice) -> Sequences:
        """Those rows, as wide as the longest of them."""
        lengths = self.lengths[rows]
        return Sequences(self.ids[rows, : int(lengths.max())].int(), lengths)


@dataclass(frozen=True)
class Batch:
    """Rows as tensors on one device."""

    source: Sequences
    target: Tensor  # (b, labels) bool, or (b, u) ids of a sequence to be written, EOS and PAD behind
    weight: Tensor  # (b,) how much each row counts in training

    @classmethod
    def of(cls, encoded: Encoded, device: torch.device) -> Batch:
        """Moves encoded rows to a device."""
        narrow = encoded.ids if encoded.ids.dtype == np.uint8 else encoded.ids.astype(np.int32)
        targets = encoded.targets
        targets = targets if targets.dtype == np.bool_ else targets.astype(np.int64)
        columns = (narrow, encoded.lengths.astype(np.int64), targets, encoded.weights)
        # PyTorch warns of arrays that lie in a file's buffer: those are copied.
        writable = (np.require(column, requirements="W") for column in columns)
        ids, lengths, target, weight = (torch.from_numpy(column).to(device) for column in writable)
        return cls(Sequences(ids, lengths), target, weight)

    def to(self, device: torch.device) -> Batch:
        """The same rows on a device."""
        ids, lengths = self.source.ids.to(device), self.source.lengths.to(device)
        return Batch(Sequences(ids, lengths), self.target.to(device), self.weight.to(device))

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        """Those rows, ready for a network."""
        target = self.target[rows]
        if target.dtype != torch.bool:  # as wide as the longest of them
            target = target[:, : int((target != PAD).sum(1).max())]
        return Batch(self.source[rows], target, self.weight[rows])

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.weight)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.weight.device
