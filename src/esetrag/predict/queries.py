"""Rows of a file as what a predictor is asked: words, words with features, or pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import features
from esetrag.core.errors import DataError
from esetrag.predict.inputs import Rows
from esetrag.symbols.vocabulary import Vocabulary

SEPARATOR = "\t"
"""Between the parts of a query."""


def parts(vocabulary: Vocabulary) -> list[str]:
    """What a query of a model is made of, in its order."""
    read = ["first", "second"] if vocabulary.reads_pairs else ["form"]
    return [*read, *(["features"] if vocabulary.bundles else [])]


def as_asked(batches: Iterable[Rows], names: list[str]) -> Iterator[Rows]:
    """Batches with queries in place of the words: columns of these names, or else of their places.

    A table of one column, as of a command line, has whole queries.

    Raises:
        DataError: if there are fewer columns.
    """
    for table, forms in batches:
        if len(names) > 1 < len(table.column_names):
            if len(table.column_names) < len(names):
                found = ", ".join(table.column_names)
                raise DataError(f"expected {len(names)} columns ({', '.join(names)}), found {found}")
            columns = [
                forms if name == "form" else table[name if name in table.column_names else place]
                for place, name in enumerate(names)
            ]
            texts = [pc.utf8_trim_whitespace(column.cast(pa.string())) for column in columns]
            yield table, pc.binary_join_element_wise(*texts, SEPARATOR)
        else:
            yield table, forms


def check(bundles: Iterable[str], known: Collection[str]) -> None:
    """Raises DataError if a bundle has a value of a feature that is not known."""
    for bundle in dict.fromkeys(bundles):
        if missing := [value for value in features.all_tags(bundle) if value not in known]:
            listed = " ".join(sorted(known))
            raise DataError(
                f"features {bundle!r}: no value {', '.join(missing)} in training; known: {listed}"
            )
