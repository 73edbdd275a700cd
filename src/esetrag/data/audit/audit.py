"""The audit of a task's rows: everything a morphologist would want to look at before a training."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config, features
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.data.audit import noise, review, spelling
from esetrag.data.audit.affixes import Change, Ints, ids
from esetrag.data.audit.paradigms import Cells, Paradigms
from esetrag.data.audit.review import KINDS, Review
from esetrag.data.audit.spelling import Drift
from esetrag.data.selection import COLUMNS, EXAMPLES, Selection

Bools = npt.NDArray[np.bool_]

SHOWN = 3
"""Suspicious rows that a message names."""


@dataclass(frozen=True)
class Audit:
    """What was found in a task's rows."""

    rows: int
    review: Review
    """All suspicious rows, strongest evidence first."""
    labels: Bools
    """(rows,) whether the label is suspicious."""
    headings: Bools
    """(rows,) whether the form is a heading that ``selection.select`` does not know."""
    shifts: dict[tuple[str, str], int]
    """Rows of each pair (likelier value, stated value) of suspicious labels; most first."""
    lemmas: int
    """That have a suspicious label."""
    whole: list[str]
    """Lemmas of two or more rows with most of their labels suspicious: paradigms out of step."""
    ambiguous: int
    """Forms that bear several values in these rows; that alone is no fault."""
    drifts: list[Drift]
    cells: Cells

    @property
    def doubtful(self) -> dict[str, Bools]:
        """The rows that ``sample.suspicious`` is about, by reason."""
        return {"suspicious label": self.labels, "heading under many lemmas": self.headings}

    def figures(self) -> dict[str, Any]:
        """Summary figures of each kind of finding."""
        kinds = Counter(row[0] for row in self.review)
        sizes, lacking = self.cells.sizes, self.cells.lacking
        return {
            "rows": self.rows,
            "suspicious": {kind: kinds[kind] for kind in KINDS},
            "labels": {
                "lemmas": self.lemmas,
                "whole_paradigms": len(self.whole),
                "shifts": [[*pair, rows] for pair, rows in self.shifts.items()],
            },
            "ambiguous_forms": self.ambiguous,
            "spellings": [dataclasses.asdict(drift) for drift in self.drifts],
            "paradigms": {
                "lemmas": len(self.cells.lemmas),
                "usual_cells": len(self.cells.usual),
                "lacking_some": len(lacking),
                "smallest": int(sizes.min()),
                "median": float(np.median(sizes)),
                "largest": int(sizes.max()),
                "missing": {
                    cell: int(missing)
                    for cell, missing in zip(self.cells.usual, (~self.cells.has).sum(0), strict=True)
                    if missing
                },
            },
        }


def examine(selection: Selection, task: config.Task) -> Audit:
    """Looks for errors; nothing is changed and nothing beyond the table is consulted.

    Args:
        selection: the labelled rows of the task, and what was left out.
        task: part of speech and feature.
    """
    rows = selection.table
    single, row_of = _single(rows)
    change, paradigms = Change.of(single), Paradigms.of(single)
    doubts = noise.doubts(single, change, _others(paradigms, task.feature))
    alien = np.zeros(len(single), dtype=bool)
    alien[paradigms.headings(change)] = True
    doubted = doubts.suspicious & ~alien
    mixed = np.flatnonzero(spelling.mixed(change.forms) | spelling.mixed(change.lemmas))
    found = [
        review.doubted(single, doubts, change, doubted),
        review.of_kind(review.HEADING, selection.headings, "named like a heading of Wiktionary's tables"),
        review.of_kind(
            review.HEADING, single.take(np.flatnonzero(alien)), "under many lemmas, unlike them all"
        ),
        review.of_kind(
            review.CITED, single.take(paradigms.otherwise_cited()), "of nearly all, it holds the lemma"
        ),
        review.of_kind(review.SCRIPT, single.take(mixed), "letters of two scripts"),
        review.inflected(single.take(paradigms.inflected_lemmas())),
    ]
    per_lemma, bad = (
        np.bincount(paradigms.lemma[where], minlength=len(paradigms.lemmas))
        for where in (slice(None), doubted)
    )
    whole = paradigms.lemmas.take(np.flatnonzero((bad >= 2) & (bad > per_lemma / 2)))
    stated, likelier = single["label"].to_numpy()[doubted], doubts.likelier[doubted]
    shifts = Counter(zip((doubts.labels[place] for place in likelier), stated, strict=True))
    values = len(doubts.labels)
    bears = pc.unique(pa.array(ids(single["form"]) * values + ids(single["label"]))).to_numpy() // values
    return Audit(
        rows=len(rows),
        review=[row for kind in found for row in kind],
        labels=np.bincount(row_of[doubted], minlength=len(rows)) > 0,
        headings=np.bincount(row_of[alien], minlength=len(rows)) > 0,
        shifts=dict(sorted(shifts.items(), key=lambda entry: (-entry[1], entry[0]))),
        lemmas=int((bad > 0).sum()),
        whole=sorted(whole.to_pylist()),
        ambiguous=int((np.bincount(bears) > 1).sum()),
        drifts=spelling.drifts(selection.bundles),
        cells=paradigms.cells(),
    )


