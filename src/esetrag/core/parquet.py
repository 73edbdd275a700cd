"""Parquet files from anywhere, unpacked within bounds.

A thousand bytes of parquet can stand for a terabyte: a long text once, and a count of the rows that
repeat it. So texts are read as they are stored, each once, and their sizes are added up before
they are unpacked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from esetrag.core.errors import DataError

LARGEST = 2**30
"""Bytes in memory of what is unpacked at once; a million rows of a task take a tenth of them."""
DAMAGE = (OSError, pa.ArrowException, ValueError, MemoryError)
"""What a damaged file raises: ValueError where a name is no text."""
_READING = {"buffer_size": 2**20, "pre_buffer": False, "page_checksum_verification": True}


def batches(path: Path, rows: int) -> Iterator[pa.Table]:
    """Reads a file ``rows`` at a time, fewer if they are wide.

    Yields:
        A table without rows, so that columns can be checked before anything is unpacked; then the rows.

    Raises:
        DataError: if rows take more than ``LARGEST``.
        DAMAGE: one of these, if the file is damaged or cannot be read.
    """
    with pq.ParquetFile(path, **_READING) as file:
        footer, schema = file.metadata, file.schema_arrow
        yield schema.empty_table()
        columns = [footer.schema.column(number) for number in range(len(footer.schema))]
        texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
        widest = max((column.length for column in columns), default=0)  # of values of one fixed width
        # Of a damaged footer, PyArrow's view of a column chunk would abort the process; this one would not.
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        _bound(path, max([widest, *(group.total_byte_size for group in groups)]))
        at_once = max(1, min(rows, LARGEST // 8 // max(widest, 1)))
        if not texts:
            yield from _rows(path, file, schema, at_once)
            return
    with pq.ParquetFile(path, metadata=footer, read_dictionary=texts, **_READING) as file:
        yield from _rows(path, file, schema, at_once)


def _rows(path: Path, file: pq.ParquetFile, schema: pa.Schema, at_once: int) -> Iterator[pa.Table]:
    # Threads win nothing here, and one that finds no room in memory ends the process.
    for batch in file.iter_batches(at_once, use_threads=False):
        batch.validate(full=True)
        _bound(path, sum(map(_size, batch.columns)))
        yield pa.table(list(map(_unpacked, batch.columns, schema.types)), schema=schema)


def _bound(path: Path, size: int) -> None:
    if size > LARGEST:
        raise DataError(
            f"{path}: expected rows of {LARGEST:,} bytes at most in memory, found {size:,}; leave them out"
        )


def _size(column: pa.Array) -> int:
    """Bytes of a column in memory when its texts are unpacked."""
    if pa.types.is_dictionary(column.type):
        lengths = pc.binary_length(column.dictionary).take(column.indices)
        return (pc.sum(lengths).as_py() or 0) + 4 * len(column)
    if pa.types.is_struct(column.type):
        return sum(map(_size, column.flatten()))
    if pa.types.is_map(column.type):
        return _size(column.keys) + _size(column.items) + 4 * len(column)
    if column.type.num_fields:  # a list
        return _size(column.flatten()) + 4 * len(column)
    return int(column.nbytes)


def _unpacked(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if kind == pa.string_view():  # which Arrow makes of text alone
        column = column.cast(pa.string())
    return column if column.type == kind else column.cast(kind)
