"""Parts of the sample encoded from file to file in batches of rows, and a summary of what is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from esetrag.core import tables
from esetrag.data import label_sets
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import SPECIAL, UNK, Vocabulary

WIDEST = 2**25
"""Ids encoded at once."""


def shape_of(path: Path, max_symbols: int | None) -> tuple[int, int]:
    """Rows of a part (``tables.SAMPLE``), and their width if it is the one for training (``width_of``)."""
    count, width = 0, encoding.MARKS
    for rows in tables.batches(path, tables.SAMPLE):
        count, width = count + len(rows), max(width, encoding.width_of(rows["form"], max_symbols))
    return count, width


def encode_part(
    source: Path,
    target: Path,
    vocabulary: Vocabulary,
    width: int,
    keep: encoding.Keep,
    encode: Callable[[pa.Table, Vocabulary, int, encoding.Keep], Encoded] = encoding.encode_rows,
) -> dict[str, object]:
    """Encodes the rows of a file (``tables.SAMPLE``) as ``encode`` does, a batch at a time.

    Returns:
        What the network cannot see: cut forms, unknown symbols, labels unseen in training.

    Raises:
        DataError: if the rows cannot be loaded or the file cannot be written.
    """
    count, cut, unknown, labels = 0, 0, Counter[str](), Counter[str]()

    def parts() -> Iterator[pa.Table]:
        nonlocal count, cut
        for rows in tables.batches(source, tables.SAMPLE, min(tables.BATCH, max(1, WIDEST // width))):
            symbols, lengths = encoding.segmented(rows["form"], vocabulary)
            count, cut = count + len(rows), cut + int((lengths > width - encoding.MARKS).sum())
            if vocabulary.unit == "word":  # they may be all: they are counted, not listed
                unknown[SPECIAL[UNK]] += int((symbols == UNK).sum())
            else:
                characters = Counter("".join(rows["form"].to_pylist()))
                unknown.update({c: characters[c] for c in vocabulary.unknown("".join(characters))})
            for label in rows["label"].value_counts().to_pylist():
                labels.update(dict.fromkeys(label_sets.values(label["values"]), label["counts"]))
            yield encoding.table(encode(rows, vocabulary, width, keep), len(vocabulary.symbols))

    tables.write_parts(target, parts(), tables.ARRAYS)
    return {
        "rows": count,
        "cut_forms": cut,
        "unknown_symbols": dict(sorted(unknown.items())),
        "unseen_labels": {value: labels[value] for value in sorted(set(labels) - {*vocabulary.labels})},
    }
