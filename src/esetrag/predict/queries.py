"""Rows of a file as what a predictor is asked: words, words with features, or pairs."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core.errors import DataError
from esetrag.predict.inputs import Rows
from esetrag.symbols.vocabulary import Vocabulary


def with_features(batches: Iterator[Rows]) -> Iterator[Rows]:
    """The words of batches with their features behind a tab, as a ``SequencePredictor`` takes them.

    The features are in a column of that name, or in the second one.

    Raises:
        DataError: if there is none.
    """
    for table, forms in batches:
        names = table.column_names
        if "features" not in names and len(names) < 2:
            raise DataError("expected features beside the words: a column called features, or a second one")
        bundles = table["features"] if "features" in names else table.column(1)
        texts = pc.utf8_trim_whitespace(bundles.cast(pa.string()))
        yield table, pc.binary_join_element_wise(forms, texts, "\t")


def as_asked(batches: Iterator[Rows], vocabulary: Vocabulary) -> Iterator[Rows]:
    """Batches as the predictor of a vocabulary takes them: pairs, words with features, or words."""
    if vocabulary.reads_pairs:
        return as_pairs(batches, 2 + bool(vocabulary.bundles))
    return with_features(batches) if vocabulary.bundles else batches


def as_pairs(batches: Iterator[Rows], parts: int) -> Iterator[Rows]:
    """The first columns of batches, joined by tabs, as a ``PairPredictor`` takes them.

    Words of a command line are taken as they are.

    Raises:
        DataError: if there are fewer columns.
    """
    for table, forms in batches:
        columns = table.columns[:parts] if len(table.column_names) > 1 else [forms]
        if 1 < len(columns) < parts:
            found = ", ".join(table.column_names)
            raise DataError(f"expected {parts} columns (first, second, features), found {found}")
        texts = [pc.utf8_trim_whitespace(texts.cast(pa.string())) for texts in columns]
        yield table, pc.binary_join_element_wise(*texts, "\t")
