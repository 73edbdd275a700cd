"""Longest-suffix edit rules: what was done to words of the same features that end alike.

The share of a script among the training rows of a bundle whose source ends in the same k letters, for k from
0 to the whole word; each is interpolated with that of the next shorter suffix (Witten and Bell 1991, method
C), so that rare suffixes say less. The non-neural baseline of SIGMORPHON's shared tasks takes the longest
suffix alone.

Short suffixes are also counted with the last vowels of the word, by class: *koromfolt* becomes *-ok* as other
words with back vowels do, whatever they end in. Which letters these are, ``harmony`` finds in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from esetrag.data import edits
from esetrag.models import harmony
from esetrag.models.hashing import BASE, look_up, mixed
from esetrag.models.network import Network
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import BOS, PAD, UNK, Vocabulary

LONGEST = 10
"""Letters of the longest suffix."""
SHORT = 3
"""Letters of the longest suffix that is also counted with the classes of the last vowels."""
LEVELS, FREQUENT = 6, 4
"""So many of a word's longest known suffixes propose so many of their most frequent scripts each …"""
PROPOSED = 4
"""… of which so many are proposed, the most probable ones."""
LEAST = 1e-6
"""The probability of a script that training never showed."""

Ids = npt.NDArray[np.int64]


class EditRules(Network):
    """A table of suffixes, with the scripts that training rows have behind them."""

    keys: Tensor  # (s,) int64, sorted hashes of suffixes, with the features
    totals: Tensor  # (s + 1,) float32, rows of each suffix; 0 in front
    kinds: Tensor  # (s + 1,) float32, distinct scripts of each suffix
    top: Tensor  # (s + 1, FREQUENT) int64, the most frequent scripts of each suffix; -1 where there are fewer
    pairs: Tensor  # (p,) int64, sorted hashes of suffix and script
    counts: Tensor  # (p + 1,) float32, rows of each pair
    scripts: Tensor  # (k, u) int64, all scripts of the training rows
    classes: Tensor  # (symbols or 0,) int64, 1 or 2 for letters of a class of ``harmony``, 0 for the others

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], symbols: int, labels: int) -> None:
        """A table without rows.

        Args:
            shapes: of its tensors; those that are not given are empty.
            symbols: ids of letters; those behind are values of features.
            labels: number of output symbols.
        """
        super().__init__(labels, "softmax")
        self.symbols = symbols
        for name, usual, kind in TENSORS:
            self.register_buffer(name, torch.zeros(shapes.get(name, usual), dtype=kind))

    @classmethod
    def fit(
        cls, source: Sequences, target: Tensor, symbols: int, labels: int, classes: Tensor | None = None
    ) -> EditRules:
        """Counts what the training rows do.

        Args:
            source: n training rows.
            target: (n, u) their scripts.
            symbols: as for the class, as are ``labels``.
            labels: see there.
            classes: of letters; None counts suffixes alone.
        """
        scripts, script = np.unique(target.numpy(), axis=0, return_inverse=True)
        rules = cls({}, symbols, labels)
        rules.classes = rules.classes if classes is None else classes
        hashed = rules._suffixes(source)  # (n, suffixes)
        there = hashed != 0
        key, number = hashed[there], np.repeat(script.ravel(), there.sum(1))
        keys, place = np.unique(key, return_inverse=True)
        cells, counts = np.unique(place * len(scripts) + number, return_counts=True)
        of_key, of_script = cells // len(scripts), cells % len(scripts)
        everywhere = np.bincount(script.ravel())[of_script]  # decides between scripts as frequent there
        order = np.lexsort((of_script, -everywhere, -counts, of_key))
        rank = np.arange(len(order)) - np.searchsorted(of_key[order], of_key[order])
        top = np.full((len(keys) + 1, FREQUENT), -1)
        first = rank < FREQUENT
        top[of_key[order][first] + 1, rank[first]] = of_script[order][first]
        pairs = mixed(keys[of_key], of_script)
        sort = np.argsort(pairs)
        columns = {
            "keys": keys,
            "totals": np.append(0, np.bincount(of_key, counts, len(keys))),
            "kinds": np.append(0, np.bincount(of_key, minlength=len(keys))),
            "top": top,
            "pairs": pairs[sort],
            "counts": np.append(0, counts[sort]),
            "scripts": scripts,
            "classes": rules.classes.numpy(),
        }
        for name, _, kind in TENSORS:
            setattr(rules, name, torch.from_numpy(columns[name]).to(kind))
        return rules

    @classmethod
    def of_rows(cls, rows: Batch, vocabulary: Vocabulary) -> EditRules:
        """Counts what training rows do whose targets are edit scripts."""
        sizes = len(vocabulary.symbols), len(vocabulary.output.symbols)
        written = [i for i, s in enumerate(vocabulary.output.symbols) if i > UNK and not edits.is_cut(s)]
        return cls.fit(rows.source, rows.target, *sizes, harmony.classes(rows, sizes[0], written))

    def is_sound(self) -> bool:
        """Whether its lists are as long as they should be, ascend and name nothing that there is not."""
        suffixes = {len(x) - 1 for x in (self.totals, self.kinds, self.top)} == {len(self.keys)}
        if not suffixes or len(self.counts) - 1 != len(self.pairs) or self.top.shape[1:] != (FREQUENT,):
            return False
        ascending = all(bool((x[1:] > x[:-1]).all()) for x in (self.keys, self.pairs))
        known = bool(((self.scripts >= 0) & (self.scripts < self.labels)).all())
        return ascending and known and int(self.top.max()) < len(self.scripts) and int(self.top.min()) >= -1

    @property
    def most(self) -> int:
        """Scripts that are proposed for a word."""
        return PROPOSED

    def propose(self, source: Sequences) -> Tensor:
        """Scripts for each word, (b, c, u), the most probable first; all PAD where there are fewer."""
        place = look_up(self.keys, self._suffixes(source))  # (b, suffixes), the shortest first
        known_last = np.argsort(place > 0, axis=1, kind="stable")[:, -LEVELS:]
        chosen = self.top[torch.from_numpy(np.take_along_axis(place, known_last, 1))].flatten(1)
        number = chosen.sort(1, descending=True).values  # (b, c), -1 for none
        number[:, 1:][number[:, 1:] == number[:, :-1]] = -1
        c = number.shape[1]
        some, at = (number >= 0).nonzero(as_tuple=True)
        scores = torch.full(number.shape, -torch.inf)
        scores[some, at] = self.score(source, some, self.scripts[number[some, at]])
        order = torch.argsort(scores, dim=1, descending=True, stable=True)[:, : min(c, self.most)]
        padded = torch.cat([self.scripts, torch.full_like(self.scripts[:1], PAD)])
        return padded[number.gather(1, order)]

    def score(self, source: Sequences, row: Tensor, ids: Tensor) -> Tensor:
        """Log probability of given scripts in nats, (k,); arguments as for ``Seq2seq.score``."""
        number = self._number(ids)
        hashed = self._suffixes(source)[row.numpy()]  # (k, suffixes)
        place = look_up(self.keys, hashed)
        pair = look_up(self.pairs, mixed(hashed, number[:, None])) * (number >= 0)[:, None]
        totals, kinds, counts = (x.double().numpy() for x in (self.totals, self.kinds, self.counts))
        probability = np.full(len(number), LEAST)
        for key, seen in zip(place.T, counts[pair].T, strict=True):  # from the shortest suffix on
            both = np.maximum(totals[key] + kinds[key], 1)
            shorter = probability
            probability = np.where(key > 0, (seen + kinds[key] * shorter) / both, shorter)
        return torch.from_numpy(np.log(probability)).float()

    @cached_property
    def _by_hash(self) -> tuple[Tensor, Ids]:
        """The hashes of all scripts, sorted; the script of each, behind -1."""
        known = _hash(self.scripts.numpy())
        order = np.argsort(known)
        return torch.from_numpy(known[order]), np.append(-1, order)

    def _number(self, ids: Tensor) -> Ids:
        """The number of each script (k,), -1 for those that training does not have."""
        hashes, numbers = self._by_hash
        number: Ids = numbers[look_up(hashes, _hash(ids.numpy()))]
        return number

    def _suffixes(self, words: Sequences) -> Ids:
        """Hashes of features and the last 0, 1, … letters, short ones also with classes of vowels.

        (b, suffixes), the more general ones first; 0 where a word is shorter or has no such vowels.
        """
        ids, lengths = words.ids.numpy().astype(np.int64), words.lengths.numpy()
        values, features = harmony.bundles(ids, self.symbols), (ids >= self.symbols).sum(1)
        last, before = self._vowels(ids)
        hashed, sums = [], np.ones(len(ids), np.int64)  # no hash is 0, also of no letters
        for size in range(LONGEST + 1):
            if size:
                at = lengths - 1 - size
                letter = ids[np.arange(len(ids)), np.maximum(at, 0)]
                sums = sums * BASE + np.where(letter >= self.symbols, BOS, letter) + 1
            # The beginning of the word counts as a letter.
            hashed.append(np.where(lengths - 1 - size >= features, mixed(sums + values, size), 0))
            if size <= SHORT and len(self.classes):
                plain = hashed[-1]
                hashed.append(np.where((plain != 0) & (last > 0), mixed(plain, last), 0))
                hashed.append(np.where((plain != 0) & (before > 0), mixed(plain, last + 3 * before), 0))
        return np.stack(hashed, 1)

    def _vowels(self, ids: Ids) -> tuple[Ids, Ids]:
        """The classes of the last two vowels of words (b,), 0 where there are fewer."""
        last, before = np.zeros((2, len(ids)), np.int64)
        classes = np.append(self.classes.numpy(), 0)
        for column in classes[np.minimum(ids, len(classes) - 1)].T:
            before, last = (np.where(column > 0, new, old) for new, old in ((last, before), (column, last)))
        return last, before


TENSORS = (
    *(("keys", (0,), torch.int64), ("totals", (1,), torch.float32), ("kinds", (1,), torch.float32)),
    *(("top", (1, FREQUENT), torch.int64), ("pairs", (0,), torch.int64), ("counts", (1,), torch.float32)),
    *(("scripts", (0, 1), torch.int64), ("classes", (0,), torch.int64)),
)
"""Name, shape without rows and type."""


def _hash(ids: Ids) -> Ids:
    """A hash of each row (n, u), whatever PAD is behind it."""
    sums = np.zeros(len(ids), np.int64)
    for column in ids.T:
        sums = np.where(column == PAD, sums, sums * BASE + column + 1)
    return sums
