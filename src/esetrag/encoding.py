"""Forms to arrays of symbol ids, ``BOS symbols EOS PAD …``, without a loop over words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag import tables
from esetrag.errors import DataError
from esetrag.vocab import BOS, EOS, PAD, Vocabulary

MARKS = 2  # BOS and EOS
MAX_WIDTH = 2**16 - 1
UNSEEN = -1
"""Label id of a label that does not occur in training."""

Keep = Literal["end", "start"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded rows."""

    ids: npt.NDArray[np.unsignedinteger]  # (rows, width)
    lengths: npt.NDArray[np.uint16]  # (rows,) BOS and EOS counted
    labels: npt.NDArray[np.int16]  # (rows,) UNSEEN where the label has no id
    keep: Keep = "end"

    def __len__(self) -> int:
        return len(self.lengths)


def width_of(forms: pa.ChunkedArray, max_symbols: int | None) -> int:
    """Symbols of the longest form, or ``max_symbols`` if it has more, and BOS and EOS."""
    longest = pc.max(pc.utf8_length(forms)).as_py() or 0
    return min(longest, max_symbols or longest, MAX_WIDTH - MARKS) + MARKS


def encode(
    forms: pa.ChunkedArray, vocabulary: Vocabulary, width: int, keep: Keep
) -> tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.uint16]]:
    """Encodes forms as rows of one width.

    Args:
        forms: (rows,) strings.
        vocabulary: ids of the symbols; others become UNK.
        width: symbols a row, BOS and EOS counted.
        keep: which end of a form too long for the width is kept.

    Returns:
        ids (rows, width), the symbols left-aligned and PAD behind; lengths (rows,).
    """
    full = pc.utf8_length(forms).to_numpy().astype(np.int64)
    kept = np.minimum(full, width - MARKS)
    # All forms as one string of code points, each of which is one table look-up away from its id.
    text = "".join(chunk_text(chunk) for chunk in forms.chunks)
    symbols = vocabulary.id_of_code_point[np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)]
    starts = np.cumsum(full) - full + (full - kept if keep == "end" else 0)

    ids = np.full((len(full), width), PAD, dtype=tables.id_type(len(vocabulary.symbols)))
    ids[:, 0] = BOS
    column = np.arange(kept.sum()) - np.repeat(np.cumsum(kept) - kept, kept)  # 0 … kept - 1, row by row
    row = np.repeat(np.arange(len(full)), kept)
    ids[row, column + 1] = symbols[np.repeat(starts, kept) + column]
    ids[np.arange(len(full)), kept + 1] = EOS
    return ids, (kept + MARKS).astype(np.uint16)


def chunk_text(chunk: pa.Array) -> str:
    """The strings of an array without nulls, joined; their bytes lie side by side in its buffer."""
    if len(chunk) == 0:
        return ""
    start, end = np.frombuffer(chunk.buffers()[1], dtype=np.int32)[[chunk.offset, chunk.offset + len(chunk)]]
    return bytes(chunk.buffers()[2][int(start) : int(end)]).decode()


def label_ids(labels: pa.ChunkedArray, vocabulary: Vocabulary) -> npt.NDArray[np.int16]:
    """Label ids (rows,), UNSEEN for a label that is not in the vocabulary."""
    found = pc.index_in(labels, value_set=pa.array(vocabulary.labels, pa.string()))
    ids: npt.NDArray[np.int16] = pc.fill_null(found, UNSEEN).to_numpy().astype(np.int16)
    return ids


def encode_rows(rows: pa.Table, vocabulary: Vocabulary, width: int, keep: Keep) -> Encoded:
    """Encodes forms and labels of labelled rows (``tables.SAMPLE``)."""
    ids, lengths = encode(rows["form"], vocabulary, width, keep)
    return Encoded(ids, lengths, label_ids(rows["label"], vocabulary), keep)


def account(rows: pa.Table, vocabulary: Vocabulary, width: int) -> dict[str, object]:
    """What of some rows the reader cannot see: cut forms, unknown symbols, labels unseen in training."""
    symbols = Counter("".join(rows["form"].to_pylist()))
    unknown = {symbol: symbols[symbol] for symbol in vocabulary.unknown("".join(symbols))}
    labels = Counter(rows["label"].to_pylist())
    unseen = {label: labels[label] for label in sorted(labels.keys() - set(vocabulary.labels))}
    cut = int((pc.utf8_length(rows["form"]).to_numpy() > width - MARKS).sum())
    return {"rows": len(rows), "cut_forms": cut, "unknown_symbols": unknown, "unseen_labels": unseen}


def write(path: Path, encoded: Encoded, symbols: int) -> None:
    """Writes encoded rows as parquet."""
    width = encoded.ids.shape[1]
    schema = tables.encoded(width, symbols).with_metadata({"keep": encoded.keep})
    columns = [
        pa.Array.from_buffers(schema.field("ids").type, len(encoded), [None, pa.py_buffer(encoded.ids)]),
        pa.array(encoded.lengths),
        pa.array(encoded.labels),
    ]
    tables.write(path, pa.Table.from_arrays(columns, schema=schema))


def read(path: Path, vocabulary: Vocabulary) -> Encoded:
    """Reads encoded rows straight into arrays.

    Args:
        path: what ``write`` wrote.
        vocabulary: the one they were encoded with.

    Raises:
        DataError: if the file is damaged, has other columns or ids beyond the vocabulary.
    """
    table = tables.read(path)
    ids_type = table.schema.field("ids").type if "ids" in table.schema.names else None
    id_type = tables.id_type(len(vocabulary.symbols))
    size = ids_type.byte_width if isinstance(ids_type, pa.FixedSizeBinaryType) else 0
    width = max(size // id_type.itemsize, MARKS)
    tables.check(path, table, tables.encoded(width, len(vocabulary.symbols)))
    parts = [
        np.frombuffer(chunk.buffers()[1], id_type, len(chunk) * width, chunk.offset * size)
        for chunk in table["ids"].chunks
        if len(chunk)
    ]
    ids = np.concatenate([np.empty(0, id_type), *parts]).reshape(len(table), width)
    keep: Keep = "start" if (table.schema.metadata or {}).get(b"keep") == b"start" else "end"
    encoded = Encoded(ids, table["length"].to_numpy(), table["label"].to_numpy(), keep)
    if len(encoded) and (
        ids.max() >= len(vocabulary.symbols)
        or encoded.labels.max() >= len(vocabulary.labels)
        or encoded.labels.min() < UNSEEN
        or not MARKS <= encoded.lengths.min() <= encoded.lengths.max() <= width
    ):
        raise DataError(f"{path}: ids or lengths beyond its vocabulary; make it anew: dvc repro -f")
    return encoded
