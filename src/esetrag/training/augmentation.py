"""Forms made by analogy: what a row does to its lemma is done to another lemma.

``ház : házban = kert : kertban``. The proportional analogy is the oldest account of inflection
(Paul 1880, ch. 5). Such forms need not be right to teach where a stem ends and what an ending
may follow: the broken vowel harmony says nothing wrong about the case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from esetrag.models.lemma_prior.decomposition import Decomposition, Words
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.encoding import MARKS, Keep
from esetrag.symbols.vocabulary import BOS, EOS, PAD, Vocabulary

Ids = npt.NDArray[np.int64]


class Augmentation(Protocol):
    """Makes rows that the table does not have."""

    def replace(self, batch: Batch, share: float, rng: np.random.Generator) -> Batch:
        """Puts new rows in the place of a share of the training rows, each with its row's target."""


@dataclass(frozen=True)
class Analogies:
    """The changes of some rows, applied to each other's lemmas."""

    rows: Decomposition
    vocabulary: Vocabulary
    """By which the forms made are encoded; stems and endings are characters whatever its unit."""
    keep: Keep
    """The end of a longer form that stays."""
    unaccented: float = 0.0
    """The share of the forms made that lack their accents, as many people type them."""

    def draw(self, rng: np.random.Generator, width: int) -> tuple[Ids, Ids]:
        """Makes one form of each row, of its label, with the stem of another lemma.

        The other lemma is a neighbour in the list that is sorted by the inflected end, at a
        log-uniform distance: lemmas that end alike inflect alike, remote ones separate stem and ending.

        Args:
            rng: source of random numbers.
            width: symbols a row, BOS and EOS counted.

        Returns:
            ids (rows, width) and lengths (rows,), as ``encoding.encode`` gives them.
        """
        words = self._words(rng)
        if self.unaccented:
            unaccented = rng.random(len(words.ids)) < self.unaccented
            words.ids[unaccented] = self.vocabulary.spelling.unaccented[words.ids[unaccented]]
        words = words.reversed() if self.rows.backwards else words
        if self.vocabulary.unit != "char":
            spelt = words.spelt(self.vocabulary.spelling)
            words = Words.of(spelt, self.vocabulary, words.ids.shape[1] + MARKS)
        kept = np.minimum(words.lengths, width - MARKS)
        start = words.lengths - kept if self.keep == "end" else np.zeros_like(kept)
        column = np.arange(width)
        place = np.clip(start[:, None] + column - 1, 0, words.ids.shape[1] - 1)
        ids = np.take_along_axis(words.ids, place, 1)  # (rows, width)
        ids[:, 0] = BOS
        ids[column > kept[:, None]] = PAD
        ids[np.arange(len(kept)), kept + 1] = EOS
        return ids, kept + MARKS

    def replace(self, batch: Batch, share: float, rng: np.random.Generator) -> Batch:
        """Puts forms made by analogy in the place of a share of the rows, each of its row's label."""
        ids, lengths = (torch.from_numpy(part) for part in self.draw(rng, batch.source.ids.shape[1]))
        device, source = batch.device, batch.source
        chosen = torch.from_numpy(rng.random(len(batch)) < share).to(device)
        mixed = Sequences(
            torch.where(chosen[:, None], ids.to(device, source.ids.dtype), source.ids),
            torch.where(chosen, lengths.to(device), source.lengths),
        )
        return Batch(mixed, batch.target, batch.weight)

    def _words(self, rng: np.random.Generator) -> Words:
        rows, lemmas = self.rows, self.rows.lemmas
        count = len(rows.own)
        distance = np.exp(rng.random(count) * np.log(max(len(lemmas.lengths), 1))).astype(np.int64)
        near = rows.own + np.where(rng.random(count) < 0.5, -distance, distance)
        anywhere = rows.first + (rng.random(count) * (rows.behind - rows.first)).astype(np.int64)
        other = lemmas[np.where((near < rows.first) | (near >= rows.behind), anywhere, near)]
        stem = other.lengths - rows.dropped
        lengths = stem + rows.endings.lengths
        column = np.arange(max(int(lengths.max(initial=0)), 1))
        last = rows.endings.ids.shape[1] - 1
        of_stem = other.ids[:, np.minimum(column, last)]
        of_ending = np.take_along_axis(rows.endings.ids, np.clip(column - stem[:, None], 0, last), 1)
        ids = np.where(column < stem[:, None], of_stem, of_ending)
        ids[column >= lengths[:, None]] = PAD
        return Words(ids, lengths)
