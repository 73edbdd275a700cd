"""Loads tables of words and labels in named or numbered columns: text (plain or packed) or parquet.

Labels are free text, one value each. Lemmas and weights are optional.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables, text
from esetrag.core.errors import DataError
from esetrag.data import label_sets, tsv
from esetrag.data.selection import EMPTY, EXAMPLES, Selection, merged

Column = str | int
"""A column's name in the first line of the file, or its number from 1 in a file without such a line."""


def select(
    path: Path,
    form: Column,
    label: Column,
    lemma: Column | None = None,
    weight: Column | None = None,
    distinct: bool = True,
    features: Column | None = None,
    second: Column | None = None,
) -> Selection:
    """The labelled rows of a table; those with an empty cell are left out and counted.

    Args:
        path: text as of ``tsv.blocks``, or parquet.
        form: the column of the words.
        label: of their labels.
        lemma: of their lemmas, which are null without it.
        weight: of numbers of at least 0.
        distinct: whether rows that stand again become one, of the sum of their weights.
        features: of bundles, which are null without it.
        second: of texts that make a pair with each word: both are one form, with a tab between them.

    Raises:
        DataError: with file and line, if a column is missing, the file cannot be used, or no row is left.
    """
    names = {"lemma": lemma, "form": form, "second": second, "features": features, "label": label}
    names["weight"] = weight
    used = {name: column for name, column in names.items() if column is not None}
    parts = list((_parquet if _is_parquet(path) else _text)(path, list(used.values())))
    cells = pa.concat_tables([part.rename_columns(list(used)) for part in parts])
    weights = _numbers(path, cells["weight"]) if weight is not None else pa.nulls(len(cells), pa.float32())
    null = pa.nulls(len(cells), pa.string())
    lemmas, bundles = (cells[name] if name in used else null for name in ("lemma", "features"))
    forms = cells["form"]
    if second is not None:
        forms = pc.binary_join_element_wise(forms, cells["second"], "\t")
    columns = [lemmas, forms, bundles, label_sets.escaped(cells["label"]), weights]
    rows = pa.table(columns, schema=tables.LABELLED)
    empty = np.any([pc.equal(cells[name], "").to_numpy() for name in used if name != "weight"], axis=0)
    table = every = rows.filter(pa.array(~empty))
    if not len(table):
        raise DataError(f"{path}: none of the {len(rows):,} rows has a word and a label")
    if distinct:
        table = merged(every, ["lemma", "form", "features", "label"])
    selection = Selection(table, len(rows), len(every) - len(table), {})
    if empty.any():
        shown = cells.filter(pa.array(empty)).slice(0, EXAMPLES).to_pylist()
        selection.dropped[EMPTY] = int(empty.sum())
        selection.examples[EMPTY] = [" ".join(row.values()) for row in shown]
    return selection


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PAR1", b"PARE")  # PARE: encrypted, which the reader says
    except OSError:
        return False  # the next one to open it says why


def _text(path: Path, columns: list[Column]) -> Iterator[pa.Table]:
    """Some columns of a text file, block by block."""
    named = any(isinstance(column, str) for column in columns)
    places: list[int] = []
    for block in tsv.blocks(path, "<TAB>".join(map(str, columns)) if named else f"{max(columns)} columns"):
        first = int(named and not places)
        head = [text.strip() for text in block.cells[0].as_py()] if first else []
        places = places or _places(path, columns, head)
        block.check(max(places) + 1, None)
        yield pa.table([block.column(place)[first:] for place in places], [str(place) for place in places])


def _parquet(path: Path, columns: list[Column]) -> Iterator[pa.Table]:
    """The same of a parquet file; a number is that of a column from 1 there, too."""
    for batch in tables.batches(path):
        texts = []
        for place in _places(path, columns, batch.column_names):
            try:
                cells = pc.fill_null(batch.column(place).cast(pa.string()), "")
            except pa.ArrowException as error:
                raise DataError(f"{path}: column {batch.column_names[place]!r} is no text") from error
            whole = pc.utf8_trim_whitespace(pc.replace_substring_regex(cells, r"\s+", " "))
            composed = [text.compose(cell) for cell in whole.to_pylist()]
            texts.append(pa.array(composed, pa.string()))
        yield pa.table(texts, [str(number) for number in range(len(texts))])


def _places(path: Path, columns: list[Column], head: list[str]) -> list[int]:
    """Where the columns stand, from 0."""
    places = []
    for column in columns:
        if isinstance(column, str) and column not in head:
            raise DataError(f"{path}: no column {column!r}; found {', '.join(head)}")
        places.append(head.index(column) if isinstance(column, str) else column - 1)
    if head and max(places) >= len(head):
        raise DataError(f"{path}: no column {max(places) + 1}; found {len(head)}")
    return places


def _numbers(path: Path, texts: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        numbers = texts.cast(pa.float32())
    except pa.ArrowException as error:
        raise DataError(f"{path}: expected numbers as weights ({' '.join(str(error).split())})") from error
    if not pc.all(pc.and_(pc.is_finite(numbers), pc.greater_equal(numbers, 0))).as_py():
        raise DataError(f"{path}: expected weights of at least 0, found {pc.min(numbers).as_py()}")
    return numbers
