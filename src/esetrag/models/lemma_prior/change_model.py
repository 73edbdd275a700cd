"""The changes that make forms of lemmas: how frequent each is for a value after a lemma's last symbols."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from esetrag.models.hashing import BASE, Hashing, mixed
from esetrag.models.lemma_prior.decomposition import Decomposition
from esetrag.models.lemma_prior.unseen_endings import UnseenEndings
from esetrag.symbols.vocabulary import BOS, EOS, PAD

REACH = 8
"""Symbols of the longest ending, and the most that a lemma loses; rows of longer ones are left out."""
BACKING = 0.3
"""Rows that what is known after a shorter end of the lemma counts as (Witten and Bell 1991)."""
RARE = 0.02
"""Share of rows with a change of their own at which half of these predict new ones (Good 1953): where there
are fewer, most belong to their lemma, and another lemma has none."""
OF_ENDING, OF_CHANGE, OF_VALUE = 2**10, 2**11, 2**12
"""Kinds of names, kept apart."""
ENDINGS = Hashing.of(
    [(range(REACH - 1, REACH - 1 - size, -1), OF_ENDING + size) for size in range(REACH + 1)], REACH
)
"""Of the last 0 to ``REACH`` symbols of rows of ``REACH``."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChangeModel:
    """The distinct changes ``dropped -> ending`` of each value, sorted by the name of the ending."""

    names: Ids  # (c,) of the endings
    behind: Ids  # (c, REACH + 1) names of the last 0 to REACH symbols of the ending
    lengths: Ids  # (c,) symbols of the ending
    values: Ids  # (c,)
    tails: Ids  # (c, m) the symbols dropped, EOS, PAD
    counts: Ids  # (c,) rows that have it
    of_pair: Ids  # (p,) the change of each row and value
    ends: Ids  # (p, 2) the last symbol of the lemma and the one before
    rows: Ids  # (labels,) of each value

    @classmethod
    def of(cls, rows: Decomposition, targets: npt.NDArray[np.bool_]) -> ChangeModel:
        """The distinct changes of rows that are split into stem and ending, of values (n, labels)."""
        row, value = np.nonzero(targets)
        fits = (rows.dropped[row] <= REACH) & (rows.endings.lengths[row] <= REACH)
        row, value = row[fits], value[fits]
        lemma, dropped = rows.lemmas[rows.own[row]], rows.dropped[row]
        ending = rows.endings[row]
        behind = endings(ending.reversed().ids[:, ::-1])  # PAD in front
        names = behind[np.arange(len(row)), ending.lengths]
        column = np.arange(dropped.max(initial=0) + 1)
        place = lemma.lengths[:, None] - dropped[:, None] + column
        tails = np.take_along_axis(lemma.ids, place.clip(0, lemma.ids.shape[1] - 1), 1)
        tails = np.select([column < dropped[:, None], column == dropped[:, None]], [tails, EOS], PAD)
        kinds = np.column_stack([names, value, tails])
        distinct, first, of_pair, counts = np.unique(kinds, True, True, True, axis=0)
        at = lemma.lengths[:, None] - np.array([1, 2])
        ends = np.take_along_axis(lemma.ids, at.clip(0), 1)
        return cls(
            names=distinct[:, 0],
            behind=behind[first],
            lengths=ending.lengths[first],
            values=distinct[:, 1],
            tails=distinct[:, 2:],
            counts=counts,
            of_pair=of_pair.ravel(),
            ends=np.select([at >= 0, at == -1], [ends, BOS], PAD),
            rows=targets.sum(0),
        )

    @property
    def once(self) -> Floats:
        """Share of the rows of each value whose change no other row of it has, (labels,)."""
        single = np.bincount(self.values[self.counts == 1], minlength=len(self.rows))
        return np.minimum((single + 0.5) / (self.rows + 1), 1)

    def tables(self, symbols: int) -> dict[str, Tensor]:
        """What the prior looks up (``TABLES``), if an unseen ending is made of so many symbols."""
        rows = np.maximum(self.rows, 1)
        share = (self.rows + 0.5) / (self.rows + 0.5).sum()
        mean = self.once.mean()
        new = self.once * mean / (mean + RARE)
        frequency = self.counts / rows[self.values]
        unseen = UnseenEndings.of(self.behind, self.lengths, self.values, len(rows), symbols)
        keys, log_probability, backoff = self._after_ends(frequency)
        none = np.zeros((1, len(rows)))  # of what no ending ends in
        floats = {
            "frequency": np.log(frequency),
            "log_probability": log_probability,
            "backoff": backoff,
            "seen": np.log(share * (1 - new)),
            "unseen": np.log(share * new),
            "complete": np.concatenate([none, unseen.complete]),
            "extended": np.concatenate([none, unseen.extended]),
            "extra": unseen.extra,
        }
        integers = {
            "endings": unseen.names,
            "first": np.append(np.searchsorted(self.names, unseen.names), len(self.names)),
            "value": self.values,
            "tail": self.tails,
            "keys": keys,
        }
        tables = {name: torch.from_numpy(values).float() for name, values in floats.items()}
        return tables | {name: torch.from_numpy(values.copy()) for name, values in integers.items()}

    def _after_ends(self, frequency: Floats) -> tuple[Ids, Floats, Floats]:
        """Names of changes, and of values, after an end of a lemma; log chances; log shares left."""
        last, before = self.ends.T
        change, value = self.of_pair, self.values[self.of_pair]
        shorter = frequency[self.of_pair]
        levels: list[tuple[Ids, Floats, Floats]] = []
        for number, end in enumerate(lemma_ends(last, before)):
            names, first, which, counts = np.unique(after(end, change, OF_CHANGE + number), True, True, True)
            groups, group, sizes = np.unique(
                after(end, value, OF_VALUE + number), return_inverse=True, return_counts=True
            )
            of_group = sizes[group[first]]
            probability = (counts + BACKING * shorter[first]) / (of_group + BACKING)
            levels.append((names, np.log(probability), np.zeros(len(names))))
            levels.append((groups, np.zeros(len(groups)), np.log(BACKING / (sizes + BACKING))))
            shorter = probability[which]
        names, logs, backoffs = (np.concatenate(columns) for columns in zip(*levels, strict=True))
        order = np.argsort(names)
        return names[order], np.append(0, logs[order]), np.append(0, backoffs[order])


