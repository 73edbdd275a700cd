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

from esetrag import features, noise, params, review, spelling, unimorph
from esetrag.affixes import Change, Ints, ids
from esetrag.errors import DataError
from esetrag.paradigms import Cells, Paradigms
from esetrag.review import KINDS, Review
from esetrag.spelling import Drift
from esetrag.unimorph import Selection

SHOWN = 3
"""Suspicious rows that a message names."""


@dataclass(frozen=True)
class Audit:
    """What was found in a task's rows."""

    rows: int
    review: Review
    """All suspicious rows, strongest evidence first."""
    labels: npt.NDArray[np.bool_]
    """(rows,) whether the label is suspicious."""
    headings: npt.NDArray[np.bool_]
    """(rows,) whether the form is a heading that ``unimorph.select`` does not know."""
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


def examine(raw: pa.Table, rows: pa.Table, task: params.Task) -> Audit:
    """Looks for errors; nothing is changed and nothing beyond the table is consulted.

    Args:
        raw: the whole table as read.
        rows: the labelled rows of the task; columns ``lemma``, ``form``, ``features``, ``label``.
        task: part of speech and feature.
    """
    change, paradigms = Change.of(rows), Paradigms.of(rows)
    doubts = noise.doubts(rows, change, _others(paradigms, task.feature))
    suspicious = doubts.suspicious
    headings = np.zeros(len(rows), dtype=bool)
    headings[paradigms.headings(change)] = True
    labels = suspicious & ~headings
    mixed = np.flatnonzero(spelling.mixed(change.forms) | spelling.mixed(change.lemmas))
    listed = review.doubted(rows, doubts, change, labels)
    listed += review.of_kind(
        review.HEADING, review.known_headings(raw, task.pos), "named like a heading of Wiktionary's tables"
    )
    listed += review.of_kind(
        review.HEADING, rows.filter(pa.array(headings)), "under many lemmas, none of which it resembles"
    )
    cited = rows.take(paradigms.otherwise_cited())
    listed += review.of_kind(review.CITED, cited, "nearly all other lemmas stand in this cell themselves")
    listed += review.of_kind(review.SCRIPT, rows.take(mixed), "letters of two scripts")
    listed += review.inflected(rows.take(paradigms.inflected_lemmas()))
    lemma = paradigms.lemma
    per_lemma, doubted = np.bincount(lemma), np.bincount(lemma[labels], minlength=len(paradigms.lemmas))
    whole = np.flatnonzero((doubted >= 2) & (doubted > per_lemma / 2))
    shifts = Counter(
        zip((doubts.labels[i] for i in doubts.likelier[labels]), _column(rows, "label", labels), strict=True)
    )
    pairs = np.unique(np.stack([ids(rows["form"]), ids(rows["label"])]), axis=1)
    return Audit(
        rows=len(rows),
        review=listed,
        labels=labels,
        headings=headings,
        shifts=dict(sorted(shifts.items(), key=lambda entry: (-entry[1], entry[0]))),
        lemmas=int((doubted > 0).sum()),
        whole=sorted(paradigms.lemmas.take(pa.array(whole)).to_pylist()),
        ambiguous=int((np.bincount(pairs[0]) > 1).sum()),
        drifts=spelling.drifts(_bundles(raw, task.pos)),
        cells=paradigms.cells(),
    )


def settle(selection: Selection, found: Audit, policy: str, path: Path) -> Selection:
    """Does with suspicious labels and unknown headings what the parameter says.

    Args:
        selection: the labelled rows that were audited.
        found: in them.
        policy: ``keep``, ``drop`` or ``stop``.
        path: where the list is, for the message.

    Returns:
        The selection; of ``drop`` without those rows, which are counted as left out.

    Raises:
        DataError: of ``stop``, if there are any.
    """
    reasons = {"suspicious label": found.labels, "heading under many lemmas": found.headings}
    count = sum(int(rows.sum()) for rows in reasons.values())
    if policy == "keep" or not count:
        return selection
    if policy == "stop":
        first = "; ".join(" ".join(row[1:4]) for row in found.review[:SHOWN])
        raise DataError(
            f"{count:,} of {found.rows:,} rows are suspicious ({first}{'; …' if count > SHOWN else ''}): "
            f"see {path}, then mend the table or set sample.suspicious to keep or drop"
        )
    kept = np.ones(found.rows, dtype=bool)
    dropped, examples = dict(selection.dropped), dict(selection.examples)
    for reason, rows in reasons.items():
        if rows.any():
            dropped[reason] = int(rows.sum())
            examples[reason] = _examples(selection.table.filter(pa.array(rows)))
        kept &= ~rows
    table = selection.table.filter(pa.array(kept))
    return dataclasses.replace(selection, table=table, dropped=dropped, examples=examples)


def _others(paradigms: Paradigms, feature: str) -> Ints:
    """What each row's bundle says beside the feature, as numbers."""
    texts = [features.others(bundle, feature) for bundle in paradigms.bundles.to_pylist()]
    number = {text: place for place, text in enumerate(sorted(set(texts)))}
    return np.array([number[text] for text in texts], dtype=np.int64)[paradigms.bundle]


def _bundles(raw: pa.Table, pos: str) -> dict[str, int]:
    counts = ((entry["values"], entry["counts"]) for entry in pc.value_counts(raw["features"]).to_pylist())
    return {bundle: rows for bundle, rows in counts if features.part_of_speech(bundle) == pos}


def _column(rows: pa.Table, name: str, where: npt.NDArray[np.bool_]) -> list[str]:
    values: list[str] = rows[name].filter(pa.array(where)).to_pylist()
    return values


def _examples(rows: pa.Table) -> list[str]:
    shown = rows.select(list(unimorph.COLUMNS))
    shown = shown.sort_by([(name, "ascending") for name in unimorph.COLUMNS]).slice(0, unimorph.EXAMPLES)
    return [" ".join(row.values()) for row in shown.to_pylist()]
