"""A label for two texts: one BiLSTM encoder for both, and a linear layer on what it makes of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from esetrag.core.config import SiameseModel
from esetrag.data.pairs import SEPARATOR
from esetrag.models.bilstm import BilstmClassifier
from esetrag.models.encoder import Encoder
from esetrag.models.network import Network
from esetrag.symbols.batch import Sequences
from esetrag.symbols.vocabulary import UNK, Vocabulary


class Siamese(BilstmClassifier):
    """Scores the labels of pairs by ``[a; b; |a − b|; a · b]`` of the final states of both texts.

    A pair is one sequence with a separator in it (``data.pairs``). BOS, EOS and the separator are not read,
    so that a text has the same states as the first one and as the second one of a pair.
    """

    def __init__(self, vocabulary: Vocabulary, model: SiameseModel) -> None:
        """Builds the layers; weights come from torch's global generator.

        Args:
            vocabulary: of symbols, values of features and labels.
            model: sizes and dropout.
        """
        Network.__init__(self, len(vocabulary.labels), model.head)
        self.separator, self.symmetric = vocabulary.ids.get(SEPARATOR, UNK), model.symmetric
        sizes = (model.embedding, model.hidden, model.layers, True, model.dropout)
        self.encoder = Encoder(vocabulary.size, *sizes)
        self.output = nn.Linear((3 if model.symmetric else 4) * self.encoder.size, self.labels)

    def is_sound(self) -> bool:
        """Whether the vocabulary has a separator."""
        return self.separator != UNK

    def _classify(self, embedded: Tensor, source: Sequences) -> Tensor:
        place = (source.ids == self.separator).int().argmax(1)  # 0 where there is none, as in masked rows
        starts = torch.cat([torch.ones_like(place), place + 1])  # of the first texts, then of the second
        ends = torch.cat([place, source.lengths - 1])
        lengths = (ends - starts).clamp_min(1)
        column = starts[:, None] + torch.arange(int(lengths.max()), device=lengths.device)
        column = column.clamp_max(embedded.shape[1] - 1)[..., None].expand(-1, -1, embedded.shape[2])
        texts = torch.cat([embedded, embedded]).gather(1, column)  # (2 b, t, e)
        a, b = self.encoder.encode(texts, lengths).final.chunk(2)
        alone = [a + b] if self.symmetric else [a, b]
        states = torch.cat([*alone, (a - b).abs(), a * b], dim=1)
        logits: Tensor = self.output(self.encoder.dropout(states))  # (b, labels)
        return logits
