"""Parts of the sample encoded from file to file in batches of rows, and a summary of what is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa

from esetrag.core import tables
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import SPECIAL, UNK, Vocabulary


class Coder(Protocol):
    """What of a task is needed here."""

    def texts(self, rows: pa.Table, vocabulary: Vocabulary) -> pa.ChunkedArray:
        """See ``tasks.base.Task``."""

    def encode(self, rows: pa.Table, vocabulary: Vocabulary, width: int, keep: Keep, steps: int) -> Encoded:
        """See ``tasks.base.Task``."""

    def unseen(self, rows: pa.Table, vocabulary: Vocabulary) -> Mapping[str, int]:
        """See ``tasks.base.Task``."""


WIDEST = 2**25
"""Ids encoded at once."""


class Shape(NamedTuple):
    """Of a part of the sample."""

    rows: int
    width: int
    """Symbols a row, if it is the part for training (``width_of``)."""
    steps: int
    """Symbols of the longest label, with a mark and a cut (``data.edits``)."""


def shape_of(path: Path, vocabulary: Vocabulary, task: Coder, max_symbols: int | None) -> Shape:
    """The shape of a part (``tables.SAMPLE``)."""
    count, width, steps = 0, encoding.MARKS, encoding.MARKS
    for rows in tables.batches(path, tables.SAMPLE):
        count = count + len(rows)
        width = max(width, encoding.width_of(task.texts(rows, vocabulary), max_symbols))
        steps = max(steps, encoding.width_of(rows["label"], None))
    return Shape(count, width, steps)


def encode_part(
    source: Path,
    target: Path,
    vocabulary: Vocabulary,
    task: Coder,
    width: int,
    keep: Keep,
    steps: int = 0,
) -> dict[str, object]:
    """Encodes the rows of a file (``tables.SAMPLE``) as a task does, a batch at a time.

    Returns:
        What the network cannot see: cut forms, unknown symbols, labels unseen in training.

    Raises:
        DataError: if the rows cannot be loaded or the file cannot be written.
    """
    count, cut, unknown, labels = 0, 0, Counter[str](), Counter[str]()

    def parts() -> Iterator[pa.Table]:
        nonlocal count, cut
        for rows in tables.batches(source, tables.SAMPLE, min(tables.BATCH, max(1, WIDEST // width))):
            symbols, lengths = encoding.segmented(task.texts(rows, vocabulary), vocabulary)
            count, cut = count + len(rows), cut + int((lengths > width - encoding.MARKS).sum())
            if vocabulary.unit == "word":  # they may be all: they are counted, not listed
                unknown[SPECIAL[UNK]] += int((symbols == UNK).sum())
            else:
                characters = Counter("".join(rows["form"].to_pylist()))
                unknown.update({c: characters[c] for c in vocabulary.unknown("".join(characters))})
            labels.update(task.unseen(rows, vocabulary))
            yield encoding.table(task.encode(rows, vocabulary, width, keep, steps), vocabulary.size)

    tables.write_parts(target, parts(), tables.ARRAYS)
    return {
        "rows": count,
        "cut_forms": cut,
        "unknown_symbols": dict(sorted(unknown.items())),
        "unseen_labels": dict(sorted(labels.items())),
    }
