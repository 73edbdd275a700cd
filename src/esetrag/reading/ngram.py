"""The linear reader: every n-gram at an end of a form weighs for and against every label."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from esetrag.project.params import Head, Model

BASE = 1_000_003
"""Of the rolling hash; products wrap around at 64 bits."""
ABSENT = 0
"""The hash of an n-gram that a form is too short for."""


class NgramClassifier(nn.Module):
    """Adds up the weights of the n-grams at a form's ends (a softmax regression).

    The n-grams are the last 1 to ``longest`` symbols with BOS counted, the same with the symbol
    before them left open and the next one given, and the first 1 to ``longest / 2`` symbols.
    They are known by their hash of 64 bits; one that no training form showed weighs nothing. What
    the lemmas say of a form (``inflection.Inflection``) is added, if they were asked.
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
        if len(self.grams) == 0:
            return torch.zeros_like(wanted)
        found = torch.searchsorted(self.grams, wanted).clamp_max(len(self.grams) - 1)
        return torch.where(self.grams[found] == wanted, found + 1, 0)

    def score(self, places: Tensor) -> Tensor:
        """Logits (b, labels) of forms given by the places of their n-grams."""
        summed = functional.embedding_bag(places, self.weight, mode="sum", padding_idx=0)
        return summed + self.bias


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
    rows = torch.arange(len(lengths), device=ids.device)
    last = lengths.long() - 2  # the last symbol before EOS; BOS stands at 0
    columns = []

    def symbol(place: Tensor) -> Tensor:
        return ids[rows, place.clamp(0, ids.shape[1] - 1)].long() + 1

    suffix = torch.zeros_like(last)
    for size in range(1, longest + 1):
        place = last - (size - 1)
        suffix = suffix * BASE + symbol(place)
        columns.append(torch.where(place >= 0, mixed(suffix, size), ABSENT))
        if 2 * size <= longest + 1 and not suffixes_only:
            beyond = place - 2  # one symbol is left open
            gapped = suffix * BASE + symbol(beyond)
            columns.append(torch.where(beyond >= 0, mixed(gapped, size + 2**8), ABSENT))
    prefix = torch.zeros_like(last)
    for size in range(1, longest // 2 + 1) if not suffixes_only else ():
        prefix = prefix * BASE + symbol(torch.full_like(last, size))
        columns.append(torch.where(last >= size, mixed(prefix, size + 2**9), ABSENT))
    return torch.stack(columns, dim=1)


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


def mixed(sums: Tensor, kind: int) -> Tensor:
    """Sums of different kinds of n-grams kept apart."""
    return (sums * BASE + kind) * -7046029254386353131  # an odd factor: no two sums become one
