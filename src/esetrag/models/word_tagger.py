"""A tag for each word of a sentence: words by vector and letters, a BiLSTM over them, a linear layer."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from esetrag.core.config import WordTaggerModel
from esetrag.data import sentences
from esetrag.models.blend import Blend
from esetrag.models.encoder import Encoder
from esetrag.models.network import NEVER
from esetrag.models.tagger import TagNetwork, wanted_tags
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import IGNORED, PAD, UNK, Vocabulary

LETTERS = 40
"""Letters of a word that are read, the last ones."""
AT_ONCE = 4096
"""Words whose letters are read at once."""


class WordTagger(TagNetwork):
    """Scores the tags of words.

    A word enters as the sum of a vector of its own and of what a BiLSTM makes of its letters. An unknown word
    has no vector, and in training some known ones lose theirs.
    """

    at_once = 512

    def __init__(self, vocabulary: Vocabulary, model: WordTaggerModel) -> None:
        """Builds the layers; weights come from torch's global generator.

        Args:
            vocabulary: of letters, words and tags.
            model: sizes and dropout.
        """
        super().__init__(len(vocabulary.labels), "softmax")
        self.space, self.letters_end = vocabulary.ids.get(sentences.SPACE, UNK), len(vocabulary.symbols)
        self.word_dropout = model.word_dropout
        self.letters = Encoder(self.letters_end, model.embedding, model.hidden, 1, True, model.dropout)
        sizes = (self.letters.size, model.hidden, model.layers, True, model.dropout)
        self.words = Encoder(1 + len(vocabulary.words), *sizes)
        self.output = nn.Linear(self.words.size, self.labels)
        self.follows = torch.tensor(sentences.legal(vocabulary.labels), device="cpu")

    def is_sound(self) -> bool:
        """Whether the vocabulary has the space that unknown words begin with."""
        return self.space != UNK

    def forward(self, batch: Batch) -> Tensor:
        """Logits of the tags of words, (b, words, tags); those behind a sentence have no meaning."""
        ids, lengths = batch.source.ids, batch.source.lengths
        begins = self.begins(batch.source)
        row, start = begins.nonzero(as_tuple=True)  # (n,) of all words
        count = begins.sum(1)
        is_last = torch.diff(row, append=row.new_full((1,), len(ids))) > 0
        end = torch.where(is_last, lengths[row] - 1, start.roll(-1))
        size = (end - start - 1).clamp(1, LETTERS)
        place = (end - size)[:, None] + torch.arange(LETTERS, device=ids.device)
        inside = place < end[:, None]
        letters = torch.where(inside, ids[row[:, None], place.clamp_max(ids.shape[1] - 1)], PAD)
        word = (ids[row, start].long() - self.letters_end + 1).clamp_min(0)
        if self.training:
            word = word * (torch.rand(word.shape, device=word.device) >= self.word_dropout)
        states = [
            self.letters(Sequences(part[:, : int(length.max())], length)).final
            for part, length in zip(letters.split(AT_ONCE), size.split(AT_ONCE), strict=True)
        ]
        embedded = self.words.embedding(word) + torch.cat(states)
        x = embedded.new_zeros(len(ids), max(int(count.max()), 1), embedded.shape[1])
        x[row, torch.arange(len(row), device=ids.device) - (count.cumsum(0) - count)[row]] = embedded
        logits: Tensor = self.output(self.words.dropout(self.words.encode(x, count.clamp_min(1)).outputs))
        return logits

    def begins(self, source: Sequences) -> Tensor:
        """Where the symbols of words stand, known ones and spaces, (b, t) bool."""
        return (source.ids == self.space) | (source.ids >= self.letters_end)


class SentenceTagger(Blend):
    """Word taggers whose logits are averaged. What is ranked are the tags of each word of each sentence."""

    def ranked(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits (n, tags) of all words that have a tag, and which of them is true (bool)."""
        size = WordTagger.at_once
        parts = [self._ranked(batch[start : start + size]) for start in range(0, len(batch), size)]
        none = torch.empty(0, self.labels)
        return torch.cat([none, *(p[0] for p in parts)]), torch.cat([none.bool(), *(p[1] for p in parts)])

    @torch.inference_mode()
    def _ranked(self, batch: Batch) -> tuple[Tensor, Tensor]:
        count = cast("WordTagger", self.networks[0]).begins(batch.source).sum(1)
        logits = self.eval()(batch)  # (b, words, tags)
        logits = legal(torch.log_softmax(logits, 2), count, cast("WordTagger", self.networks[0]).follows)
        is_word = torch.arange(logits.shape[1]) < count[:, None]
        target = batch.target[:, : logits.shape[1]][is_word]
        asked = target != IGNORED
        true = wanted_tags(target)[0][:, None] == torch.arange(self.labels)
        return logits[is_word][asked], true[asked]


def legal(logs: Tensor, count: Tensor, follows: Tensor) -> Tensor:
    """The log probabilities of each word's tags beside its neighbours' tags in the best legal sequence.

    A tag that may not stand there is impossible, so that the most probable tags are that sequence (Viterbi
    1967): another one that may stand there and is more probable would be a better sequence.

    Args:
        logs: (b, words, tags).
        count: (b,) words.
        follows: (tags + 1, tags) which tag may follow which; the last row is the beginning.
    """
    if follows.all():
        return logs
    cost = torch.where(follows, 0.0, NEVER)
    words = torch.arange(logs.shape[1])
    total, came = logs[:, 0] + cost[-1], []
    for step in words[1:].tolist():
        best, before = (total[:, :, None] + cost[:-1]).max(1)  # (b, tags)
        goes_on = (step < count)[:, None]
        total = torch.where(goes_on, best + logs[:, step], total)
        came.append(torch.where(goes_on, before, torch.arange(logs.shape[2])))
    tags = [total.argmax(1)]
    for before in came[::-1]:
        tags.insert(0, before.gather(1, tags[0][:, None])[:, 0])
    path = torch.stack(tags, 1)  # (b, words); the last tag of a sentence stands behind it, too
    start = torch.full_like(path[:, :1], logs.shape[2])
    may_follow = follows[torch.cat([start, path[:, :-1]], 1)]
    may_precede = follows[:-1].T[path[:, 1:]]
    is_last = (words >= count[:, None] - 1)[:, :-1, None]
    allowed = may_follow.clone()
    allowed[:, :-1] &= may_precede | is_last
    return torch.where(allowed, logs, NEVER)
