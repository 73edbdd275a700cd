"""New rows of few: the beginnings of stems are exchanged while their last letters stay.

What a word ends in decides how it inflects, so *kert* : *kertet* makes *bokert* : *bokertet*, and harmony
survives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from esetrag.data import edits
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import BOS, EOS, PAD
from esetrag.training.data import Data

KEPT = 4
"""Letters at the end that stay."""


@dataclass(frozen=True)
class Exchange:
    """Of rows whose targets are edit scripts: these stay as they are."""

    symbols: int
    """Ids of letters; those behind are values of features."""
    exchangeable: npt.NDArray[np.bool_]
    """(n,) whether a row's script leaves the beginning alone, and cuts no more than what stays."""

    @classmethod
    def of(cls, data: Data) -> Exchange:
        """Of training rows."""
        cuts = [edits.cut_of(s) if edits.is_cut(s) else (1, 0) for s in data.vocabulary.output.symbols]
        harmless = np.array([before == 0 and behind <= KEPT for before, behind in cuts])
        return cls(len(data.vocabulary.symbols), harmless[data.train.targets[:, 0]])

    def replace(self, batch: Batch, share: float, rng: np.random.Generator) -> Batch:
        """Gives a share of the rows the beginning of another row's word."""
        ids, lengths = (x.cpu().numpy().astype(np.int64) for x in (batch.source.ids, batch.source.lengths))
        rows, width = np.arange(len(ids)), ids.shape[1]
        features = (ids >= self.symbols).sum(1)
        letters = lengths - 2 - features
        other = rng.integers(0, len(ids), len(ids))
        kept = np.minimum(letters, KEPT)
        start = np.maximum(letters[other] - KEPT, 0)  # letters that are taken from the other word
        total = features + start + kept + 2
        wanted = (rng.random(len(ids)) < share) & self.exchangeable & (letters > KEPT) & (total <= width)
        column = np.arange(width)
        of_other = features[other][:, None] + 1 + column - (features + 1)[:, None]
        of_own = (lengths - 1 - kept - features - 1 - start)[:, None] + column
        in_start = (column > features[:, None]) & (column <= (features + start)[:, None])
        in_kept = (column > (features + start)[:, None]) & (column < (total - 1)[:, None])
        made = np.where(column <= features[:, None], ids, PAD)
        made = np.where(in_start, ids[other[:, None], np.clip(of_other, 0, width - 1)], made)
        made = np.where(in_kept, ids[rows[:, None], np.clip(of_own, 0, width - 1)], made)
        made[rows, np.minimum(total - 1, width - 1)] = EOS
        made[:, 0] = BOS
        ids[wanted], lengths[wanted] = made[wanted], total[wanted]
        source = Sequences(
            torch.from_numpy(ids).to(batch.source.ids), torch.from_numpy(lengths).to(batch.source.lengths)
        )
        return Batch(source, batch.target, batch.weight)