def _single(rows: pa.Table) -> tuple[pa.Table, Ints]:
    """Rows of one value each, and the row that each is of: a choice of values is one row a value."""
    names = label_sets.names(rows["label"])
    row_of, value = label_sets.matrix(rows["label"], names).nonzero()
    labels = pa.array(names, pa.string()).take(pa.array(value))
    taken = rows if len(row_of) == len(rows) else rows.take(row_of)
    place = taken.column_names.index("label")
    return taken.set_column(place, "label", labels), row_of


def settle(selection: Selection, found: Audit, policy: str) -> Selection:
    """The selection without what the audit doubts, counted as left out, if the parameter says ``drop``.

    Args:
        selection: the labelled rows that were audited.
        found: in them.
        policy: ``keep``, ``drop`` or ``stop``.
    """
    if policy != "drop":
        return selection
    dropped, examples = dict(selection.dropped), dict(selection.examples)
    for reason, rows in found.doubtful.items():
        if rows.any():
            dropped[reason] = int(rows.sum())
            examples[reason] = _examples(selection.table.filter(pa.array(rows)))
    kept = pa.array(~np.any(list(found.doubtful.values()), axis=0))
    return dataclasses.replace(
        selection, table=selection.table.filter(kept), dropped=dropped, examples=examples
    )


def check(found: Audit, policy: str, path: Path) -> None:
    """Ends the stage if rows are doubtful and the parameter says ``stop``.

    Args:
        found: in the rows.
        policy: ``keep``, ``drop`` or ``stop``.
        path: where the list is.

    Raises:
        DataError: how many rows are doubtful, the first of them, where all are, and the mend.
    """
    count = sum(int(rows.sum()) for rows in found.doubtful.values())
    if policy == "stop" and count:
        kinds = (review.LABEL, review.HEADING)
        listed = [row for row in found.review if row[0] in kinds and row[2] not in features.HEADINGS]
        first = "; ".join(" ".join(row[1:4]) for row in listed[:SHOWN])
        raise DataError(
            f"{count:,} of {found.rows:,} rows are suspicious ({first}{'; …' if count > SHOWN else ''}): "
            f"see {path}, then mend the table or set sample.suspicious to keep or drop"
        )


def _others(paradigms: Paradigms, feature: str) -> Ints:
    """What each row's bundle says beside the feature, as numbers."""
    texts = [features.others(bundle, feature) for bundle in paradigms.bundles.to_pylist()]
    number = {text: place for place, text in enumerate(sorted(set(texts)))}
    return np.array([number[text] for text in texts], dtype=np.int64)[paradigms.bundle]


def _examples(rows: pa.Table) -> list[str]:
    shown = rows.select(list(COLUMNS))
    shown = shown.sort_by([(name, "ascending") for name in COLUMNS]).slice(0, EXAMPLES)
    return [" ".join(row.values()) for row in shown.to_pylist()]
