"""Vowel harmony, found in training: letters of a word that tell which of several letters its ending has.

*-ban* and *-ben*, *-ok* and *-ek* do the same, and the vowels of a word say which of them it takes. Of what
a script writes, what is usual for its bundle is taken away; the rest is regressed on the letters of
the word. The first principal axis of the coefficients is what most letters agree on: in Hungarian *a, o, u*
stand at one end of it, *e, ö, ü* at the other, consonants in the middle. The letters at each end are a class.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from esetrag.models.hashing import FACTOR
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import PAD, UNK

MOST_ROWS, RIDGE = 5000, 10.0
"""Rows that are looked at; what is added to the squares, so that rare letters say less."""
LEAST_SHARE = 0.002
"""The share of the rows that has a letter, at the least."""
LEAST_DISTANCE = 0.25
"""How far from the middle a letter is, as a share of the farthest."""
LEAST_EXPLAINED = 0.25
"""The share of what varies along the axis that letters explain; of less there is no harmony."""

Ids = npt.NDArray[np.int64]


def classes(rows: Batch, symbols: int, written: list[int]) -> Tensor:
    """Finds them.

    Args:
        rows: n words and scripts.
        symbols: ids of letters; those behind are values of features.
        written: which output symbols are letters.

    Returns:
        (symbols,) int64: 1 or 2, or 0 for a letter that says nothing of it.
    """
    rows = rows[torch.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).long()]
    ids, row = rows.source.ids.numpy().astype(np.int64), np.arange(len(rows))
    _, bundle, size = np.unique(bundles(ids, symbols), return_inverse=True, return_counts=True)
    output = np.zeros((len(rows), int(rows.target.max()) + 1), np.float32)
    letters = np.zeros((len(rows), symbols), np.float32)
    for table, columns in ((output, rows.target.numpy().T), (letters, np.where(ids < symbols, ids, PAD).T)):
        for column in columns:
            table[row, column] = 1
    letters[:, : UNK + 1] = 0
    output = output[:, [i for i in written if i < output.shape[1]]]
    if not output.shape[1]:
        return torch.zeros(symbols, dtype=torch.int64)
    usual = np.zeros((len(size), output.shape[1]), np.float32)
    np.add.at(usual, bundle, output)
    unusual = output - (usual / size[:, None])[bundle]
    count = letters.sum(0)
    centred = letters - letters.mean(0)
    slopes = np.linalg.solve(centred.T @ centred + RIDGE * np.eye(symbols), centred.T @ unusual)
    axis = np.linalg.svd(slopes * np.sqrt(count)[:, None], full_matrices=False)[2][0]
    pull = np.where(count >= max(LEAST_SHARE * len(rows), RIDGE), slopes @ axis, 0)
    explained = np.square(centred @ pull).sum() >= LEAST_EXPLAINED * np.square(unusual @ axis).sum()
    is_clear = explained & (pull != 0) & (np.abs(pull) >= LEAST_DISTANCE * np.abs(pull).max())
    return torch.from_numpy(np.where(is_clear, np.where(pull > 0, 1, 2), 0))


def bundles(ids: Ids, symbols: int) -> Ids:
    """A hash of the values of features of each word, in any order, (b,)."""
    scrambled = ids * FACTOR
    scrambled = (scrambled ^ (scrambled >> 31)) * FACTOR  # sums of multiples of ids would be alike
    hashed: Ids = np.where(ids >= symbols, scrambled, 0).sum(1)
    return hashed
