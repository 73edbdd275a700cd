"""Attention: how much of each input symbol a step of a decoder sees."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from esetrag.models.network import NEVER


class Attention(nn.Module):
    """How much of each input symbol a step sees (``luong``: general; ``bahdanau``: additive)."""

    def __init__(self, kind: str, query: int, key: int) -> None:
        """Builds the layers.

        Args:
            kind: ``luong`` or ``bahdanau``.
            query: size of a decoder state.
            key: size of an encoder state.
        """
        super().__init__()
        self.keys = nn.Linear(key, query, bias=False)
        self.queries = nn.Linear(query, query) if kind == "bahdanau" else None
        self.energy = nn.Linear(query, 1, bias=False) if kind == "bahdanau" else None

    def forward(self, queries: Tensor, keys: Tensor, outputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Attends.

        Args:
            queries: (b, u, h) decoder states.
            keys: (b, t, h) the encoder's outputs through ``keys``, computed once.
            outputs: (b, t, d) of the encoder.
            mask: (b, t) which of them are symbols.

        Returns:
            context (b, u, d) and weights (b, u, t).
        """
        if self.queries is not None and self.energy is not None:
            mixed = torch.tanh(self.queries(queries)[:, :, None] + keys[:, None])  # (b, u, t, h)
            scores = self.energy(mixed)[..., 0]  # (b, u, t)
        else:
            scores = queries @ keys.transpose(1, 2)
        weights = torch.softmax(scores.masked_fill(~mask[:, None], NEVER), dim=2)
        return weights @ outputs, weights
