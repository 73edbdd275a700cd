"""How probable a lemma is as a word: a character model with interpolated Kneser-Ney smoothing.

Kneser and Ney (1995), *Improved backing-off for m-gram language modeling*, in the interpolated form of Chen
and Goodman (1999), over distinct lemmas. It is stored as a back-off model: of each string of symbols the
probability of its last one after those before, and the share a context leaves to shorter ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from esetrag.models.hashing import Hashing, look_up
from esetrag.symbols.vocabulary import BOS, EOS, PAD

ORDER = 5
"""Symbols of the longest string."""
DISCOUNT = 0.7
"""What seen strings give up to unseen ones."""
CONTEXTS = np.arange(1, ORDER)
"""Symbols of each context."""
STRINGS = Hashing.of([(range(ORDER - 1, ORDER - 1 - size, -1), size) for size in range(1, ORDER + 1)], ORDER)
"""Of the last 1 to ``ORDER`` symbols of rows of ``ORDER``."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class CharacterModel(nn.Module):
    """Probabilities of symbols after the symbols before them."""

    keys: Tensor
    log_probability: Tensor
    backoff: Tensor

    def __init__(self, keys: Tensor, log_probability: Tensor, backoff: Tensor) -> None:
        """Takes what ``fit`` makes, or tensors to load it into.

        Args:
            keys: (g,) int64, sorted hashes of strings.
            log_probability: (g + 1,) of each string's last symbol; first that of one never seen.
            backoff: (g + 1,) log share that each string, as a context, leaves to its shorter ones.
        """
        super().__init__()
        self.register_buffer("keys", keys)
        self.register_buffer("log_probability", log_probability)
        self.register_buffer("backoff", backoff)

    @classmethod
    def fit(cls, words: Ids, lengths: Ids, power: float = 1.0) -> CharacterModel:
        """Counts the strings of words.

        Args:
            words: (n, w) symbols without marks, each word once, PAD behind.
            lengths: (n,)
            power: of the probabilities, less than 1 brings them nearer to each other.
        """
        width = words.shape[1] + 2
        marked = np.full((len(words), ORDER - 1 + width), PAD, dtype=np.int64)
        marked[:, ORDER - 1] = BOS
        marked[:, ORDER:-1] = words
        marked[np.arange(len(words)), ORDER + lengths] = EOS
        hashed = strings(marked, width)  # (n, width, ORDER)
        last = marked[:, -width:]
        row, column = np.nonzero((last != PAD) & (last != BOS))
        levels: list[tuple[Ids, Floats]] = []
        contexts: list[tuple[Ids, Floats]] = []
        below = np.zeros(len(row), dtype=np.int64)  # the place of each string without its first symbol
        lower: Floats = np.full(1, 1 / (len(np.unique(last[row, column])) + 1))
        unseen = 0.0
        for size in range(1, ORDER + 1):
            within = column >= size - 1  # no string begins before BOS, in column 0
            row, column, below = row[within], column[within], below[within]
            of_string = hashed[row, column, size - 1]
            names, first, which, counts = np.unique(
                of_string, return_index=True, return_inverse=True, return_counts=True
            )
            if size < ORDER:  # the number of different symbols before it, unless it begins the word
                longer = column >= size
                before = np.unique(hashed[row[longer], column[longer], size], return_index=True)[1]
                kinds = np.bincount(which[longer][before], minlength=len(names))
                counts = np.where(column[first] == size - 1, counts, kinds)
            context = hashed[row[first], column[first] - 1, size - 2] if size > 1 else np.zeros_like(names)
            known, of_context = np.unique(context, return_inverse=True)
            total = np.bincount(of_context, counts, minlength=len(known))
            left = DISCOUNT * np.bincount(of_context, minlength=len(known)) / total
            probability = np.maximum(counts - DISCOUNT, 0) / total[of_context]
            probability += left[of_context] * lower[below[first]]
            levels.append((names, probability))
            if size == 1:
                unseen = float(left[0] * lower[0])
            else:
                contexts.append((known, left))
            below, lower = which, probability
        keys, log_probability, backoff = _joined(levels, contexts, unseen)
        return cls(keys, power * log_probability, power * backoff)

    @classmethod
    def empty(cls, shapes: Mapping[str, tuple[int, ...]]) -> CharacterModel:
        """One whose tables are to be loaded, of as many keys as ``shapes`` has for ``lemmas.keys``."""
        size = (*shapes.get("lemmas.keys", ()), 0)[0]
        return cls(torch.empty(size, dtype=torch.int64), torch.empty(size + 1), torch.empty(size + 1))

    def places(self, symbols: Ids, columns: int) -> Ids:
        """Places of the strings that ``strings`` hashes, (n, columns, ORDER); 0 for unknown ones."""
        return look_up(self.keys, strings(symbols, columns))

    def log_probabilities(self, own: Ids, before: Ids) -> npt.NDArray[np.float32]:
        """Log probabilities of symbols after the ``ORDER - 1`` symbols before them.

        Args:
            own: (..., ORDER) places of the strings that end in the symbols.
            before: (..., ORDER) of those that end in the symbols before.

        Returns:
            (...)
        """
        seen = (own > 0) @ np.ones(ORDER, np.int64)  # symbols of the longest string that is known
        longest = own.reshape(-1, ORDER)[np.arange(seen.size), seen.ravel() - 1]  # 0 if none is
        logs: npt.NDArray[np.float32] = self.log_probability.numpy().take(longest).reshape(seen.shape)
        # Contexts that do not know the symbol leave it to shorter ones.
        left = self.backoff.numpy().take(before[..., :-1])
        left *= seen[..., None] <= CONTEXTS
        backed = left[..., 0]
        for size in range(1, ORDER - 1):  # in this order, however many rows there are
            backed += left[..., size]
        logs += backed
        return logs


def strings(symbols: Ids, columns: int) -> Ids:
    """Hashes of the strings of 1 to ``ORDER`` symbols that end in the last columns, (n, columns, ORDER).

    Args:
        symbols: (n, t) ids with marks, PAD where there is none, t >= ``ORDER - 1 + columns``.
        columns: number of the last columns.
    """
    first = symbols.shape[1] - columns - ORDER + 1
    return STRINGS(symbols[:, np.arange(first, first + columns)[:, None] + np.arange(ORDER)])


def _joined(
    levels: list[tuple[Ids, Floats]], contexts: list[tuple[Ids, Floats]], unseen: float
) -> tuple[Tensor, Tensor, Tensor]:
    keys = np.unique(np.concatenate([names for names, _ in [*levels, *contexts]]))
    probability, backoff = np.full(len(keys) + 1, unseen), np.ones(len(keys) + 1)
    for names, values in levels:
        probability[np.searchsorted(keys, names) + 1] = values
    for names, values in contexts:
        backoff[np.searchsorted(keys, names) + 1] = values
    logs = [torch.from_numpy(np.log(values)).float() for values in (probability, backoff)]
    return torch.from_numpy(keys), logs[0], logs[1]
