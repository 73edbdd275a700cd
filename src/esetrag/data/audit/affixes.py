"""What a form does to its lemma: the ending it takes, the change it makes, as numbers to count by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

SUFFIXES = 3
"""Symbols of the longest ending that is told apart whatever the lemma."""
CHANGE = SUFFIXES + 1
"""Place of the whole change among the contexts."""
BASE, MIX = np.uint64(1_000_003), np.uint64(0x9E3779B97F4A7C15)
"""Of a rolling hash of 64 bits; products wrap around."""


@dataclass(frozen=True)
class Words:
    """Words as code points, one behind the other."""

    codes: npt.NDArray[np.uint32]
    starts: Ints  # (n,)
    lengths: Ints  # (n,)

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Words:
        """Takes strings apart."""
        lengths = pc.utf8_length(column).to_numpy().astype(np.int64)
        text = "".join(column.to_pylist())
        codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
        return cls(codes, np.cumsum(lengths) - lengths, lengths)

    def __getitem__(self, rows: Ints) -> Words:
        return Words(self.codes, self.starts[rows], self.lengths[rows])

    def turned(self) -> Words:
        """The same words from their last symbol to their first."""
        return Words(self.codes[::-1], len(self.codes) - self.starts - self.lengths, self.lengths)

    def shared(self, other: Words) -> Ints:
        """Symbols that words have in common with others from their beginning, (n,)."""
        shortest = np.minimum(self.lengths, other.lengths)
        shared, rows, place = np.zeros_like(shortest), np.arange(len(shortest)), 0
        while len(rows := rows[shortest[rows] > place]):
            rows = rows[self.codes[self.starts[rows] + place] == other.codes[other.starts[rows] + place]]
            place += 1
            shared[rows] = place
        return shared

    def piece(self, start: Ints, size: Ints) -> Hashes:
        """A hash of so many symbols from a place of each word on, (n,); the word has them all."""
        sums, rows = np.zeros(len(size), np.uint64), np.arange(len(size))
        for place in range(int(size.max(initial=0))):
            rows = rows[size[rows] > place]
            sums[rows] = (
                sums[rows] * BASE + self.codes[self.starts[rows] + start[rows] + place] + np.uint64(1)
            )
        return (sums * BASE + size.astype(np.uint64)) * MIX


@dataclass(frozen=True)
class Change:
    """How each row's form differs from its lemma: ``stem + dropped → stem + ending``.

    A table that inflects at the beginning of its words is read backwards.
    """

    lemmas: Words
    forms: Words
    stem: Ints  # (n,) symbols that form and lemma share
    backwards: bool

    @classmethod
    def of(cls, rows: pa.Table) -> Change:
        """Takes rows apart.

        Args:
            rows: columns ``lemma`` and ``form``.
        """
        lemmas, forms = Words.of(rows["lemma"]), Words.of(rows["form"])
        turned = lemmas.turned(), forms.turned()
        stem, from_end = lemmas.shared(forms), turned[0].shared(turned[1])
        if from_end.sum() > stem.sum():
            return cls(*turned, from_end, True)
        return cls(lemmas, forms, stem, False)

    def contexts(self, others: Ints) -> list[Hashes]:
        """What the value of a form may depend on, from the most general to the most particular.

        The last one, two and three symbols; the ending; the whole change; the change and the other
        features of the bundle; and these with the symbol before it.

        Args:
            others: (n,) ids of the other features.
        """
        forms, lemmas, stem = self.forms, self.lemmas, self.stem
        found = []
        for size in range(1, SUFFIXES + 1):
            kept = np.minimum(size, forms.lengths)
            found.append(forms.piece(forms.lengths - kept, kept))
        ending = forms.piece(stem, forms.lengths - stem)
        change = ending * BASE + lemmas.piece(stem, lemmas.lengths - stem)
        among = (change * BASE + others.astype(np.uint64)) * MIX
        before = np.minimum(1, stem)
        return [*found, ending, change, among, among * BASE + forms.piece(stem - before, before)]

    def shown(self, row: int) -> str:
        """A row's change as a reader writes it: ``-a +ának``.

        Args:
            row: its place.
        """
        stem = int(self.stem[row])
        dropped, ending = (self._text(words, row)[stem:] for words in (self.lemmas, self.forms))
        if self.backwards:
            dropped, ending = dropped[::-1], ending[::-1]
        return f"-{dropped} +{ending}" if dropped else f"+{ending}" if ending else "no ending"

    @staticmethod
    def _text(words: Words, row: int) -> str:
        start = int(words.starts[row])
        return "".join(map(chr, words.codes[start : start + int(words.lengths[row])].tolist()))


def ids(values: pa.ChunkedArray | npt.NDArray[np.generic]) -> Ints:
    """Equal values as equal numbers from 0, by first appearance, (n,)."""
    column = pa.chunked_array([values]) if isinstance(values, np.ndarray) else values
    numbers: Ints = column.dictionary_encode().combine_chunks().indices.to_numpy().astype(np.int64)
    return numbers
