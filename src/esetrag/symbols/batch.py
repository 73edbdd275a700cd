"""Encoded rows as tensors, and the scores a network gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from esetrag.models.network import Network
from esetrag.symbols.encoding import Encoded

READ_AT_ONCE = 4096
"""Rows: fewer take longer each, as asking the lemmas is some hundred small operations; more take room."""


@dataclass(frozen=True)
class Batch:
    """Rows as tensors on one device."""

    ids: Tensor  # (n, t) uint8 or int32
    lengths: Tensor  # (n,) int64
    targets: Tensor  # (n, labels) bool

    @classmethod
    def of(cls, encoded: Encoded, device: torch.device) -> Batch:
        """Moves encoded rows to a device."""
        narrow = encoded.ids if encoded.ids.dtype == np.uint8 else encoded.ids.astype(np.int32)
        columns = (narrow, encoded.lengths.astype(np.int64), encoded.targets)
        # PyTorch warns of arrays that lie in a file's buffer: those are copied.
        writable = (np.require(column, requirements="W") for column in columns)
        return cls(*(torch.from_numpy(column).to(device) for column in writable))

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        """Some of the rows, as wide as the longest of them, ready for the network."""
        lengths = self.lengths[rows]
        return Batch(self.ids[rows, : int(lengths.max())].int(), lengths, self.targets[rows])

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.lengths)


@torch.inference_mode()
def score(network: Network, rows: Batch) -> Tensor:
    """Scores rows without training, forms of like length together.

    Args:
        network: on the device of the rows.
        rows: n rows.

    Returns:
        (n, labels) logits.
    """
    if network.training:
        network.eval()
    logits = torch.empty((len(rows), network.labels), device=rows.lengths.device)
    parts: Sequence[Tensor | slice] = [slice(None)] if len(rows) else []
    if len(rows) > READ_AT_ONCE:
        parts = torch.argsort(rows.lengths, stable=True).split(READ_AT_ONCE)
    for some in parts:
        batch = rows[some]
        logits[some] = network(batch.ids, batch.lengths)
    return logits
