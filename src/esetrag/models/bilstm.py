"""The reader's network: embedded symbols, a (bi)directional LSTM, a linear layer on its last states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from esetrag.core.config import Model
from esetrag.models.attribution import integrated_gradients
from esetrag.symbols.vocabulary import PAD

if TYPE_CHECKING:
    from esetrag.symbols.batch import Batch


class BiLSTM(nn.Module):
    """Reads a form in both directions and scores every label.

    The function is that of ``nn.LSTM(bidirectional=True)`` over packed sequences. It is computed
    by one-way passes over right-padded rows, the backward one over rows turned around up to their
    length: a packed sequence of mixed lengths leaves PyTorch's fused path and takes about three
    times as long.
    """

    def __init__(self, symbols: int, labels: int, shape: Model) -> None:
        """Builds the layers; weights come from torch's global generator.

        Args:
            symbols: size of the vocabulary.
            labels: number of labels.
            shape: sizes and dropout.
        """
        super().__init__()
        self.labels = labels
        self.head = shape.head
        self.directions = 2 if shape.bidirectional else 1
        states = shape.hidden * self.directions
        self.embedding = nn.Embedding(symbols, shape.embedding, padding_idx=PAD)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                nn.LSTM(shape.embedding if layer == 0 else states, shape.hidden, batch_first=True)
                for _ in range(self.directions)
            )
            for layer in range(shape.layers)
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.output = nn.Linear(states, labels)

    @staticmethod
    def shapes(symbols: int, labels: int, shape: Model) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, without making one.

        Args:
            symbols: size of the vocabulary.
            labels: number of labels.
            shape: sizes.
        """
        directions = 2 if shape.bidirectional else 1
        gates, states = 4 * shape.hidden, directions * shape.hidden
        weights: dict[str, tuple[int, ...]] = {
            "embedding.weight": (symbols, shape.embedding),
            "output.weight": (labels, states),
            "output.bias": (labels,),
        }
        for layer in range(shape.layers):
            for direction in range(directions):
                name, inputs = f"layers.{layer}.{direction}", states if layer else shape.embedding
                weights[f"{name}.weight_ih_l0"] = (gates, inputs)
                weights[f"{name}.weight_hh_l0"] = (gates, shape.hidden)
                weights[f"{name}.bias_ih_l0"] = weights[f"{name}.bias_hh_l0"] = (gates,)
        return weights

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Scores forms.

        Args:
            ids: (b, t) symbol ids, right-padded.
            lengths: (b,) int64, at least 1.

        Returns:
            (b, labels) logits.
        """
        return self.read(self.embedding(ids), lengths)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Scores forms given by their symbols' embeddings.

        Args:
            embedded: (b, t, e), right-padded.
            lengths: (b,) int64, at least 1.

        Returns:
            (b, labels) logits.
        """
        steps = torch.arange(embedded.shape[1], device=embedded.device)  # (t,)
        turned = (lengths[:, None] - 1 - steps).clamp_min(0)[..., None]  # (b, t, 1) last symbol first
        last = (lengths - 1)[:, None, None]  # (b, 1, 1)
        x = self.dropout(embedded)  # (b, t, e)
        for number, layer in enumerate(self.layers, 1):
            states = []
            for backward, lstm in enumerate(layer.children()):
                read = x.gather(1, turned.expand_as(x)) if backward else x
                states.append(lstm(read)[0])  # (b, t, h) in the order of reading
            if number == len(self.layers):  # nobody reads the states before the last
                states = [state.gather(1, last.expand(-1, 1, state.shape[2])) for state in states]
            elif self.directions == 2:
                states[1] = states[1].gather(1, turned.expand_as(states[1]))
            x = self.dropout(torch.cat(states, dim=2))  # (b, t or 1, directions * h)
        logits: Tensor = self.output(x[:, 0])  # (b, labels)
        return logits

    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """Integrated gradients on the embeddings; arguments and result of ``integrated_gradients``."""
        return integrated_gradients(self.embedding, self.read, batch, label, against)
