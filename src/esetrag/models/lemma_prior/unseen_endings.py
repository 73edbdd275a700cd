"""How probable an ending is that no training row has, symbol by symbol from the end of the word.

Few rows have few of a language's endings: *-ákba* is new, but all that ends in *-kba* was plural. So each
value has its own probabilities of the next symbol to the left, or of none; where its rows are few, those
of all values together count (Witten and Bell 1991), and after those any symbol.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OF_ALL, OF_ANY = 0.3, 0.5
"""Changes that the probabilities of all values, and those of any symbol, count as."""
OVER = 0.5
"""Probability that an ending is over after each symbol beyond those of the training rows."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class UnseenEndings:
    """Probabilities of endings by their last symbols, as far as these end an ending of a training row."""

    names: Ids  # (e,) of these last symbols, ascending
    complete: Floats  # (e, labels) that a new ending of each value is just that
    extended: (
        Floats  # (e, labels) that it ends in that, with a symbol before it that no training row has there
    )
    extra: Floats  # (reach + 1,) of 0, 1, … given symbols before that one

    @classmethod
    def of(cls, tails: Ids, lengths: Ids, values: Ids, labels: int, symbols: int) -> UnseenEndings:
        """Counts the distinct changes of each value.

        Args:
            tails: (c, reach + 1) names of the last 0, 1, … symbols of each change's ending.
            lengths: (c,) symbols of the ending.
            values: (c,)
            labels: number of labels.
            symbols: number of symbols.
        """
        change, size = np.nonzero(np.arange(tails.shape[1]) <= lengths[:, None])
        names, of_tail = np.unique(tails[change, size], return_inverse=True)
        node = np.zeros(tails.shape, dtype=np.int64)
        node[change, size] = of_tail.ravel()

        def counted(nodes: Ids, of_value: Ids) -> Floats:
            cells: Floats = np.zeros((len(names), labels))
            np.add.at(cells, (nodes, of_value), 1)
            return cells

        begun = counted(node[change, size], values[change])
        over = counted(node[np.arange(len(node)), lengths], values)
        any_symbol = 1 / (symbols + 1)  # or none

        def probability(counts: Floats, among: Floats) -> Floats:
            of_all: Floats = counts.sum(1, keepdims=True) + OF_ANY * any_symbol
            of_all /= among.sum(1, keepdims=True) + OF_ANY
            own: Floats = (counts + OF_ALL * of_all) / (among + OF_ALL)
            return own

        reached = np.ones_like(begun)
        for length in range(1, tails.shape[1]):
            long = change[size == length]
            own, first = np.unique(node[long, length], return_index=True)
            behind = node[long[first], length - 1]
            reached[own] = reached[behind] * probability(begun[own], begun[behind])
        return cls(
            names=names,
            complete=reached * probability(over, begun),
            extended=reached * probability(np.zeros_like(over), begun),
            extra=OVER * np.power((1 - OVER) / symbols, np.arange(tails.shape[1])),
        )
