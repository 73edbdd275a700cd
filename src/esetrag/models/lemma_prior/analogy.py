"""Forms made by analogy: what a row does to its lemma is done to another lemma.

``ház : házban = kert : kertban``. The proportional analogy is the oldest account of inflection
(Paul 1880, ch. 5); such forms need not be right to teach where a stem ends and what an ending
may follow: the harmony broken above tells nothing false about the case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esetrag.symbols import encoding
from esetrag.symbols.encoding import MARKS, Keep
from esetrag.symbols.vocabulary import BOS, EOS, PAD, Vocabulary

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Analogies:
    """Rules ``stem + dropped → stem + ending`` of some rows, and the lemmas they can be applied to.

    A table that inflects at the beginning of its words is read backwards.
    """

    backwards: bool
    lemmas: _Words
    """Each once, sorted from the inflected end."""
    own: Ids  # (rows,) place of the row's lemma among them
    first: Ids  # (rows,) the lemmas that end in what the rule drops: from here
    behind: Ids  # (rows,) to before here
    dropped: Ids  # (rows,) symbols that the lemma loses
    endings: _Words  # (rows,)
    vocabulary: Vocabulary
    """By which the forms made are read; stems and endings are characters whatever its unit."""

    @classmethod
    def of(cls, table: pa.Table, vocabulary: Vocabulary) -> Analogies:
        """Takes every row apart into what its form shares with its lemma and the rest.

        Args:
            table: labelled rows (``tables.SAMPLE``).
            vocabulary: symbols of the training forms, characters or subwords.
        """
        spelling = vocabulary.spelling
        longest = max(encoding.width_of(table[name], None) for name in ("lemma", "form"))
        lemmas, forms = (_Words.of(table[name], spelling, longest) for name in ("lemma", "form"))
        turned = lemmas.turned(), forms.turned()
        backwards = bool(_shared(*turned).sum() > _shared(lemmas, forms).sum())
        if backwards:
            lemmas, forms = turned
        stem = _shared(lemmas, forms)
        dropped = lemmas.lengths - stem
        column = np.arange(forms.ids.shape[1])
        from_end = lemmas.turned().ids
        keys, picked, own = np.unique(_keys(from_end), return_index=True, return_inverse=True)
        beyond = column >= dropped[:, None]
        return cls(
            backwards,
            lemmas[picked],
            own.astype(np.int64),
            np.searchsorted(keys, _keys(np.where(beyond, 0, from_end)), side="left").astype(np.int64),
            np.searchsorted(keys, _keys(np.where(beyond, _LAST, from_end)), side="right").astype(np.int64),
            dropped,
            forms.without(stem),
            vocabulary,
        )

    def draw(self, chance: np.random.Generator, width: int, keep: Keep) -> tuple[Ids, Ids]:
        """Makes one form of each row, of its label, with the stem of another lemma.

        The other lemma is a neighbour in the list that is sorted by the inflected end, at a
        log-uniform distance: lemmas that end alike inflect alike, remote ones tell stem from ending.

        Args:
            chance: where the randomness comes from.
            width: symbols a row, BOS and EOS counted.
            keep: the end of a longer form that stays.

        Returns:
            ids (rows, width) and lengths (rows,), as ``encoding.encode`` gives them.
        """
        words = self._words(chance)
        words = words.turned() if self.backwards else words
        if self.vocabulary.unit != "char":
            spelt = words.spelt(self.vocabulary.spelling)
            words = _Words.of(spelt, self.vocabulary, words.ids.shape[1] + MARKS)
        kept = np.minimum(words.lengths, width - MARKS)
        start = words.lengths - kept if keep == "end" else np.zeros_like(kept)
        column = np.arange(width)
        place = np.clip(start[:, None] + column - 1, 0, words.ids.shape[1] - 1)
        ids = np.take_along_axis(words.ids, place, 1)  # (rows, width)
        ids[:, 0] = BOS
        ids[column > kept[:, None]] = PAD
        ids[np.arange(len(kept)), kept + 1] = EOS
        return ids, kept + MARKS

    def _words(self, chance: np.random.Generator) -> _Words:
        rows = len(self.own)
        distance = np.exp(chance.random(rows) * np.log(max(len(self.lemmas.lengths), 1))).astype(np.int64)
        near = self.own + np.where(chance.random(rows) < 0.5, -distance, distance)
        anywhere = self.first + (chance.random(rows) * (self.behind - self.first)).astype(np.int64)
        other = self.lemmas[np.where((near < self.first) | (near >= self.behind), anywhere, near)]
        stem = other.lengths - self.dropped
        lengths = stem + self.endings.lengths
        column = np.arange(max(int(lengths.max(initial=0)), 1))
        last = self.endings.ids.shape[1] - 1
        of_stem = other.ids[:, np.minimum(column, last)]
        of_ending = np.take_along_axis(self.endings.ids, np.clip(column - stem[:, None], 0, last), 1)
        ids = np.where(column < stem[:, None], of_stem, of_ending)
        ids[column >= lengths[:, None]] = PAD
        return _Words(ids, lengths)


@dataclass(frozen=True)
class _Words:
    """Symbols without marks, left-aligned, PAD behind."""

    ids: Ids  # (n, w)
    lengths: Ids  # (n,)

    @classmethod
    def of(cls, column: pa.ChunkedArray, vocabulary: Vocabulary, width: int) -> _Words:
        ids, lengths = encoding.encode(column, vocabulary, width, "end")
        bare = ids[:, 1:].astype(np.int64)
        bare[bare == EOS] = PAD
        return cls(bare, lengths.astype(np.int64) - MARKS)

    def spelt(self, spelling: Vocabulary) -> pa.ChunkedArray:
        """The words as strings; an unknown character becomes one that is none of Unicode's."""
        points = np.array([0, 0, 0, 0xFFFF, *map(ord, spelling.ids)], dtype="<u4")
        text = np.ascontiguousarray(points[self.ids]).view(f"<U{self.ids.shape[1]}").ravel()
        return pa.chunked_array([pa.array(text, pa.string())])

    def turned(self) -> _Words:
        """The same words from their last symbol to their first."""
        column = np.arange(self.ids.shape[1])
        place = np.clip(self.lengths[:, None] - 1 - column, 0, None)
        turned = np.take_along_axis(self.ids, place, 1)
        turned[column >= self.lengths[:, None]] = PAD
        return _Words(turned, self.lengths)

    def without(self, count: Ids) -> _Words:
        """The words less so many of their first symbols."""
        column = np.arange(self.ids.shape[1])
        rest = np.take_along_axis(self.ids, np.clip(count[:, None] + column, 0, len(column) - 1), 1)
        lengths = self.lengths - count
        rest[column >= lengths[:, None]] = PAD
        return _Words(rest, lengths)

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> _Words:
        return _Words(self.ids[rows], self.lengths[rows])


def found(table: pa.Table, vocabulary: Vocabulary) -> Analogies | None:
    """The analogies of some rows; None if a symbol is a whole form, which has no parts to be exchanged.

    Args:
        table: labelled rows (``tables.SAMPLE``).
        vocabulary: symbols of the training forms.
    """
    return None if vocabulary.unit == "word" else Analogies.of(table, vocabulary)


_LAST = 2**32 - 1


def _keys(ids: Ids) -> npt.NDArray[np.bytes_]:
    """Rows of ids as byte strings of the same order."""
    data = np.ascontiguousarray(ids.astype(">u4"))
    return data.view(f"S{4 * ids.shape[1]}").ravel()


def _shared(one: _Words, other: _Words) -> Ids:
    """Symbols that words have in common from their beginning, (n,)."""
    alike = (one.ids == other.ids) & (one.ids != PAD)
    shared: Ids = np.cumprod(alike, axis=1).sum(1)
    return shared
