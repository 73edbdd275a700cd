"""The linear reader: every n-gram at an end of a form weighs for and against every label."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from esetrag.core.config import Head, Model
from esetrag.models.hashing import Hashing, look_up

if TYPE_CHECKING:
    from esetrag.symbols.batch import Batch

ABSENT = 0
"""The hash of an n-gram that a form is too short for."""

Ids = npt.NDArray[np.int64]


class NgramClassifier(nn.Module):
    """Adds up the weights of the n-grams at a form's ends (a softmax regression).

    The n-grams are the last 1 to ``longest`` symbols with BOS counted, the same with the symbol
    before them left open and the next one given, and the first 1 to ``longest / 2`` symbols.
    They are known by their hash of 64 bits; one that no training form showed weighs nothing. What
    the lemmas say of a form (``inflection.LemmaPrior``) is added, if they were asked.
    """

    grams: Tensor
    inflection: nn.Module | None
    suffixes_only = False

    def __init__(self, grams: Tensor, labels: int, shape: Model) -> None:
        """Builds a reader that knows nothing yet.

        Args:
            grams: (g,) int64, sorted hashes of the n-grams that have weights.
            labels: number of labels.
            shape: ``longest`` is read.
        """
        super().__init__()
        self.longest = shape.longest
        self.labels = labels
        self.head: Head = shape.head
        self.inflection = None
        self.register_buffer("grams", grams)
        self.weight = nn.Parameter(torch.zeros(len(grams) + 1, labels))  # row 0: n-grams never seen
        self.bias = nn.Parameter(torch.zeros(labels))

    @staticmethod
    def shapes(grams: int, labels: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, without making one.

        Args:
            grams: number of n-grams that have weights.
            labels: number of labels.
        """
        return {"grams": (grams,), "weight": (grams + 1, labels), "bias": (labels,)}

    def ordered(self) -> bool:
        """Whether the n-grams stand as the look-up needs them: ascending, each once, all of them real."""
        return bool((self.grams[1:] > self.grams[:-1]).all()) and not bool((self.grams == ABSENT).any())

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Scores forms.

        Args:
            ids: (b, t) symbol ids, right-padded.
            lengths: (b,) int64, at least 1.

        Returns:
            (b, labels) logits.
        """
        scores = self.score(self.places(ids, lengths))
        return scores if self.inflection is None else scores + self.inflection(ids, lengths, self.head)

    def places(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The rows of ``weight`` that belong to each form's n-grams, (b, n-grams); 0 where there is none."""
        wanted = hashes(ids, lengths, self.longest, self.suffixes_only)
        return torch.from_numpy(look_up(self.grams, wanted.numpy()))

    def score(self, places: Tensor) -> Tensor:
        """Logits (b, labels) of forms given by the places of their n-grams."""
        summed = functional.embedding_bag(places, self.weight, mode="sum", padding_idx=0)
        return summed + self.bias

    @torch.no_grad()
    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """Exact contributions to the difference of two labels' logits.

        An n-gram's weight is shared equally among its symbols; the rest is the bias and what the lemmas say.

        Args:
            batch: n forms.
            label: (n,) int64, label ids.
            against: (n,) int64, other label ids.

        Returns:
            Contributions of the symbols (n, t), 0 at BOS, EOS and PAD; the rest (n,).
        """
        places = self.places(batch.ids, batch.lengths)  # (n, n-grams)
        weights = self.weight[places, label[:, None]] - self.weight[places, against[:, None]]
        symbols = spans(batch.lengths, batch.ids.shape[1], self.longest, self.suffixes_only)
        symbols[:, :, 0] = False  # BOS has no share
        shares = torch.where(places > 0, weights, 0) / symbols.sum(2).clamp_min(1)
        rest = self.bias.expand(len(batch), -1)
        if self.inflection is not None:
            rest = rest + self.inflection(batch.ids, batch.lengths, self.head)
        row = torch.arange(len(batch))
        return (shares[..., None] * symbols).sum(1), rest[row, label] - rest[row, against]


class SuffixClassifier(NgramClassifier):
    """The same without gaps and prefixes: what a reader is compared with."""

    suffixes_only = True


def hashes(ids: Tensor, lengths: Tensor, longest: int, suffixes_only: bool = False) -> Tensor:
    """Hashes of the n-grams at both ends of forms.

    Args:
        ids: (b, t) symbol ids with BOS and EOS, right-padded.
        lengths: (b,) BOS and EOS counted.
        longest: symbols of the longest one.
        suffixes_only: leaves out those with a gap and those at the beginning.

    Returns:
        (b, n-grams) int64; ``ABSENT`` where a form is too short.
    """
    hashing, places, fewest = _at_ends(longest, suffixes_only)
    last = lengths.numpy().astype(np.int64)[:, None] - 2  # the last symbol before EOS; BOS stands at 0
    place = np.minimum(np.maximum(np.where(places > 0, places, last + places), 0), ids.shape[1] - 1)
    symbols = ids.numpy()[np.arange(len(ids))[:, None], place]
    return torch.from_numpy(hashing(symbols.astype(np.int64)) * (last >= fewest))


@cache
def _at_ends(longest: int, suffixes_only: bool) -> tuple[Hashing, Ids, Ids]:
    """The n-grams at both ends of forms.

    Returns:
        Their hashing; the places of the symbols that it takes, counted from a form's last symbol back (0,
        -1, …) and from its first one on (1, 2, …); the least place of the last symbol of a form that has
        each n-gram.
    """
    strings: list[tuple[Iterable[int], int]] = []
    fewest: list[int] = []
    for size in range(1, longest + 1):
        strings.append((range(size), size))
        fewest.append(size - 1)
        if 2 * size <= longest + 1 and not suffixes_only:
            strings.append(([*range(size), size + 1], size + 2**8))  # one symbol is left open
            fewest.append(size + 1)
    back = longest + 2
    for size in range(1, longest // 2 + 1) if not suffixes_only else ():
        strings.append((range(back, back + size), size + 2**9))
        fewest.append(size)
    places = [*range(0, -back, -1), *range(1, longest // 2 + 1)]
    return Hashing.of(strings, len(places)), np.array(places), np.array(fewest)


def spans(lengths: Tensor, width: int, longest: int, suffixes_only: bool = False) -> Tensor:
    """The places whose symbols each n-gram of ``hashes`` is made of.

    Args:
        lengths: (b,) BOS and EOS counted.
        width: symbols a row.
        longest: symbols of the longest n-gram.
        suffixes_only: as ``hashes`` takes it.

    Returns:
        (b, n-grams, width) bool; nothing where a form is too short.
    """
    place = torch.arange(width, device=lengths.device)
    last = lengths.long()[:, None] - 2
    columns = []
    for size in range(1, longest + 1):
        first = last - (size - 1)
        suffix = (place >= first) & (place <= last)
        columns.append(suffix & (first >= 0))
        if 2 * size <= longest + 1 and not suffixes_only:
            columns.append((suffix | (place == first - 2)) & (first >= 2))
    prefixes = range(1, longest // 2 + 1) if not suffixes_only else ()
    columns += [(place >= 1) & (place <= size) & (last >= size) for size in prefixes]
    return torch.stack(columns, dim=1)
