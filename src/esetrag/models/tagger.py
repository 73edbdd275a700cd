"""A tag for each letter: a BiLSTM encoder and a linear layer on its output there."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from esetrag.core.config import TaggerModel
from esetrag.data import segments
from esetrag.models.encoder import Encoder
from esetrag.models.network import NEVER, Network
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.encoding import MARKS
from esetrag.symbols.vocabulary import EOS, PAD, SPECIAL, Vocabulary

PROPOSED = 4
"""Sequences of tags that are proposed for a word."""
NO_TAG = -100


class TagNetwork(Network):
    """Scores the tags of elements, (b, u, tags); targets are ids: ``SPECIAL``, then the tags.

    Only those that are tags count.
    """

    def known(self, target: Tensor) -> Tensor:
        """Whether training has a tag of a row, (b,) bool."""
        return wanted_tags(target)[1].any(1)

    def loss(self, logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy of the known tags of each row in nats, (b,)."""
        wanted, _ = wanted_tags(target[:, : logits.shape[1]])
        losses = functional.cross_entropy(
            logits.transpose(1, 2), wanted, reduction="none", ignore_index=NO_TAG, label_smoothing=smoothing
        )
        return losses.sum(1)

    def correct(self, logits: Tensor, target: Tensor) -> Tensor:
        """The share of tags that are right, (b,)."""
        wanted, is_tag = wanted_tags(target[:, : logits.shape[1]])
        return ((logits.argmax(2) == wanted) & is_tag).sum(1) / is_tag.sum(1).clamp_min(1)


class Tagger(TagNetwork):
    """Scores the tags of letters; targets are ids of output symbols (``SPECIAL``, then the tags).

    Given the word the tags are independent, so that the most probable sequences are found without search.
    The one rule of legality is that the first letter begins a segment.
    """

    def __init__(self, vocabulary: Vocabulary, model: TaggerModel) -> None:
        """Builds the layers; weights come from torch's global generator.

        Args:
            vocabulary: of letters and tags.
            model: sizes and dropout.
        """
        super().__init__(len(vocabulary.labels), "softmax")
        sizes = (model.embedding, model.hidden, model.layers, True, model.dropout)
        self.encoder = Encoder(vocabulary.size, *sizes)
        self.output = nn.Linear(self.encoder.size, self.labels)
        begins = [segments.begins(label) for label in vocabulary.labels]
        self.continues = ~torch.tensor(begins, dtype=torch.bool, device="cpu")

    def forward(self, batch: Batch) -> Tensor:
        """Logits of the tags behind BOS, (b, t - 1, tags); those at EOS and PAD have no meaning."""
        return self._logits(batch.source)

    def _logits(self, source: Sequences) -> Tensor:
        outputs = self.encoder(source).outputs[:, 1:]  # (b, t - 1, d)
        logits: Tensor = self.output(self.encoder.dropout(outputs))
        return logits

    def known(self, target: Tensor) -> Tensor:
        """Whether training has all tags of a row, (b,) bool."""
        return (wanted_tags(target)[1] | (target <= EOS)).all(1)

    def correct(self, logits: Tensor, target: Tensor) -> Tensor:
        """Whether every tag is right, (b,) bool."""
        wanted, _ = wanted_tags(target)
        return ((logits.argmax(2) == wanted) | (target == EOS) | (target == PAD)).all(1)

    @property
    def most(self) -> int:
        """Sequences of tags of a word."""
        return PROPOSED

    @torch.inference_mode()
    def propose(self, source: Sequences) -> Tensor:
        """The most probable sequences of tags of each word, (b, c, t - 1), EOS at the end, PAD behind."""
        logs, letters = self.log_probabilities(source), source.lengths - MARKS
        best, tag = logs.topk(min(PROPOSED, self.labels), dim=2)  # (b, t - 1, k)
        b, k, device = len(letters), best.shape[2], logs.device
        ids = torch.full((b, PROPOSED, logs.shape[1]), PAD, device=device)
        total = torch.full((b, PROPOSED), NEVER, device=device)
        total[:, 0] = 0  # all are the same before the first letter
        stay = torch.arange(PROPOSED, device=device).expand(b, -1)
        marks = torch.where(torch.arange(logs.shape[1], device=device) == letters[:, None], EOS, PAD)
        for step in range(logs.shape[1]):
            is_letter = (step < letters)[:, None]  # (b, 1)
            scores, place = (total[..., None] + best[:, step, None]).flatten(1).topk(PROPOSED)
            total = torch.where(is_letter, scores, total)
            parent = torch.where(is_letter, place // k, stay)
            written = tag[:, step].gather(1, place % k) + len(SPECIAL)
            ids = ids.gather(1, parent[..., None].expand_as(ids))
            ids[..., step] = torch.where(is_letter, written, marks[:, step, None])
        return torch.where((total > NEVER / 2)[..., None], ids, PAD)

    @torch.inference_mode()
    def score(self, source: Sequences, row: Tensor, ids: Tensor) -> Tensor:
        """Log probability of given sequences of tags in nats, (k,); arguments as for ``Seq2seq.score``."""
        logs = self.log_probabilities(source)
        wanted, is_tag = wanted_tags(ids)
        step = torch.arange(ids.shape[1], device=logs.device)
        of_tag = logs[row[:, None], step, torch.where(is_tag, wanted, 0)]  # (k, t - 1)
        return torch.where(is_tag, of_tag, 0.0).sum(1)

    @torch.inference_mode()
    def log_probabilities(self, source: Sequences) -> Tensor:
        """Of the tags behind BOS, legal ones only, (b, t - 1, tags)."""
        logits = self._logits(source)
        logits[:, 0] = logits[:, 0].masked_fill(self.continues.to(logits.device), NEVER)
        return torch.log_softmax(logits, 2)


def wanted_tags(target: Tensor) -> tuple[Tensor, Tensor]:
    """Tags by their place in the vocabulary's labels, ``NO_TAG`` elsewhere; where there is one."""
    is_tag = target >= len(SPECIAL)
    return torch.where(is_tag, target.long() - len(SPECIAL), NO_TAG), is_tag
