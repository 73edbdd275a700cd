"""Parts of the sample encoded from file to file, some rows at a time, and an account of what is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from esetrag.core import tables
from esetrag.data import label_sets
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import SPECIAL, UNK, Vocabulary

WIDEST = 2**25
"""Ids encoded at once."""


def shape_of(path: Path, max_symbols: int | None) -> tuple[int, int]:
    """Rows of a part (``tables.SAMPLE``), and their width if it is the one for training (``width_of``)."""
    rows, width = 0, encoding.MARKS
    for some in tables.batches(path, tables.SAMPLE):
        rows, width = rows + len(some), max(width, encoding.width_of(some["form"], max_symbols))
    return rows, width


def encode_part(
    source: Path, target: Path, vocabulary: Vocabulary, width: int, keep: encoding.Keep
) -> dict[str, object]:
    """Encodes the rows of a file, of which some at a time are in memory.

    Args:
        source: rows (``tables.SAMPLE``).
        target: where the encoded ones go.
        vocabulary: as of ``encode``, as are ``width`` and ``keep``.
        width: see there.
        keep: see there.

    Returns:
        The account of what the reader cannot see.

    Raises:
        DataError: if the rows cannot be read or the file cannot be written.
    """
    known, at_once = Account(vocabulary, width), min(tables.BATCH, max(1, WIDEST // width))

    def parts() -> Iterator[pa.Table]:
        for rows in tables.batches(source, tables.SAMPLE, at_once):
            known.add(rows)
            yield encoding.table(encoding.encode_rows(rows, vocabulary, width, keep), len(vocabulary.symbols))

    tables.write_parts(target, parts(), tables.ARRAYS)
    return known.figures()


def account(rows: pa.Table, vocabulary: Vocabulary, width: int) -> dict[str, object]:
    """What of some rows the reader cannot see: cut forms, unknown symbols, labels unseen in training."""
    known = Account(vocabulary, width)
    known.add(rows)
    return known.figures()


class Account:
    """What of a part the reader cannot see, added up as its rows go by."""

    def __init__(self, vocabulary: Vocabulary, width: int) -> None:
        """Of no row as yet."""
        self._vocabulary, self._width = vocabulary, width
        self._rows = self._cut = 0
        self._unknown: Counter[str] = Counter()
        self._unseen: Counter[str] = Counter()

    def add(self, rows: pa.Table) -> None:
        """Takes note of rows (``tables.SAMPLE``)."""
        symbols, lengths = encoding.segmented(rows["form"], self._vocabulary)
        self._rows += len(rows)
        self._cut += int((lengths > self._width - encoding.MARKS).sum())
        if self._vocabulary.unit == "word":  # they may be all: they are counted, not listed
            self._unknown[SPECIAL[UNK]] += int((symbols == UNK).sum())
        else:
            characters = Counter("".join(rows["form"].to_pylist()))
            for character in self._vocabulary.unknown("".join(characters)):
                self._unknown[character] += characters[character]
        named = label_sets.names(rows["label"])
        borne = dict(zip(named, label_sets.matrix(rows["label"], named).sum(0).tolist(), strict=True))
        self._unseen.update({value: borne[value] for value in named if value not in self._vocabulary.labels})

    def figures(self) -> dict[str, object]:
        """The sums; symbols and labels are sorted."""
        unknown, unseen = (dict(sorted(counts.items())) for counts in (self._unknown, self._unseen))
        return {
            "rows": self._rows,
            "cut_forms": self._cut,
            "unknown_symbols": unknown,
            "unseen_labels": unseen,
        }
