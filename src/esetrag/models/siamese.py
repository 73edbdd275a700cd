"""A label for two texts: one BiLSTM encoder for both, and a network of one hidden layer on its states."""

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
    so that a text has the same states as the first one and as the second one of a pair. Nor are features
    read: a linear map of their sum is multiplied with the states, since it is the two together that are
    right or wrong.
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
        states, self.letters = (3 if model.symmetric else 4) * self.encoder.size, len(vocabulary.symbols)
        self.features = nn.Linear(model.embedding, states) if vocabulary.features else None
        self.hidden = nn.Linear(states * (1 + bool(self.features)), self.encoder.size)
        self.output = nn.Linear(self.encoder.size, self.labels)

    def is_sound(self) -> bool:
        """Whether the vocabulary has a separator."""
        return self.separator != UNK

    def _classify(self, embedded: Tensor, source: Sequences) -> Tensor:
        place = (source.ids == self.separator).int().argmax(1)  # 0 where there is none, as in masked rows
        is_feature = source.ids >= self.letters  # (b, t); they stand in front
        # Of the first texts, then of the second ones:
        starts = torch.cat([1 + is_feature.sum(1), place + 1])
        ends = torch.cat([place, source.lengths - 1])
        lengths = (ends - starts).clamp_min(1)
        column = starts[:, None] + torch.arange(int(lengths.max()), device=lengths.device)
        column = column.clamp_max(embedded.shape[1] - 1)[..., None].expand(-1, -1, embedded.shape[2])
        texts = torch.cat([embedded, embedded]).gather(1, column)  # (2 b, t, e)
        a, b = self.encoder.encode(texts, lengths).final.chunk(2)
        alone = [a + b] if self.symmetric else [a, b]
        states = torch.cat([*alone, (a - b).abs(), a * b], dim=1)
        if self.features is not None:
            features = self.features((embedded * is_feature[..., None]).sum(1))
            states = torch.cat([states, features * states], dim=1)
        hidden = self.hidden(self.encoder.dropout(states)).relu()
        logits: Tensor = self.output(self.encoder.dropout(hidden))  # (b, labels)
        return logits
