"""Embedded symbols through a (bi)directional LSTM: the encoder of every neural model."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from esetrag.symbols.batch import Sequences
from esetrag.symbols.vocabulary import PAD


class States(NamedTuple):
    """What the last layer makes of each symbol, one tensor a direction."""

    directions: list[Tensor]  # each (b, t, h), the second from the last symbol to the first
    lengths: Tensor  # (b,)

    @property
    def final(self) -> Tensor:
        """The state of each direction after the whole word, (b, directions * h)."""
        last = (self.lengths - 1)[:, None, None]  # (b, 1, 1)
        return torch.cat([s.gather(1, last.expand(-1, 1, s.shape[2]))[:, 0] for s in self.directions], dim=1)

    @property
    def outputs(self) -> Tensor:
        """The states at each symbol, (b, t, directions * h)."""
        ahead, *back = self.directions
        return torch.cat([ahead, *(reverse(states, self.lengths) for states in back)], dim=2)


class Encoder(nn.Module):
    """Reads words in both directions.

    The function is that of ``nn.LSTM(bidirectional=True)`` over packed sequences. It is computed
    by one-way passes over right-padded rows, the backward one over reversed rows: a packed sequence
    of mixed lengths leaves PyTorch's fused path and takes about three times as long.
    """

    def __init__(
        self, symbols: int, embedding: int, hidden: int, layers: int, bidirectional: bool, dropout: float
    ) -> None:
        """Builds the layers; weights come from torch's global generator.

        Args:
            symbols: size of the vocabulary.
            embedding: size of an embedded symbol.
            hidden: size of a state of one direction.
            layers: number of layers.
            bidirectional: whether words are read backwards, too.
            dropout: share of the values set to 0, of embeddings and of each layer's states.
        """
        super().__init__()
        self.directions = 2 if bidirectional else 1
        self.size = self.directions * hidden
        self.embedding = nn.Embedding(symbols, embedding, padding_idx=PAD)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                nn.LSTM(self.size if layer else embedding, hidden, batch_first=True)
                for _ in range(self.directions)
            )
            for layer in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, words: Sequences) -> States:
        """Encodes words."""
        return self.encode(self.embedding(words.ids), words.lengths)

    def encode(self, embedded: Tensor, lengths: Tensor) -> States:
        """Encodes words given by their embedded symbols, (b, t, e)."""
        states = States([embedded], lengths)
        for layer in self.layers:
            x = self.dropout(states.outputs)  # (b, t, e), then (b, t, directions * h)
            inputs = [x, reverse(x, lengths)][: self.directions]
            states = States(
                [lstm(rows)[0] for lstm, rows in zip(layer.children(), inputs, strict=True)], lengths
            )
        return states


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Each row (b, t, d) from its last symbol to its first; behind its length the first is repeated."""
    steps = torch.arange(x.shape[1], device=x.device)
    place = (lengths[:, None] - 1 - steps).clamp_min(0)[..., None]  # (b, t, 1)
    return x.gather(1, place.expand_as(x))
