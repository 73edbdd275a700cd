"""The parquet tables that stages hand on: fixed schemas, checked when they are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from esetrag.core import files, parquet
from esetrag.core.errors import DataError

Storage = dict[str, str | bool]
AT_ONCE = 2**16
"""Rows of a row group where a table is written whole."""
WHOLE = 2**20
"""Rows that are loaded at once where all are wanted: parts of a column would have to be joined."""
BATCH = 2**14
"""Rows that are loaded at once where they go by."""
ROW_GROUP = 2**23
"""Bytes of the rows that wait to be written together where they come in parts."""

TEXTS: Storage = {"compression": "zstd", "write_page_checksum": True}
ARRAYS: Storage = {**TEXTS, "compression": "lz4", "use_dictionary": False}
"""How texts and arrays are stored: a dictionary of numbers gains nothing, and LZ4 unpacks them faster."""

ROWS = pa.schema(
    [
        pa.field("lemma", pa.string()),
        pa.field("form", pa.string(), nullable=False),
        pa.field("features", pa.string()),
        pa.field("label", pa.string(), nullable=False),
    ]
)
"""A labelled row; lemma and features are null in tables that have none."""

LABELLED = pa.schema([*ROWS, pa.field("weight", pa.float32())])
"""A labelled row of a raw table; its weight is null if none is set."""

SAMPLE = pa.schema([*ROWS, pa.field("weight", pa.float32(), nullable=False)])
"""A row of train, dev or test: a form with its label (``label_sets``); the weight is 1 if none is set."""

FAMILIES = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("lemma", "head")])
"""A lemma and the head of its family."""

ERRORS = pa.schema(
    [
        *ROWS,
        *(pa.field(name, pa.string()) for name in ("predicted", "predicted_set")),
        *(pa.field(name, pa.float32()) for name in ("probability", "label_probability")),
        *(pa.field(name, pa.string()) for name in ("unknown", "kind")),
    ]
)
"""A misclassified form: the probabilities of the predicted and of the true values, the symbols that are not
in the vocabulary, the kind of error."""

ATTRIBUTIONS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("form", "label", "predicted", "against")),
        pa.field("rest", pa.float32()),
        pa.field("letters", pa.list_(pa.float32())),
    ]
)
"""What each letter of a form adds to the predicted label against another; ``rest`` belongs to no letter."""


def sample(
    lemma: Sequence[str | None],
    form: Sequence[str],
    features: Sequence[str | None],
    label: Sequence[str],
    weight: Sequence[float] | None = None,
) -> pa.Table:
    """A table of ``SAMPLE`` of its columns, (rows,) each; without weights all are 1."""
    weights = np.ones(len(form), np.float32) if weight is None else weight
    return pa.table([lemma, form, features, label, weights], schema=SAMPLE)


def encoded(width: int, symbols: int, targets: int) -> pa.Schema:
    """Schema of encoded rows of ``width`` symbols, whose targets take so many bytes a row."""
    # As bytes, not as a list: parquet takes lists apart value by value, eight times as long.
    return pa.schema(
        [
            pa.field("ids", pa.binary(width * id_type(symbols).itemsize), nullable=False),
            pa.field("length", pa.uint16(), nullable=False),
            pa.field("targets", pa.binary(targets), nullable=False),
            pa.field("weight", pa.float32(), nullable=False),
        ]
    )


def id_type(symbols: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The narrowest unsigned integer that holds the ids of a vocabulary."""
    return np.dtype("u1" if symbols <= 2**8 else "<u2" if symbols <= 2**16 else "<u4")


def predictions(labels: list[str]) -> pa.Schema:
    """Schema of the predictions; its metadata name the labels behind ``probabilities``."""
    shares = pa.list_(pa.field("item", pa.float32(), nullable=False), len(labels))
    sets = [("predicted", pa.string()), ("predicted_set", pa.string())]
    extra = [*sets, ("probability", pa.float32()), ("probabilities", shares)]
    fields = [*ROWS, *(pa.field(name, kind, nullable=False) for name, kind in extra)]
    return pa.schema(fields, metadata={"labels": "\t".join(labels)})


TRANSDUCTIONS = pa.schema(
    [
        *ROWS,
        *(pa.field(name, pa.string(), nullable=False) for name in ("predicted", "predicted_set")),
        pa.field("probability", pa.float32(), nullable=False),
        pa.field("candidates", pa.list_(pa.string()), nullable=False),
        pa.field("probabilities", pa.list_(pa.float32()), nullable=False),
    ]
)
"""What is written for a row, with the other candidates, the most probable first."""

ATTENTION = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("form", "features", "label", "predicted")),
        *(pa.field(name, pa.list_(pa.string())) for name in ("read", "written")),
        pa.field("weights", pa.list_(pa.float32())),
    ]
)
"""What each written symbol attends to: weights (written, read), row by row."""


TAGGED = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("form", "label", "predicted")),
        pa.field("letters", pa.list_(pa.float32())),
    ]
)
"""The probability of each letter's most probable tag."""


def write(path: Path, table: pa.Table, storage: Storage = TEXTS) -> None:
    """Writes a table, the same bytes for the same rows and library version, with checksums of its pages."""
    with files.replacing(path) as file:
        pq.write_table(table, file, row_group_size=AT_ONCE, **storage)


def write_parts(path: Path, parts: Iterable[pa.Table], storage: Storage = TEXTS) -> None:
    """Writes a table as its parts come, one at least; a row group at a time is in memory."""
    with files.replacing(path) as file:
        write_stream(file, parts, storage)


def write_stream(file: IO[bytes], parts: Iterable[pa.Table], storage: Storage = TEXTS) -> None:
    """As ``write_parts``, into an open file."""
    rest = iter(parts)
    waiting = [next(rest)]
    with pq.ParquetWriter(file, waiting[0].schema, **storage) as writer:
        for part in rest:
            waiting.append(part)
            if sum(table.nbytes for table in waiting) > ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting).combine_chunks())
                waiting.clear()
        if waiting:
            writer.write_table(pa.concat_tables(waiting).combine_chunks())


def read(path: Path, expected: pa.Schema | None = None) -> pa.Table:
    """Loads a table whole, of the expected schema or of any.

    Raises:
        DataError: as ``batches``, or if the table is larger than ``parquet.LARGEST``.
    """
    parts: list[pa.Table] = []
    size = 0
    for part in batches(path, expected, WHOLE):
        size += part.nbytes
        if size > parquet.LARGEST:
            raise DataError(
                f"{path}: expected a table of {parquet.LARGEST:,} bytes at most in memory, found more; "
                "draw fewer rows: sample in params.yaml"
            )
        parts.append(part)
    return pa.concat_tables(parts)


def batches(path: Path, expected: pa.Schema | None = None, rows: int = BATCH) -> Iterator[pa.Table]:
    """Loads a table some rows at a time: first a table without rows, then the rows.

    Raises:
        DataError: if the file is missing, damaged, has another schema or its rows are too large.
    """
    try:
        for number, part in enumerate(parquet.batches(path, rows)):
            if expected is not None and not number:
                check(path, part, expected)
            yield part
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; run the stage that makes it: dvc repro") from error
    except MemoryError:  # Arrow's is one of its exceptions, too
        raise
    except parquet.DAMAGE as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a whole parquet file ({reason}); make it anew: dvc repro -f") from error


def check(path: Path, table: pa.Table, expected: pa.Schema) -> None:
    """Raises DataError if the columns of a table from ``path`` are not those expected."""
    if not table.schema.equals(expected):
        raise DataError(f"{path}: expected columns {_columns(expected)}, found {_columns(table.schema)}")


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in schema)
