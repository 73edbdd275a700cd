"""Forms to arrays of symbol ids, ``BOS symbols EOS PAD …``, without a loop over words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.data.pairs import SEPARATOR
from esetrag.symbols.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary

MARKS = 2  # BOS and EOS
MAX_WIDTH = 2**16 - 1
LARGEST = 2**30
"""Ids of a part; a million rows of ordinary words come to a twentieth of them."""

Keep = Literal["end", "start"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded rows."""

    ids: npt.NDArray[np.unsignedinteger]  # (rows, width)
    lengths: npt.NDArray[np.uint16]  # (rows,) BOS and EOS counted
    targets: npt.NDArray[Any]
    """(rows, labels) bool; none where training had none of a row's labels. Of sequences that are written
    (rows, steps) ids, EOS at the end, PAD behind."""
    weights: npt.NDArray[np.float32]  # (rows,) how much each counts in training
    keep: Keep = "end"

    @classmethod
    def unlabelled(
        cls, ids: npt.NDArray[np.unsignedinteger], lengths: npt.NDArray[np.uint16], labels: int
    ) -> Encoded:
        """Rows without labels."""
        return cls(ids, lengths, np.zeros((len(ids), labels), bool), np.ones(len(ids), np.float32))

    def __len__(self) -> int:
        return len(self.lengths)


def width_of(forms: pa.ChunkedArray, max_symbols: int | None) -> int:
    """Characters of the longest form (no unit makes more symbols), or ``max_symbols``, and BOS and EOS."""
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

    Raises:
        DataError: if that is more than ``LARGEST``.
    """
    symbols, full = segmented(forms, vocabulary)
    ids, lengths = padded(symbols, full, width, keep)
    return ids.astype(tables.id_type(vocabulary.size)), lengths


def padded(
    symbols: npt.NDArray[np.unsignedinteger], full: npt.NDArray[np.int64], width: int, keep: Keep
) -> tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.uint16]]:
    """The ids of all rows, one after another, as rows of one width.

    Args:
        symbols: all ids.
        full: (rows,) how many each row has.
        width: as for ``encode``, as is ``keep``.
        keep: see there.
    """
    kept = np.minimum(full, width - MARKS)
    check_size(len(full), width)
    if len(symbols) > kept.sum():
        left_out = full - kept if keep == "end" else np.zeros_like(full)  # before those that are kept
        place = np.arange(len(symbols)) - np.repeat(np.cumsum(full) - full + left_out, full)
        symbols = symbols[(place >= 0) & (place < np.repeat(kept, full))]

    ids = np.full((len(full), width), PAD, dtype=symbols.dtype)
    ids[:, 0] = BOS
    ids[:, 1:-1][np.arange(width - MARKS) < kept[:, None]] = symbols
    ids[np.arange(len(full)), kept + 1] = EOS
    return ids, (kept + MARKS).astype(np.uint16)


def check_size(rows: int, width: int) -> None:
    """Raises ``DataError`` if a part has more ids than ``LARGEST``."""
    if rows * width > LARGEST:
        raise DataError(
            f"{rows:,} rows of {width:,} symbols each are more than {LARGEST:,}; "
            "the longest form makes all rows wide: set encode_pad.max_symbols in params.yaml"
        )


def segmented(
    forms: pa.ChunkedArray, vocabulary: Vocabulary
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The symbol ids of all forms, one after another; how many each form has, (rows,)."""
    if vocabulary.unit == "bpe":
        return vocabulary.segmenter(forms.to_pylist())
    if vocabulary.unit == "word":
        counts = np.ones(len(forms), np.int64)
        if vocabulary.reads_pairs:  # the words of two texts
            spaced = pc.replace_substring(forms, SEPARATOR, f" {SEPARATOR} ").combine_chunks()
            words = pc.split_pattern_regex(spaced, " +")
            forms, counts = words.flatten(), pc.list_value_length(words).to_numpy().astype(np.int64)
        places = pc.index_in(forms, value_set=pa.array(vocabulary.symbols[len(SPECIAL) :], pa.string()))
        ids = pc.fill_null(pc.add(places, len(SPECIAL)), UNK).to_numpy().astype(np.uint32)
        return ids, counts
    # All forms as one string of code points, each of which is one table look-up away from its id.
    text = "".join(chunk_text(chunk) for chunk in forms.chunks)
    symbols = vocabulary.id_of_code_point[np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)]
    return symbols, pc.utf8_length(forms).to_numpy().astype(np.int64)


