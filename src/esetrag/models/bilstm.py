"""The lecture's classifier: an encoder and a linear layer on its final state."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from esetrag.core.config import BilstmModel
from esetrag.models.encoder import Encoder
from esetrag.models.network import Network, difference
from esetrag.symbols.batch import Batch, Sequences

POINTS = (12, 48, 192)
"""On the path of integration (Gauss-Legendre): more where the scores miss the difference."""
TOLERANCE = 0.05
"""What scores and rest may miss of the difference, in logits."""


class BilstmClassifier(Network):
    """Embedding, LSTM in both directions, linear layer."""

    def __init__(self, symbols: int, labels: int, model: BilstmModel) -> None:
        """Builds the layers; weights come from torch's global generator.

        Args:
            symbols: size of the vocabulary.
            labels: number of labels.
            model: sizes and dropout.
        """
        super().__init__(labels, model.head)
        sizes = (model.embedding, model.hidden, model.layers, model.bidirectional, model.dropout)
        self.encoder = Encoder(symbols, *sizes)
        self.output = nn.Linear(self.encoder.size, labels)

    def forward(self, batch: Batch) -> Tensor:
        """Logits of words, (b, labels)."""
        return self._classify(self.encoder.embedding(batch.source.ids), batch.source)

    def _classify(self, embedded: Tensor, source: Sequences) -> Tensor:
        """Logits of words (b, labels) given by their embedded symbols, (b, t, e)."""
        final = self.encoder.encode(embedded, source.lengths).final  # (b, directions * h)
        logits: Tensor = self.output(self.encoder.dropout(final))  # (b, labels)
        return logits

    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """Integrated gradients on the embeddings, from a word whose letters are zero vectors, as PAD is.

        Sundararajan et al. (2017), *Axiomatic Attribution for Deep Networks*. The rest is what the word
        of zero vectors gives. Arguments and result as for ``Network.attribute``.
        """
        symbols, rest = torch.zeros(batch.source.ids.shape), torch.zeros(len(batch))
        left = torch.arange(len(batch))
        for points in POINTS:
            scores, base, missed = self._integrated(batch[left], label[left], against[left], points)
            symbols[left, : scores.shape[1]], rest[left] = scores, base
            left = left[missed > TOLERANCE]
            if len(left) == 0:
                break
        return symbols, rest

    def _integrated(
        self, batch: Batch, label: Tensor, against: Tensor, points: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores (b, t), the rest (b,), and by how much both miss the difference (b,)."""
        ids, lengths = batch.source.ids, batch.source.lengths
        place = torch.arange(ids.shape[1])
        letter = (place >= 1) & (place < lengths[:, None] - 1)  # (b, t)

        def compare(embedded: Tensor) -> Tensor:
            return difference(self._classify(embedded, batch.source), label, against)

        with torch.no_grad():
            whole = self.encoder.embedding(ids)  # (b, t, e)
            letters = whole * letter[..., None]
            empty = whole - letters
            rest, wanted = compare(empty), compare(whole)
        gradient = torch.zeros_like(whole)
        for point, weight in zip(*np.polynomial.legendre.leggauss(points), strict=True):
            between = (empty + (float(point) + 1) / 2 * letters).requires_grad_()
            gradient += float(weight) / 2 * torch.autograd.grad(compare(between).sum(), between)[0]
        scores = (letters * gradient).sum(2)
        return scores, rest, (scores.sum(1) + rest - wanted).abs()
