"""The rows of a task, selected from a table as it goes by, and an account of all others.

Of a row that is not selected nothing stays but its hash (``distinct``), by which it is counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import features, tables
from esetrag.core.errors import DataError
from esetrag.data import distinct, label_sets
from esetrag.data.distinct import Distinct, Hashes

Bools = npt.NDArray[np.bool_]

COLUMNS = ("lemma", "form", "features")
EXAMPLES = 5
SETTLE = 2**18
"""So many selected rows are looked through for those that stand again; then twice as many as are left."""
_SORTED = [(name, "ascending") for name in COLUMNS]
_TEXTS = pa.schema([(name, pa.string()) for name in COLUMNS])
_WORD = pa.dictionary(pa.int32(), pa.string())


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
    bundles: dict[str, int] = field(default_factory=dict)
    """Of the part of speech: how many rows bear each, those counted that stand again."""
    headings: pa.Table = field(default_factory=_TEXTS.empty_table)
    """Distinct rows of the part of speech that are left out for a heading in the form."""


def select(rows: pa.Table | Iterable[pa.RecordBatch], path: Path, pos: str, feature: str) -> Selection:
    """Keeps the rows of a part of speech that bear a value of a feature, or a choice of values.

    Rows of no value, of values in several tags, with an empty cell, or with a heading for a form are
    left out and counted.

    Args:
        rows: columns ``lemma``, ``form``, ``features``; whole, or batch by batch as
            ``unimorph.batches`` reads them.
        path: where they came from, for messages.
        pos: part of speech, the first tag of a bundle.
        feature: a key of ``features.DIMENSIONS``.

    Raises:
        DataError: if no row is left.
    """
    with Selector(pos, feature) as selector:
        for batch in rows.to_batches() if isinstance(rows, pa.Table) else rows:
            selector.add(batch)
        return selector.selection(path)


class Selector:
    """Takes a table batch by batch."""

    def __init__(self, pos: str, feature: str) -> None:
        """Nothing is selected yet.

        Args:
            pos: part of speech, the first tag of a bundle.
            feature: a key of ``features.DIMENSIONS``.
        """
        self._pos, self._feature = pos, feature
        self._reasons = (
            *("empty cell", "heading as a form"),
            *(f"no value of {feature}", f"several values of {feature}"),
        )
        self._rows = 0
        self._kinds: dict[str, int] = {}  # by first appearance
        self._bundles: Counter[str] = Counter()
        self._headings: list[pa.Table] = []
        self._examples = dict.fromkeys(self._reasons, _TEXTS.empty_table())
        self._left_out, self._kept = Distinct(), _Kept()
        # Bundles are few (hundreds), rows are many: a bundle is read once, its rows take the outcome.
        self._read = lru_cache(2**14)(self._reading)

    def __enter__(self) -> Selector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left_out.__exit__(kind, error, trace)

    def add(self, rows: pa.RecordBatch) -> None:
        """Takes the next rows of the table.

        Args:
            rows: ``lemma``, ``form``, ``features``.
        """
        lemma, form = rows["lemma"], rows["form"]
        bundles = rows["features"].dictionary_encode()
        texts, index = bundles.dictionary.to_pylist(), bundles.indices.to_numpy()
        outcomes = [self._read(text) for text in texts]
        for text, (kind, _, _), count in zip(texts, outcomes, np.bincount(index), strict=False):
            self._kinds.setdefault(kind, len(self._kinds))
            if kind == self._pos:
                self._bundles[text] += int(count)
        self._rows += len(rows)
        kinds, by_bundle = (
            np.array([(self._kinds[kind], reason) for kind, reason, _ in outcomes], np.int64)
            .reshape(-1, 2)[index]
            .T
        )
        of_pos = kinds == self._kinds.get(self._pos, -1)
        empty, heading = _faults(lemma, form)
        # Of the reasons that speak against a row, the first counts.
        reason = np.select([empty, heading], [0, 1], by_bundle)
        kept = of_pos & (reason == len(self._reasons))
        hashed = distinct.hashes([lemma.dictionary_encode(), form, bundles])
        self._left_out.add(hashed[~kept], np.where(of_pos, reason, len(self._reasons) + kinds)[~kept])
        for number, name in enumerate(self._reasons):
            self._show(name, rows, of_pos & (reason == number))
        if (headings := of_pos & heading).any():
            self._headings.append(_distinct(rows.filter(pa.array(headings))))
        if kept.any():
            labels = pa.array([label for _, _, label in outcomes], pa.string())
            labelled = rows.append_column("label", labels.take(bundles.indices))
            self._kept.add(labelled.filter(pa.array(kept)), hashed[kept])

    def _reading(self, bundle: str) -> tuple[str, int, str]:
        """Part of speech, number of the reason that speaks against the bundle if any, label."""
        choices = features.choices(bundle, self._feature)
        some = frozenset[str]().union(*choices)
        reason = 2 if not some else 3 if len(some) > 1 and len(choices) > 1 else len(self._reasons)
        return features.part_of_speech(bundle), reason, label_sets.join(some)

    def _show(self, reason: str, rows: pa.RecordBatch, out: Bools) -> None:
        """Keeps the first rows that are left out, by the alphabet."""
        if out.any():
            some = pa.concat_tables([self._examples[reason], _distinct(rows.filter(pa.array(out)))])
            some = _distinct(some)
            self._examples[reason] = some.take(pc.select_k_unstable(some, EXAMPLES, _SORTED))

    def selection(self, path: Path) -> Selection:
        """What was selected of all that was added.

        Args:
            path: where it came from, for messages.

        Raises:
            DataError: if no row was.
        """
        table = self._kept.table()
        counts = self._left_out.counts(len(self._reasons) + len(self._kinds)).tolist()
        dropped = dict(zip(self._reasons, counts, strict=False))
        kinds = Counter(dict(zip(self._kinds, counts[len(self._reasons) :], strict=True)))
        if self._pos not in kinds:
            known = ", ".join(f"{kind} ({rows:,})" for kind, rows in kinds.most_common(8))
            raise DataError(f"{path}: no row has the part of speech {self._pos}; found {known}")
        kinds[self._pos] = sum(dropped.values()) + len(table)
        if not len(table):
            found = f"none of the {kinds[self._pos]:,} rows of {self._pos}"
            raise DataError(f"{path}: {found} bears one value of {self._feature}")
        return Selection(
            table,
            rows=self._rows,
            duplicates=self._rows - kinds.total(),
            parts_of_speech=dict(kinds.most_common()),
            dropped={reason: rows for reason, rows in dropped.items() if rows},
            examples={
                reason: [" ".join(row.values()) for row in some.to_pylist()]
                for reason, some in self._examples.items()
                if len(some)
            },
            bundles=dict(self._bundles),
            headings=_distinct(pa.concat_tables([_TEXTS.empty_table(), *self._headings])),
        )


class _Kept:
    """Selected rows, each once: words of which many rows have the same as numbers."""

    def __init__(self) -> None:
        self._schema = pa.schema(
            [(name, pa.string() if name == "form" else _WORD) for name in tables.ROWS.names]
        )
        self._parts: list[pa.Table] = []
        self._hashes: list[Hashes] = []
        self._rows, self._next = 0, SETTLE

    def add(self, rows: pa.RecordBatch, hashed: Hashes) -> None:
        self._parts.append(pa.Table.from_batches([rows]).cast(self._schema))
        self._hashes.append(hashed)
        self._rows += len(rows)
        if self._rows >= self._next:
            self._settle()

    def _settle(self) -> None:
        """Leaves each row where it stands first."""
        if not self._parts:
            return
        table = pa.concat_tables(self._parts).unify_dictionaries().combine_chunks()
        hashed = np.concatenate(self._hashes)
        self._parts.clear()
        self._hashes.clear()
        kept = distinct.first(table, hashed)
        if kept is not None:
            table, hashed = table.take(pa.array(kept)), hashed[kept]
        self._parts, self._hashes, self._rows = [table], [hashed], len(table)
        self._next = max(SETTLE, 2 * self._rows)

    def table(self) -> pa.Table:
        """The rows (``tables.ROWS``), in the order in which they came."""
        self._settle()
        self._hashes.clear()
        return pa.concat_tables(part.cast(tables.ROWS) for part in self._parts or [tables.ROWS.empty_table()])


def _distinct(rows: pa.RecordBatch | pa.Table) -> pa.Table:
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    return table.group_by(list(COLUMNS), use_threads=False).aggregate([]).cast(_TEXTS)


def _faults(lemma: pa.Array, form: pa.Array) -> tuple[Bools, Bools]:
    """Whether a cell of each row is empty; whether its form is a heading."""
    empty = pc.or_(pc.equal(form, ""), pc.equal(lemma, ""))
    heading = pc.is_in(form, pa.array(sorted(features.HEADINGS)))
    heading = pc.and_(heading, pc.not_equal(form, lemma))
    return empty.to_numpy(zero_copy_only=False), heading.to_numpy(zero_copy_only=False)
