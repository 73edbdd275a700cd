"""What is read off words, into files and pipes, batch by batch."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from esetrag.core import files, streams
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.predict.inputs import Rows
from esetrag.predict.predictor import Prediction, Predictor, readings
from esetrag.symbols import encoding

ROW_GROUP = 2**25
"""Bytes of rows that wait to be written to parquet together."""
FORMATS = {".txt": "text", ".json": "json", ".tsv": "tsv", ".parquet": "parquet"}
"""Format of an output by its ending."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Some rows of the input and what was read off them."""

    rows: Rows
    found: pa.Table
    """What ``Predictor.predict_table`` gives."""


def read(reader: Predictor, batches: Iterator[Rows], top_k: int) -> Iterator[Answer]:
    """Reads batch by batch."""
    return (Answer(rows, reader.predict_table(rows.forms, top_k)) for rows in batches)


def format_of(output: Path | None, asked: str | None, default: str) -> str:
    """The format of an output: by its ending if it is a file.

    Raises:
        DataError: if the ending is of no format, or not of the one that was asked for.
    """
    if output is None:
        return asked or default
    kind = FORMATS.get(output.suffix)
    if kind is None:
        raise DataError(f"{output}: expected an ending {', '.join(FORMATS)}, found {output.suffix or 'none'}")
    if asked not in (None, kind):
        raise DataError(f"{output}: expected an ending of format {asked}, found {output.suffix}")
    return kind


def write(answers: Iterator[Answer], kind: str, output: Path | None) -> None:
    """Writes answers as they come: to a file, whole or not at all, or to standard output.

    Raises:
        DataError: if that cannot be written or the format cannot hold the rows.
    """
    if output is None:
        _to_standard_output(_texts(answers, kind))
    else:
        with files.replacing(output) as file:
            if kind == "parquet":
                _to_parquet(answers, file)
            else:
                file.writelines(text.encode() for text in _texts(answers, kind))


def _to_standard_output(texts: Iterator[str]) -> None:
    try:
        for text in texts:
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
    except OSError as error:
        streams.mute()
        if not isinstance(error, BrokenPipeError):  # whoever read it, as head does, has enough
            raise DataError(f"standard output: cannot be written ({error.strerror})") from error


def _to_parquet(answers: Iterator[Answer], file: IO[bytes]) -> None:
    waiting = [_table(next(answers))]
    with pq.ParquetWriter(file, waiting[0].schema, compression="zstd") as writer:
        for answer in answers:
            waiting.append(_table(answer))
            if sum(table.nbytes for table in waiting) > ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def _texts(answers: Iterator[Answer], kind: str) -> Iterator[str]:
    for number, answer in enumerate(answers):
        match kind:
            case "tsv":
                table = _table(answer)
                header = "\t".join(_cell_texts("names", pa.array(table.column_names)).to_pylist())
                yield _tsv(table) if number else f"{header}\n{_tsv(table)}"
            case "json":
                yield "".join(map(_json, readings(answer.rows.forms, answer.found)))
            case _:
                yield "".join(map(_text, readings(answer.rows.forms, answer.found)))


def _table(answer: Answer) -> pa.Table:
    """The input's columns, then those found, under names that the input has not."""
    table = answer.rows.given
    for name, values in zip(answer.found.column_names, answer.found.columns, strict=True):
        while name in table.column_names:
            name = f"predicted_{name}"
        table = table.append_column(name, values)
    return table


def _tsv(table: pa.Table) -> str:
    cells = [
        _cell_texts(*named) for named in zip(table.column_names, table.combine_chunks().columns, strict=True)
    ]
    lines = pc.binary_join_element_wise(pc.binary_join_element_wise(*cells, "\t"), "", "\n")
    return "".join(encoding.chunk_text(chunk) for chunk in lines.chunks)


def _cell_texts(name: str, values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    try:
        cells = pc.fill_null(values.cast(pa.string()), "")
    except pa.ArrowException as error:
        raise DataError(f"column {name!r}: {values.type} has no place in TSV; write parquet") from error
    if pc.any(pc.match_substring_regex(cells, "[\t\n\r]")).as_py():
        raise DataError(f"column {name!r}: a tab or line break has no place in TSV; write parquet")
    return cells


def _json(reading: Prediction) -> str:
    content = {
        "form": reading.form,
        "labels": reading.labels,
        "probabilities": [float(str(np.float32(share))) for share in reading.probabilities],
        "label_set": reading.label_set,
        "unknown": reading.unknown,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def _text(reading: Prediction) -> str:
    pairs = zip(reading.labels, reading.probabilities, strict=True)
    shares = "  ".join(f"{label} {share:.1%}" for label, share in pairs)
    note = f"  (unknown to the reader: {reading.unknown})" if reading.unknown else ""
    several = f"  any of {reading.label_set}" if label_sets.CHOICE in reading.label_set else ""
    unsure = "" if reading.label_set else "  (unsure)"
    return f"{reading.form}  {shares}{several}{unsure}{note}\n"
