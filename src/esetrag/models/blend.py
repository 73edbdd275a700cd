"""Several networks as one: their weighted logits are added, so their distributions are multiplied."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from esetrag.models.network import Network
from esetrag.symbols.batch import Batch


class Blend(Network):
    """A product of experts (Hinton 2002): ``sum of weight * logits``, weights >= 0 fitted on dev."""

    weights: Tensor

    def __init__(self, experts: Sequence[Network], weights: Tensor) -> None:
        """Joins networks of the same labels and head.

        Args:
            experts: k networks.
            weights: (k,) float32.
        """
        super().__init__(experts[0].labels, experts[0].head)
        self.experts = nn.ModuleList(experts)
        self.register_buffer("weights", weights)

    def forward(self, batch: Batch) -> Tensor:
        """Logits of words, (b, labels)."""
        return torch.stack([w * expert(batch) for w, expert in self._weighted()]).sum(0)

    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """The experts' scores, weighted and added."""
        parts = [(w, *expert.attribute(batch, label, against)) for w, expert in self._weighted()]
        return sum(w * symbols for w, symbols, _ in parts), sum(w * rest for w, _, rest in parts)  # type: ignore[return-value]

    def is_sound(self) -> bool:
        """Whether all experts are, and no weight is negative."""
        return bool((self.weights >= 0).all()) and all(expert.is_sound() for _, expert in self._weighted())

    def _weighted(self) -> list[tuple[Tensor, Network]]:
        return list(zip(self.weights, self.experts, strict=True))  # type: ignore[arg-type]
