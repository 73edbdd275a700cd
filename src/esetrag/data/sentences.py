"""Sentences whose words have a tag each, as rows: words and tags with a space between them.

``_`` is the tag of a word that has none: nobody learns it, and nobody is asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.data import label_sets

SPACE, NONE = " ", "_"
LONGEST = 10_000
"""Characters of a sentence; longer ones are no sentences."""
BIO = re.compile(r"O|[BI]-.+")


def tags(labels: pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """The tags of all words, one after another; how many each sentence has, (n,).

    Of several analyses of a sentence it is the first.
    """
    return words(label_sets.first(labels))


def words(sentences: pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """The words of all sentences, one after another; how many each has, (n,)."""
    lists = pc.split_pattern(sentences.combine_chunks(), SPACE)
    return lists.flatten(), pc.list_value_length(lists).to_numpy().astype(np.int64)


def cleaned(text: str) -> str:
    """A sentence with one space between its words."""
    return SPACE.join(text.split())


def joined(words: pa.Array, counts: npt.NDArray[np.int64], between: str = SPACE) -> pa.Array:
    """The sentences of words, the inverse of ``words``."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), words), between)


def word_rows(rows: pa.Table, named: bool = False) -> pa.Table:
    """Rows (``tables.SAMPLE``) of sentences as rows of their words that have a tag.

    Args:
        rows: sentences.
        named: whether the lemma of a word shall be its sentence, with its number, and ``features`` its place.
    """
    forms, counts = words(rows["form"])
    labels, _ = tags(rows["label"])
    row = np.repeat(np.arange(len(rows)), counts)
    lemmas = places = pa.nulls(len(row), pa.string())
    if named:
        numbers = pa.array(np.arange(1, len(rows) + 1)).cast(pa.string())
        texts = pc.binary_join_element_wise(numbers, rows["form"].combine_chunks(), ": ")
        lemmas = texts.take(pa.array(row))
        places = pa.array(np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + 1)
    escaped = label_sets.escaped(pa.chunked_array([labels])).combine_chunks()
    weights = rows["weight"].combine_chunks().take(pa.array(row))
    columns = [lemmas, forms, places.cast(pa.string()), escaped, weights]
    return pa.table(columns, schema=tables.SAMPLE).filter(pc.not_equal(labels, NONE))


def legal(labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which tag may follow which, (n + 1, n); the last row is the beginning of a sentence.

    Where tags are B, I and O of spans, I goes on with what stands before it.

    >>> legal(["B-LOC", "I-LOC", "O"])[:, 1]
    array([ True,  True, False, False])
    """
    follows = np.ones((len(labels) + 1, len(labels)), bool)
    if all(map(BIO.fullmatch, labels)):
        kinds = np.array([*(label[1:] for label in labels), "^"])
        begins = np.array([not label.startswith("I-") for label in labels])
        follows = begins | (kinds[:, None] == kinds[:-1])
    return follows
