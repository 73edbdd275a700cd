"""Rows split into what a form shares with its lemma, what the lemma loses and what the form gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esetrag.data.change import shared_prefix
from esetrag.symbols import encoding
from esetrag.symbols.encoding import MARKS
from esetrag.symbols.vocabulary import EOS, PAD, Vocabulary

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """Symbols without marks, left-aligned, PAD behind."""

    ids: Ids  # (n, w)
    lengths: Ids  # (n,)

    @classmethod
    def of(cls, column: pa.ChunkedArray, vocabulary: Vocabulary, width: int) -> Words:
        """Encodes strings."""
        ids, lengths = encoding.encode(column, vocabulary, width, "end")
        bare = ids[:, 1:].astype(np.int64)
        bare[bare == EOS] = PAD
        return cls(bare, lengths.astype(np.int64) - MARKS)

    def spelt(self, spelling: Vocabulary) -> pa.ChunkedArray:
        """The words as strings; unknown characters become U+FFFF."""
        points = np.array([0, 0, 0, 0xFFFF, *map(ord, spelling.ids)], dtype="<u4")
        text = np.ascontiguousarray(points[self.ids]).view(f"<U{self.ids.shape[1]}").ravel()
        return pa.chunked_array([pa.array(text, pa.string())])

    def reversed(self) -> Words:
        """The same words from their last symbol to their first."""
        column = np.arange(self.ids.shape[1])
        place = np.clip(self.lengths[:, None] - 1 - column, 0, None)
        ids = np.take_along_axis(self.ids, place, 1)
        ids[column >= self.lengths[:, None]] = PAD
        return Words(ids, self.lengths)

    def without_first(self, count: Ids) -> Words:
        """The words less so many of their first symbols, (n,)."""
        column = np.arange(self.ids.shape[1])
        rest = np.take_along_axis(self.ids, np.clip(count[:, None] + column, 0, len(column) - 1), 1)
        lengths = self.lengths - count
        rest[column >= lengths[:, None]] = PAD
        return Words(rest, lengths)

    def __getitem__(self, rows: Ids) -> Words:
        return Words(self.ids[rows], self.lengths[rows])


@dataclass(frozen=True)
class Decomposition:
    """``lemma = stem + dropped``, ``form = stem + ending`` of n rows.

    Words of a table that inflects at their beginning are reversed.
    """

    row: Ids  # (n,) which of the table
    backwards: bool
    lemmas: Words
    """Each once, sorted from the inflected end."""
    own: Ids  # (n,) place of the row's lemma among them
    first: Ids  # (n,) the lemmas that end in what the row's lemma loses: from here
    behind: Ids  # (n,) to before here
    dropped: Ids  # (n,) symbols that the lemma loses
    endings: Words  # (n,)

    @classmethod
    def of(cls, rows: pa.Table, vocabulary: Vocabulary, unaccented: bool = False) -> Decomposition | None:
        """Splits rows (``tables.SAMPLE``) by character; None without lemmas, or where symbols are words.

        Args:
            rows: n rows.
            vocabulary: of the forms.
            unaccented: whether rows that have accents follow once more without them, as people type.
        """
        if vocabulary.unit == "word" or rows["lemma"].null_count or not len(rows):
            return None
        longest = max(encoding.width_of(rows[name], None) for name in ("lemma", "form"))
        lemmas, forms = (Words.of(rows[name], vocabulary.spelling, longest) for name in ("lemma", "form"))
        row = np.arange(len(rows))
        if unaccented:
            without = vocabulary.spelling.unaccented
            differ = np.any([(without[words.ids] != words.ids).any(1) for words in (lemmas, forms)], axis=0)
            row = np.append(row, row[differ])
            lemmas, forms = (
                Words(np.concatenate([words.ids, without[words.ids[differ]]]), words.lengths[row])
                for words in (lemmas, forms)
            )
        turned = lemmas.reversed(), forms.reversed()
        stem = shared_prefix(lemmas.ids, forms.ids)
        backwards = bool(shared_prefix(*(words.ids for words in turned)).sum() > stem.sum())
        if backwards:
            lemmas, forms = turned
            stem = shared_prefix(lemmas.ids, forms.ids)
        dropped = lemmas.lengths - stem
        from_end = lemmas.reversed().ids
        keys, picked, own = np.unique(_keys(from_end), return_index=True, return_inverse=True)
        beyond = np.arange(forms.ids.shape[1]) >= dropped[:, None]
        return cls(
            row,
            backwards,
            lemmas[picked],
            own.astype(np.int64),
            np.searchsorted(keys, _keys(np.where(beyond, 0, from_end)), side="left").astype(np.int64),
            np.searchsorted(keys, _keys(np.where(beyond, _LAST, from_end)), side="right").astype(np.int64),
            dropped,
            forms.without_first(stem),
        )


_LAST = 2**32 - 1


def _keys(ids: Ids) -> npt.NDArray[np.bytes_]:
    """Rows of ids as byte strings of the same order."""
    data = np.ascontiguousarray(ids.astype(">u4"))
    return data.view(f"S{4 * ids.shape[1]}").ravel()
