"""The labelled rows of a task, selected from a UniMorph table as it goes by, and a summary of all others.

Of a row that is not selected nothing stays but its hash, by which distinct rows are counted.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import features, tables
from esetrag.core.errors import DataError
from esetrag.core.text import visible
from esetrag.data import label_sets

COLUMNS = ("lemma", "form", "features")
EXAMPLES = 5
NO_FORM = rf"^({'|'.join(sorted(features.HEADINGS))}|[\pP\pS\s]+|0)$"
"""What stands in the place of a form: a table's heading or marks alone."""
EMPTY, HEADING = "empty cell", "heading as a form"
_TEXTS = pa.schema([(name, pa.string()) for name in COLUMNS])


@dataclass(frozen=True, slots=True)
class Selection:
    """The labelled rows of a task and a summary of all others; all but ``rows`` counts distinct rows."""

    table: pa.Table
    """Rows of ``tables.LABELLED`` in the order of the file."""
    rows: int
    duplicates: int
    parts_of_speech: dict[str, int]
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows of the part of speech that were left out, by reason."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """The first few of each reason, as ``lemma form bundle``."""
    bundles: dict[str, int] = field(default_factory=dict)
    """Rows of each bundle of the part of speech."""
    headings: pa.Table = field(default_factory=_TEXTS.empty_table)
    """Distinct rows of the part of speech that are left out for a heading in the form."""


def select(
    rows: pa.Table | Iterable[pa.RecordBatch],
    path: Path,
    pos: str | Sequence[str] | None,
    feature: str | Sequence[str] | None,
    distinct: bool = True,
) -> Selection:
    """Keeps the rows of parts of speech that have a value of a feature, or a choice of values.

    Rows of no value, of values in several tags, with an empty cell or a heading for a form are counted.
    The label of a row is its value; of several features a bundle of the values that it has (``NOM;SG``).

    Args:
        rows: columns ``lemma``, ``form``, ``features``; whole, or batch by batch.
        path: where they came from, for messages.
        pos: parts of speech, the first tags of bundles; None takes all.
        feature: a key of ``features.DIMENSIONS``, or several; None takes all rows, their labels are empty.
        distinct: whether rows that stand again are left out.

    Raises:
        DataError: if no row is left.
    """
    wanted = [pos] if isinstance(pos, str) else ["" if pos is None else name for name in pos or [""]]
    asked = [feature] if isinstance(feature, str) else [*(feature or ())]
    reasons = (EMPTY, HEADING, f"no value of {listed(asked)}", f"several values of {listed(asked)}")
    good, width = len(reasons), len(reasons) + 1
    kinds = {name: number for number, name in enumerate(wanted)}  # parts of speech as numbers

    @lru_cache(2**14)
    def outcome(bundle: str) -> tuple[int, str]:
        """Part of speech and reason as one number, and the label: bundles are few, rows are many."""
        kind = kinds.setdefault("" if pos is None else features.part_of_speech(bundle), len(kinds))
        if not asked:
            return kind * width + (good if kind < len(wanted) else 0), ""
        choices = [features.choices(bundle, name) for name in asked]
        values = [frozenset[str]().union(*tags) for tags in choices]
        several = any(len(v) > 1 and len(tags) > 1 for v, tags in zip(values, choices, strict=True))
        several |= math.prod(len(v) or 1 for v in values) > features.MOST_CHOICES
        reason = 2 if not any(values) else 3 if several else good
        label = label_sets.join(features.combinations(values)) if reason == good else ""
        return kind * width + (reason if kind < len(wanted) else 0), label

    kept, headings = [tables.LABELLED.empty_table()], [_TEXTS.empty_table()]
    hashes: dict[int, list[npt.NDArray[np.int64]]] = defaultdict(list)
    examples: dict[str, set[str]] = defaultdict(set)
    bundles: Counter[str] = Counter()
    total = 0
    for batch in rows.to_batches() if isinstance(rows, pa.Table) else rows:
        total += len(batch)
        encoded = batch["features"].dictionary_encode()
        texts, index = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
        outcomes = [outcome(text) for text in texts]
        code = np.array([number for number, _ in outcomes], np.int64)[index]
        of_pos = code < len(wanted) * width
        for text, count in zip(texts, np.bincount(index[of_pos], minlength=len(texts)).tolist(), strict=True):
            bundles[text] += count
        # Of the reasons that speak against a row, the first counts.
        reason = np.select(_faults(batch["lemma"], batch["form"]), [0, 1], code % width)
        code = np.where(of_pos, code - code % width + reason, code)
        keep = of_pos & (reason == good)
        labels = pa.array([label for _, label in outcomes], pa.string()).take(encoded.indices)
        columns = [*batch.columns, labels, pa.nulls(len(batch), pa.float32())]
        kept.append(pa.table(columns, schema=tables.LABELLED).filter(pa.array(keep)))
        headings.append(pa.table(batch).filter(pa.array(of_pos & (reason == 1))))
        cells = (batch[name].filter(pa.array(~keep)).to_pylist() for name in COLUMNS)
        hashed = np.fromiter(map(hash, zip(*cells, strict=True)), np.int64)
        for number in np.unique(code[~keep]).tolist():
            hashes[number].append(hashed[code[~keep] == number])
            if number < len(wanted) * width:
                lines = pc.binary_join_element_wise(*batch.filter(pa.array(code == number)).columns, " ")
                shown = examples[reasons[number % width]]
                shown.update(pc.unique(lines).sort()[:EXAMPLES].to_pylist())
    table = pa.concat_tables(kept)
    table = merged(table, COLUMNS) if distinct else table
    count = {number: _count(hashes.pop(number), distinct) for number in list(hashes)}
    names = list(kinds)
    of_kind: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for bundle in table["features"].value_counts().to_pylist():
        of_kind[features.part_of_speech(bundle["values"])] += bundle["counts"]
    for number, rows_of_it in count.items():
        of_kind[names[number // width]] += rows_of_it
        if number < len(wanted) * width:
            dropped[reasons[number % width]] += rows_of_it
    if not len(table):
        raise _nothing(path, wanted, asked, of_kind, bundles)
    return Selection(
        table,
        rows=total,
        duplicates=total - of_kind.total(),
        parts_of_speech=dict(of_kind.most_common()),
        dropped={reason: dropped[reason] for reason in reasons if dropped[reason]},
        examples={reason: sorted(shown)[:EXAMPLES] for reason, shown in examples.items()},
        bundles=+bundles,
        headings=pa.concat_tables(headings).group_by(list(COLUMNS), use_threads=False).aggregate([]),
    )


def _count(parts: list[npt.NDArray[np.int64]], distinct: bool) -> int:
    """The rows with those hashes, or the distinct ones; there may be millions, so nothing is copied twice."""
    if not distinct:
        return sum(map(len, parts))
    hashes = np.concatenate(parts)
    parts.clear()
    hashes.sort()
    return int(np.count_nonzero(hashes[1:] != hashes[:-1])) + 1


def merged(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Of rows (``tables.LABELLED``) with the same keys the first one, with the sum of their weights."""
    numbered = rows.append_column("row", pa.array(np.arange(len(rows))))
    sums = [("row", "min"), ("weight", "sum")]
    groups = numbered.group_by(list(keys), use_threads=False).aggregate(sums).sort_by("row_min")
    if len(groups) == len(rows):
        return rows
    weights = groups["weight_sum"].cast(pa.float32())
    return rows.take(groups["row_min"]).set_column(4, tables.LABELLED.field("weight"), weights)


