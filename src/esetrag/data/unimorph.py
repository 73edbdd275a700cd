"""Loads UniMorph tables, one inflected form a line: ``lemma<TAB>form<TAB>tags``, as they are published.

UTF-8 with or without BOM, LF or CRLF, blank lines; words such as ``null`` and ``nan``; lone quotation marks;
spaces around cells; decomposed letters; UniMorph 4's fourth column (segments), which is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from esetrag.data import tsv
from esetrag.data.selection import COLUMNS

ORDER = ("lemma", "form", "tags")


def read(path: Path, order: Sequence[str] | None = None) -> pa.Table:
    """Loads a table whole; see ``batches``."""
    return pa.Table.from_batches(batches(path, order))


def batches(path: Path, order: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Loads a table block by block: cells trimmed, text in NFC.

    Args:
        path: plain or packed, as of ``tsv.blocks``.
        order: the names of the columns as the file has them, ``ORDER`` if None.

    Yields:
        Rows of the columns ``lemma``, ``form``, ``features``, in the order of the file.

    Raises:
        DataError: with file and line, as ``tsv.blocks``, or if a row has not three columns, or four.
    """
    order = order or ORDER
    for block in tsv.blocks(path, "<TAB>".join(order)):
        block.check(len(ORDER), len(ORDER) + 1)
        yield pa.RecordBatch.from_arrays([block.column(order.index(name)) for name in ORDER], list(COLUMNS))
