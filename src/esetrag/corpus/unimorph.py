"""Reads UniMorph tables, one inflected form a line: ``lemma<TAB>form<TAB>tags``.

What 25 published files taught: UTF-8 with or without BOM, LF or CRLF, blank lines; words such as
``null`` and ``nan``; lone quotation marks; spaces around cells; decomposed letters; rows that
stand twice. All of that is read; a row of another width is an error.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from esetrag.corpus import tables, truth
from esetrag.project import features, files
from esetrag.project.errors import DataError

COLUMNS = ("lemma", "form", "features")
EXAMPLES = 5
LARGEST = 2**30
"""Bytes of a table, unpacked: four times the largest published one. Reading takes about six times as many."""
_BLANK = re.compile(r"^[^\S\t\r\n]+(?=\r?$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Selection:
    """The labelled rows of a task and an account of all others."""

    table: pa.Table
    """Rows of ``tables.ROWS`` in the order of the file."""
    rows: int
    duplicates: int
    parts_of_speech: dict[str, int]
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows of the part of speech that were left out, by reason."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """The first few distinct ones of each reason, as ``lemma form bundle``."""


def read(path: Path) -> pa.Table:
    """Reads a table whole: cells trimmed, text in NFC.

    Args:
        path: a plain or gzip-compressed (``.gz``) file of ``LARGEST`` bytes at most, unpacked.

    Returns:
        The columns ``lemma``, ``form``, ``features``, as many rows as the file has.

    Raises:
        DataError: with file and line, if a row has not three columns, the text is not UTF-8 or
            the file cannot be read or is too large.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = files.whole(file, LARGEST)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file ({error})") from error
    if data is None:
        raise DataError(
            f"{path}: expected a table of {LARGEST:,} bytes at most, unpacked, found more; "
            "cut it down to the part of speech you want"
        )
    if not data.strip():
        raise DataError(f"{path}: expected rows lemma<TAB>form<TAB>tags, found an empty file")
    try:
        # Not pyarrow's utf8_normalize: that of version 25 decomposes when asked for NFC.
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig"))
        table = _parse(text)
    except MemoryError:  # Arrow's is one of its exceptions, too
        raise
    except (UnicodeDecodeError, pa.ArrowException) as error:
        _explain(path, data)
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a table of three columns ({reason})") from error
    if "\0" in text:
        _explain(path, data)
    cells = [pc.utf8_trim_whitespace(column) for column in table.columns]
    return pa.table(dict(zip(COLUMNS, cells, strict=True)))


def _parse(text: str) -> pa.Table:
    parse = csv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False)
    columns = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=False)
    reading = csv.ReadOptions(use_threads=False, column_names=list(COLUMNS))
    try:
        return csv.read_csv(pa.BufferReader(text.encode()), reading, parse, columns)
    except pa.ArrowInvalid:
        blank = _BLANK.sub("", text)  # a line of spaces is a blank line too; few files have one
        if blank == text:
            raise
        return csv.read_csv(pa.BufferReader(blank.encode()), reading, parse, columns)


def _explain(path: Path, data: bytes) -> None:
    """Finds the line at fault; slow, for a file that is refused anyway."""
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", data), start=1):
        where = f"{path}, line {number}: expected lemma<TAB>form<TAB>tags in UTF-8, found"
        try:
            row = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where} the byte 0x{error.object[error.start]:02x}; convert the file to UTF-8"
            ) from error
        if "\0" in row:
            raise DataError(f"{where} a NUL character; is it a text file?")
        if (row.strip() or "\t" in row) and row.count("\t") != 2:
            shown = row if len(row) <= 60 else f"{row[:57]}…"
            raise DataError(f"{where} {row.count(chr(9)) + 1} column(s): {shown!r}")


def select(table: pa.Table, path: Path, pos: str, feature: str) -> Selection:
    """Keeps the rows of a part of speech that bear a value of a feature, or a choice of values.

    Rows of no value, of values in several tags, with an empty cell, or with a heading for a form are
    left out and counted.

    Args:
        table: columns ``lemma``, ``form``, ``features``.
        path: where it came from, for messages.
        pos: part of speech, the first tag of a bundle.
        feature: a key of ``features.DIMENSIONS``.

    Raises:
        DataError: if no row is left.
    """
    numbered = table.append_column("row", pa.array(np.arange(len(table))))
    # Groups come in no promised order; the first row of each gives the order of the file back.
    groups = numbered.group_by(list(COLUMNS), use_threads=False).aggregate([("row", "min")])
    distinct = groups.sort_by("row_min").select(list(COLUMNS))
    # Bundles are few (hundreds), rows are many: a bundle is read once, its rows take the outcome.
    bundles = pc.dictionary_encode(distinct["features"]).combine_chunks()
    texts, index = bundles.dictionary.to_pylist(), bundles.indices.to_numpy()
    rows_of = np.bincount(index, minlength=len(texts))
    kinds: Counter[str] = Counter()
    for bundle, rows in zip(texts, rows_of, strict=True):
        kinds[features.part_of_speech(bundle)] += int(rows)
    found = [features.choices(bundle, feature) for bundle in texts]
    values = [frozenset[str]().union(*choices) for choices in found]
    of_pos = np.array([features.part_of_speech(bundle) == pos for bundle in texts], dtype=bool)[index]
    if not of_pos.any():
        known = ", ".join(f"{kind} ({rows:,})" for kind, rows in kinds.most_common(8))
        raise DataError(f"{path}: no row has the part of speech {pos}; found {known}")
    form, lemma = distinct["form"], distinct["lemma"]
    heading = pc.and_(pc.is_in(form, pa.array(sorted(features.HEADINGS))), pc.not_equal(form, lemma))
    empty = pc.or_(pc.equal(form, ""), pc.equal(lemma, ""))
    reasons = {
        "empty cell": empty.to_numpy(),
        "heading as a form": heading.to_numpy(),
        f"no value of {feature}": np.array([len(some) == 0 for some in values], dtype=bool)[index],
        f"several values of {feature}": np.array(
            [len(some) > 1 and len(choices) > 1 for some, choices in zip(values, found, strict=True)],
            dtype=bool,
        )[index],
    }
    kept, dropped, examples = of_pos.copy(), {}, {}
    for reason, rows in reasons.items():
        out = np.flatnonzero(kept & rows)
        if len(out):
            shown = distinct.take(out).sort_by([(name, "ascending") for name in COLUMNS]).slice(0, EXAMPLES)
            dropped[reason] = len(out)
            examples[reason] = [" ".join(row.values()) for row in shown.to_pylist()]
        kept &= ~rows
    if not kept.any():
        raise DataError(f"{path}: none of the {of_pos.sum():,} rows of {pos} bears one value of {feature}")
    labels = pa.array([truth.join(some) for some in values])
    labelled = distinct.append_column("label", labels.take(bundles.indices)).filter(pa.array(kept))
    return Selection(
        labelled.cast(tables.ROWS),
        rows=len(table),
        duplicates=len(table) - len(distinct),
        parts_of_speech=dict(kinds.most_common()),
        dropped=dropped,
        examples=examples,
    )
