"""The linear classifier: every n-gram at an end of a word has a weight for each label."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from esetrag.core.config import NgramModel
from esetrag.models.hashing import Hashing, look_up
from esetrag.models.network import Network, difference
from esetrag.symbols.batch import Batch, Sequences

ABSENT = 0
"""The hash of an n-gram that a word is too short for."""

Ids = npt.NDArray[np.int64]


class NgramClassifier(Network):
    """Adds up the weights of the n-grams at a word's ends (softmax regression).

    The n-grams are the last 1 to ``longest`` symbols, BOS counted. With ``prefixes`` there are also the
    same with the symbol before them left open and the next one given, and the first 1 to ``longest / 2``
    symbols. They are identified by a hash of 64 bits; one that no training word has weighs nothing.
    """

    grams: Tensor

    def __init__(self, grams: Tensor, labels: int, model: NgramModel) -> None:
        """Builds a classifier whose weights are all zero.

        Args:
            grams: (g,) int64, sorted hashes of the n-grams that have weights.
            labels: number of labels.
            model: which n-grams there are.
        """
        super().__init__(labels, model.head)
        self.longest, self.prefixes = model.longest, model.prefixes
        self.register_buffer("grams", grams)
        self.weight = nn.Parameter(torch.zeros(len(grams) + 1, labels))  # row 0: unknown n-grams
        self.bias = nn.Parameter(torch.zeros(labels))

    def is_sound(self) -> bool:
        """Whether the n-grams ascend, each once, all of them real."""
        return bool((self.grams[1:] > self.grams[:-1]).all()) and not bool((self.grams == ABSENT).any())

    def forward(self, batch: Batch) -> Tensor:
        """Logits of words, (b, labels)."""
        places = self.places(batch.source)
        return functional.embedding_bag(places, self.weight, mode="sum", padding_idx=0) + self.bias

    def places(self, words: Sequences) -> Tensor:
        """The rows of ``weight`` of each word's n-grams, (b, n-grams); 0 where there is none."""
        hashed = hashes(words, self.longest, self.prefixes)
        return torch.from_numpy(look_up(self.grams, hashed.numpy()))

    @torch.no_grad()
    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """Exact: the weight of an n-gram is shared equally among its letters; the rest is the bias."""
        places = self.places(batch.source)  # (b, n-grams)
        weights = self.weight[places, label[:, None]] - self.weight[places, against[:, None]]
        letters = spans(batch.source, self.longest, self.prefixes)  # (b, n-grams, t)
        letters[:, :, 0] = False  # BOS has no share: it only says where the letters are
        shares = torch.where(places > 0, weights, 0) / letters.sum(2).clamp_min(1)
        symbols = (shares[..., None] * letters).sum(1)
        return symbols, difference(self.bias.expand(len(batch), -1), label, against)


def hashes(words: Sequences, longest: int, prefixes: bool) -> Tensor:
    """Hashes of the n-grams of words, (b, n-grams) int64; ``ABSENT`` where a word is too short."""
    hashing, places, fewest = _at_ends(longest, prefixes)
    ids = words.ids.numpy()
    last = words.lengths.numpy().astype(np.int64)[:, None] - 2  # the symbol before EOS; BOS is at 0
    place = np.minimum(np.maximum(np.where(places > 0, places, last + places), 0), ids.shape[1] - 1)
    symbols = ids[np.arange(len(ids))[:, None], place]
    return torch.from_numpy(hashing(symbols.astype(np.int64)) * (last >= fewest))


@cache
def _ngrams(longest: int, prefixes: bool) -> list[tuple[list[int], int, int]]:
    """The n-grams: places of their symbols, kind, least place of the last symbol of a word that has it.

    Places count from the last symbol back (0, -1, …) and from the first symbol on (1, 2, …).
    """
    ngrams: list[tuple[list[int], int, int]] = []
    for size in range(1, longest + 1):
        suffix = list(range(0, -size, -1))
        ngrams.append((suffix, size, size - 1))
        if prefixes and 2 * size <= longest + 1:
            ngrams.append(([*suffix, -size - 1], size + 2**8, size + 1))  # one symbol is left open
    starts = range(1, longest // 2 + 1) if prefixes else ()
    return ngrams + [(list(range(1, size + 1)), size + 2**9, size) for size in starts]


@cache
def _at_ends(longest: int, prefixes: bool) -> tuple[Hashing, Ids, Ids]:
    """The hashing of all n-grams, the places of the symbols it takes, the least last place of each."""
    places = [*range(0, -longest - 2, -1), *range(1, longest // 2 + 1)]
    column = {place: number for number, place in enumerate(places)}
    ngrams = _ngrams(longest, prefixes)
    strings = [([column[place] for place in symbols], kind) for symbols, kind, _ in ngrams]
    return Hashing.of(strings, len(places)), np.array(places), np.array([fewest for *_, fewest in ngrams])


def spans(words: Sequences, longest: int, prefixes: bool) -> Tensor:
    """Which symbols each n-gram is made of, (b, n-grams, t) bool; none where a word is too short."""
    position = torch.arange(words.ids.shape[1])
    last = words.lengths.long()[:, None] - 2
    columns = []
    for symbols, _, fewest in _ngrams(longest, prefixes):
        at = torch.tensor(symbols)
        place = torch.where(at > 0, at, last + at)  # (b, symbols of the n-gram)
        columns.append((position == place[..., None]).any(1) & (last >= fewest))
    return torch.stack(columns, dim=1)