def _faults(lemma: pa.Array, form: pa.Array) -> list[npt.NDArray[np.bool_]]:
    """Whether a cell of each row is empty; whether its form is a heading, marks or ``*form``."""
    empty = pc.or_(pc.equal(form, ""), pc.equal(lemma, ""))
    heading = pc.and_(pc.match_substring_regex(form, NO_FORM), pc.not_equal(form, lemma))
    # *form is one that nobody says, unless all of the language is reconstructed.
    heading = pc.or_(heading, pc.and_not(pc.starts_with(form, "*"), pc.starts_with(lemma, "*")))
    return [empty.to_numpy(zero_copy_only=False), heading.to_numpy(zero_copy_only=False)]


def _nothing(
    path: Path, wanted: list[str], asked: list[str], kinds: Counter[str], bundles: Counter[str]
) -> DataError:
    """The error where no row is left, with what there is instead."""
    rows, names = sum(kinds[name] for name in wanted), " or ".join(wanted)
    problem = f"none of the {rows:,} rows of {names} has one value of {listed(asked)}"
    problem = problem if rows else f"no row has the part of speech {names}"
    hint = "; are the columns in another order? columns: [lemma, tags, form]" if len(kinds) > 100 else ""

    def has_value(text: str) -> bool:
        return any(features.values(text, name) for name in asked)

    small = [text for text in (bundles if rows else kinds) if not has_value(text)]
    if any(has_value(text.upper()) or text.upper() in wanted for text in small):
        hint = "; are the tags in small letters? the schema's are capitals: N;NOM;SG"
    return DataError(f"{path}: {problem}; {found(bundles) if rows else f'found {most(kinds)}'}{hint}")


def listed(dimensions: Sequence[str]) -> str:
    """Names of features, for a message."""
    return "a feature" if len(dimensions) == len(features.DIMENSIONS) else " or ".join(dimensions)


def found(bundles: dict[str, int]) -> str:
    """The most frequent bundles, and the tags that the schema does not know, with their rows."""
    unknown = unknown_tags(bundles)
    return f"found {most(bundles)}" + (f"; unknown tags {most(unknown)}" if unknown else "")


def unknown_tags(bundles: dict[str, int]) -> dict[str, int]:
    """Rows of each tag that the schema does not know, or knows in capitals only."""
    rows: Counter[str] = Counter()
    for bundle, count in bundles.items():
        tags = {*features.tags(bundle)}
        odd = [tag for tag in tags if tag != tag.upper() or not features.known(tag)]
        rows.update(dict.fromkeys(map(visible, odd), count))
    return rows


def most(counts: dict[str, int]) -> str:
    """The most frequent entries, for a message."""
    return ", ".join(f"{name[:40]} ({count:,})" for name, count in Counter(counts).most_common(8))
