"""Predictions into files and pipes, batch by batch."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import repeat
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import files, streams, tables
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.predict.inputs import OFFSETS, TOKENS, Rows
from esetrag.predict.prediction import Prediction
from esetrag.predict.predictor import Predictor
from esetrag.predict.sequence_predictor import SequencePredictor
from esetrag.symbols import encoding

FORMATS = {".txt": "text", ".json": "json", ".tsv": "tsv", ".parquet": "parquet"}
"""Format of an output by its ending."""


def format_of(output: Path | None, asked: str | None, default: str) -> str:
    """The format of an output: by its ending if it is a file.

    Raises:
        DataError: if the ending is of no format, or not of the one that was asked for.
    """
    if output is None or (_is_stream(output) and output.suffix not in FORMATS):
        return asked or default
    kind = FORMATS.get(output.suffix)
    if kind is None:
        raise DataError(f"{output}: expected an ending {', '.join(FORMATS)}, found {output.suffix or 'none'}")
    if asked not in (None, kind):
        raise DataError(f"{output}: expected an ending of format {asked}, found {output.suffix}")
    return kind


def write(
    predictor: Predictor | SequencePredictor,
    batches: Iterator[Rows],
    top_k: int,
    kind: str,
    output: Path | None,
) -> None:
    """Predicts and writes batch by batch: to a file, whole or not at all, or to a stream.

    Args:
        predictor: the model.
        batches: the words, one batch at least.
        top_k: labels a word.
        kind: one of ``FORMATS``.
        output: a file, FIFO or device; None is standard output.

    Raises:
        DataError: if that cannot be written or the format cannot hold the rows.
    """
    with _opened(output) as file:
        if kind == "parquet":
            tables.write_stream(file, (_table(predictor, rows, top_k) for rows in batches))
            return
        for number, (table, forms) in enumerate(batches):
            if kind == "tsv":
                text = _tsv(_table(predictor, (table, forms), top_k), header=number == 0)
            else:
                predictions = predictor.predict(forms.to_pylist(), top_k)
                text = "".join(
                    map(_json, predictions, _offsets(table)) if kind == "json" else map(_text, predictions)
                )
            file.write(text.encode())
            file.flush()


def _is_stream(output: Path) -> bool:
    """Whether it is written through, not replaced: a FIFO, a device, an open file of a process."""
    return str(output).startswith(("/dev/", "/proc/")) or output.is_fifo()


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    if output is not None and not _is_stream(output):
        target = Path(os.path.realpath(output))  # a symbolic link stays one
        with files.replacing(target, _mode(target)) as file:
            yield file
        return
    try:
        with nullcontext(sys.stdout.buffer) if output is None else output.open("ab") as stream:
            yield stream
    except OSError as error:
        if output is None:
            streams.mute()
        if not isinstance(error, BrokenPipeError):  # who reads it, as head does, has enough
            name = output or "standard output"
            raise DataError(f"{name}: cannot be written ({error.strerror or error})") from error


def _mode(target: Path) -> int:
    """The permissions of a file that is replaced, or those that a new one gets."""
    if target.exists():
        return target.stat().st_mode & 0o777
    os.umask(mask := os.umask(0o077))
    return 0o666 & ~mask


def _table(predictor: Predictor | SequencePredictor, rows: Rows, top_k: int) -> pa.Table:
    """The input's columns, then the predicted ones, under names that the input has not."""
    table, predicted = rows[0], predictor.predict_table(rows[1], top_k)
    for name, values in zip(predicted.column_names, predicted.columns, strict=True):
        while name in table.column_names:
            name = f"predicted_{name}"
        table = table.append_column(name, values)
    return table


def _tsv(table: pa.Table, header: bool) -> str:
    names = "\t".join(_cells("names", pa.array(table.column_names)).to_pylist()) + "\n" if header else ""
    cells = map(_cells, table.column_names, table.combine_chunks().columns)
    lines = pc.binary_join_element_wise(pc.binary_join_element_wise(*cells, "\t"), "", "\n")
    return names + "".join(encoding.chunk_text(chunk) for chunk in lines.chunks)


def _cells(name: str, values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    try:
        if pa.types.is_list(values.type):
            values = pc.binary_join(values.cast(pa.list_(pa.string())), " ")
        cells = pc.fill_null(values.cast(pa.string()), "")
    except pa.ArrowException as error:
        raise DataError(f"column {name!r}: {values.type} has no place in TSV; write parquet") from error
    if pc.any(pc.match_substring_regex(cells, "[\t\n\r]")).as_py():
        raise DataError(f"column {name!r}: a tab or line break has no place in TSV; write parquet")
    return cells


def _offsets(table: pa.Table) -> Iterable[dict[str, int]]:
    """Where each word stands, if it is of running text."""
    return table.select(OFFSETS.names).to_pylist() if table.schema.equals(TOKENS) else repeat({})


def _json(prediction: Prediction, offsets: dict[str, int]) -> str:
    content = {
        **offsets,
        "form": prediction.form,
        "labels": prediction.labels,
        "probabilities": [float(str(np.float32(share))) for share in prediction.probabilities],
        "label_set": prediction.label_set,
        "unknown": prediction.unknown,
        **prediction.more,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def _text(prediction: Prediction) -> str:
    if prediction.words:  # one in a line, a blank line behind a sentence
        rows = zip(prediction.words, prediction.tags, prediction.tag_probabilities, strict=True)
        return "".join(f"{word}  {tag} {share:.1%}\n" for word, tag, share in rows) + "\n"
    answer = [
        _ranks(dict(zip(prediction.labels, prediction.probabilities, strict=True)), "  "),
        prediction.names,
        *(f"{name} {_ranks(values)}" for name, values in prediction.by_feature.items()),
        f"lemma {prediction.lemma} {prediction.lemma_probability:.1%}" if prediction.lemma else "",
        f"any of {prediction.label_set}" if label_sets.CHOICE in prediction.label_set else "",
    ]
    notes = [
        *([] if prediction.note else answer),  # its most probable label would look like an answer
        "" if prediction.label_set else f"({prediction.note or 'unsure'})",
        f"(unknown symbols: {prediction.unknown})" if prediction.unknown else "",
    ]
    asked = filter(None, (prediction.form, prediction.features))
    return "  ".join([*asked, *filter(None, notes)]) + "\n"


def _ranks(ranked: Mapping[str, float], between: str = ", ") -> str:
    return between.join(f"{name} {share:.1%}" for name, share in ranked.items())