def endings(symbols: Ids) -> Ids:
    """Names of the last 0 to ``REACH`` symbols of rows, (n, REACH + 1)."""
    return ENDINGS(np.pad(symbols, ((0, 0), (REACH, 0)))[:, -REACH:])


def lemma_ends(last: Ids, before: Ids) -> Ids:
    """The last symbol of lemmas, and the last two, as one number each; (2, n)."""
    return np.array([last + 1, (last + 1) * BASE + before + 1])


def after(end: Ids, what: Ids, kind: int | Ids) -> Ids:
    """Names of changes or values after an end of a lemma."""
    return mixed(end * BASE + what, kind)


TABLES = {
    "endings": (torch.int64, "e"),
    "first": (torch.int64, "e+"),
    "value": (torch.int64, "c"),
    "tail": (torch.int64, "cm"),
    "frequency": (torch.float32, "c"),
    "keys": (torch.int64, "k"),
    "log_probability": (torch.float32, "k+"),
    "backoff": (torch.float32, "k+"),
    "seen": (torch.float32, "l"),
    "unseen": (torch.float32, "l"),
    "complete": (torch.float32, "e+l"),
    "extended": (torch.float32, "e+l"),
    "extra": (torch.float32, "r"),
}
"""Type and axes of every table: e endings, c changes, m symbols dropped, k keys, l labels, r reach; e+ is
one more."""


def empty(shapes: Mapping[str, tuple[int, ...]], labels: int) -> dict[str, Tensor]:
    """Tables to be loaded, of the sizes in ``shapes`` (by name) where training decides them."""
    sizes = {"l": labels, "r": REACH + 1}
    for letter, name, axis in (("e", "endings", 0), ("c", "value", 0), ("m", "tail", 1), ("k", "keys", 0)):
        shape = shapes.get(name, ())
        sizes[letter] = shape[axis] if len(shape) > axis else 0
    return {
        name: torch.empty(
            [sizes[axis[0]] + len(axis) - 1 for axis in re.findall(r"\w\+?", axes)], dtype=dtype
        )
        for name, (dtype, axes) in TABLES.items()
    }
