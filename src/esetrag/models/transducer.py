"""A network that writes, with edit rules beside it: each proposes outputs, and both vote on all of them."""

from __future__ import annotations

from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional

from esetrag.models.blend import Blend
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import EOS, PAD

NEVER = -1e4
"""The logit of a candidate that there is not."""
AT_ONCE = 1024
"""Words whose outputs are searched at once."""


class Writer(Protocol):
    """What an expert of a transducer can do."""

    @property
    def most(self) -> int:
        """How many outputs of a word it proposes at the most."""

    def propose(self, source: Sequences) -> Tensor:
        """Outputs for each word, (b, c, u); all PAD where there are fewer."""

    def score(self, source: Sequences, row: Tensor, ids: Tensor) -> Tensor:
        """Log probability of given outputs ``ids`` (k, u) of the words ``row`` (k,), in nats, (k,)."""


class Candidates(NamedTuple):
    """What is proposed for each word, each output once."""

    ids: Tensor  # (b, c, u), EOS at the end, PAD behind; all PAD where there are fewer
    scores: Tensor  # (experts, b, c) log probabilities in nats; NEVER where there is no candidate


class Transducer(Blend):
    """Weighted log probabilities of candidates are added, as of the labels of a ``Blend``."""

    @property
    def most(self) -> int:
        """The largest number of candidates of a word."""
        return sum(cast("Writer", expert).most for expert in self.networks)

    def candidates(self, rows: Sequences) -> Candidates:
        """What the experts propose for words, and how probable each of them finds all of it."""
        places = torch.arange(len(rows.lengths)).split(AT_ONCE) if len(rows.lengths) else ()
        parts = [self._candidates(rows[part]) for part in places]
        c, u = (max((part.ids.shape[size] for part in parts), default=1) for size in (1, 2))
        ids = [
            functional.pad(p.ids, (0, u - p.ids.shape[2], 0, c - p.ids.shape[1]), value=PAD) for p in parts
        ]
        scores = [functional.pad(p.scores, (0, c - p.scores.shape[2]), value=NEVER) for p in parts]
        none = torch.empty(0, c, u, dtype=torch.int64)
        return Candidates(
            torch.cat([none, *ids]), torch.cat([torch.empty(len(self.weights), 0, c), *scores], 1)
        )

    def logits(self, candidates: Candidates) -> Tensor:
        """The blended logits of candidates, (b, c)."""
        blended = torch.tensordot(self.weights, candidates.scores, 1)
        return torch.where((candidates.ids == EOS).any(2), blended, NEVER)

    @torch.inference_mode()
    def _candidates(self, source: Sequences) -> Candidates:
        writers = [cast("Writer", expert) for expert in self.networks]
        proposed = [writer.propose(source) for writer in writers]
        width = max(ids.shape[2] for ids in proposed)
        ids = torch.cat([functional.pad(i, (0, width - i.shape[2]), value=PAD) for i in proposed], 1)
        same = (ids[:, :, None] == ids[:, None]).all(3).tril(-1).any(2)  # (b, c), as an earlier one
        ids = torch.where(same[..., None], PAD, ids)
        row, column = (ids == EOS).any(2).nonzero(as_tuple=True)
        scores = torch.full((len(writers), *ids.shape[:2]), NEVER)
        for number, writer in enumerate(writers):
            scores[number, row, column] = writer.score(source, row, ids[row, column])
        return Candidates(ids, scores)

    def ranked(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits of the candidates, (b, c), and which of them is the target."""
        candidates = self.candidates(batch.source)
        return self.logits(candidates), self.matches(candidates, batch)

    def matches(self, candidates: Candidates, batch: Batch) -> Tensor:
        """Whether each candidate is its row's target, (b, c) bool."""
        wanted = batch.target
        width = max(wanted.shape[1], candidates.ids.shape[2])
        padded = functional.pad(candidates.ids, (0, width - candidates.ids.shape[2]), value=PAD)
        return (padded == functional.pad(wanted, (0, width - wanted.shape[1]), value=PAD)[:, None]).all(2)
