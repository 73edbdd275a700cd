"""Several networks as one: their weighted logits are added, so their distributions are multiplied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from esetrag.models.network import Network, score
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
        return self._added(expert(batch) for expert in self.networks)

    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """The experts' scores, weighted and added."""
        parts = [expert.attribute(batch, label, against) for expert in self.networks]
        return self._added(symbols for symbols, _ in parts), self._added(rest for _, rest in parts)

    def ranked(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits of what there is to choose from, (b, choices), and which of it is true (bool)."""
        return score(self, batch), batch.target

    def is_sound(self) -> bool:
        """Whether all experts are, and no weight is negative."""
        return bool((self.weights >= 0).all()) and all(expert.is_sound() for expert in self.networks)

    @property
    def networks(self) -> Sequence[Network]:
        """The experts; PyTorch types what is in a ``ModuleList`` as modules only."""
        return cast("Sequence[Network]", self.experts)

    def _added(self, scores: Iterable[Tensor]) -> Tensor:
        return torch.stack([w * score for w, score in zip(self.weights, scores, strict=True)]).sum(0)