def chunk_text(chunk: pa.Array) -> str:
    """The strings of an array without nulls, joined; their bytes lie side by side in its buffer."""
    if len(chunk) == 0:
        return ""
    start, end = np.frombuffer(chunk.buffers()[1], dtype=np.int32)[[chunk.offset, chunk.offset + len(chunk)]]
    return bytes(chunk.buffers()[2][int(start) : int(end)]).decode()


def encode_rows(rows: pa.Table, vocabulary: Vocabulary, width: int, keep: Keep) -> Encoded:
    """Encodes forms and labels of labelled rows (``tables.SAMPLE``)."""
    ids, lengths = encode(rows["form"], vocabulary, width, keep)
    targets = label_sets.matrix(rows["label"], vocabulary.labels)
    return Encoded(ids, lengths, targets, rows["weight"].to_numpy(), keep)


def write(path: Path, encoded: Encoded, symbols: int) -> None:
    """Writes encoded rows as parquet."""
    tables.write_parts(path, [table(encoded, symbols)], tables.ARRAYS)


def table(encoded: Encoded, symbols: int) -> pa.Table:
    """Encoded rows as a table (``tables.encoded``) for a vocabulary of so many symbols."""
    width, targets = encoded.ids.shape[1], encoded.targets
    written = targets.dtype != np.bool_
    stored = np.ascontiguousarray(targets) if written else np.packbits(targets, axis=1)
    size = stored.shape[1] * stored.itemsize
    metadata = {"keep": encoded.keep, "targets": "ids" if written else "bits"}
    schema = tables.encoded(width, symbols, size).with_metadata(metadata)
    columns = [
        pa.Array.from_buffers(schema.field("ids").type, len(encoded), [None, pa.py_buffer(encoded.ids)]),
        pa.array(encoded.lengths),
        pa.Array.from_buffers(schema.field("targets").type, len(encoded), [None, pa.py_buffer(stored)]),
        pa.array(encoded.weights),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def read(path: Path, vocabulary: Vocabulary) -> Encoded:
    """Loads encoded rows.

    Args:
        path: what ``write`` wrote.
        vocabulary: the one they were encoded with.

    Raises:
        DataError: if the file is damaged, has other columns or ids beyond the vocabulary.
    """
    table, labels = tables.read(path), len(vocabulary.labels)
    metadata, id_type = table.schema.metadata or {}, tables.id_type(vocabulary.size)
    written = metadata.get(b"targets") == b"ids"
    width = max(_size(table, "ids") // id_type.itemsize, MARKS)
    size = max(_size(table, "targets") // 2, 1) * 2 if written else -(-labels // 8)
    tables.check(path, table, tables.encoded(width, vocabulary.size, size))
    ids = _fixed(table["ids"], width, id_type)
    targets: npt.NDArray[Any]
    if written:
        targets = _fixed(table["targets"], size // 2, np.dtype("<u2"))
        beyond = bool(targets.size and targets.max() >= len(vocabulary.output.symbols))
    else:
        packed = _fixed(table["targets"], size, np.dtype("u1"))
        bits = np.unpackbits(packed.ravel()).reshape(len(packed), 8 * packed.shape[1])
        targets = bits[:, :labels].view(bool)
        beyond = bool((packed[:, -1] & (0xFF >> (labels - 1) % 8 + 1)).any())
    keep: Keep = "start" if metadata.get(b"keep") == b"start" else "end"
    encoded = Encoded(ids, table["length"].to_numpy(), targets, table["weight"].to_numpy(), keep)
    lengths = encoded.lengths
    if len(encoded) and (
        ids.max() >= vocabulary.size or beyond or not MARKS <= lengths.min() <= lengths.max() <= width
    ):
        raise DataError(f"{path}: ids or lengths beyond its vocabulary; make it anew: dvc repro -f")
    return encoded


def _size(table: pa.Table, name: str) -> int:
    """Bytes of a value of a column of binary values of one size; 0 if it is none."""
    kind = table.schema.field(name).type if name in table.schema.names else None
    return kind.byte_width if isinstance(kind, pa.FixedSizeBinaryType) else 0


def _fixed(column: pa.ChunkedArray, width: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Binary values of one size as rows of numbers, (rows, width)."""
    size = width * kind.itemsize
    chunks = [chunk for chunk in column.chunks if len(chunk)]
    parts = [np.frombuffer(c.buffers()[1], kind, len(c) * width, c.offset * size) for c in chunks]
    rows: npt.NDArray[Any] = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, kind), *parts])
    return rows.reshape(len(column), width)
