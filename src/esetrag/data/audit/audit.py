"""The audit of a task's rows: what a morphologist would look at before a training."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
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
from esetrag.data.audit.noise import ids, pair
from esetrag.data.audit.paradigms import Paradigms
from esetrag.data.audit.review import KINDS, Review
from esetrag.data.change import Changes, Ints
from esetrag.data.selection import COLUMNS, EXAMPLES, Selection

Bools = npt.NDArray[np.bool_]

SHOWN = 3
"""Suspicious rows that a message names."""


@dataclass(frozen=True)
class Audit:
    """The findings in a task's rows."""

    rows: int
    review: Review
    """All suspicious rows, strongest evidence first."""
    labels: Bools
    """(rows,) whether the label is suspicious."""
    headings: Bools
    """(rows,) whether the form is a heading that ``selection.select`` does not know."""
    figures: dict[str, Any]
    """``data_audit.json``: how many findings there are of each kind."""

    @property
    def doubtful(self) -> dict[str, Bools]:
        """The rows that ``sample.suspicious`` is about, by reason."""
        return {"suspicious label": self.labels, "heading under many lemmas": self.headings}


def examine(selection: Selection, task: config.UnimorphTask) -> Audit:
    """Looks for errors; nothing is changed and nothing beyond the table is consulted.

    Args:
        selection: the labelled rows of the task, with lemmas and tags, and what was left out.
        task: its feature is used.
    """
    rows = selection.table
    single, row_of = _single(rows)
    change, paradigms = Changes.of(single), Paradigms.of(single)
    others = [features.others(bundle, *task.dimensions) for bundle in paradigms.bundles.to_pylist()]
    doubts = noise.doubts(single, change, ids(pa.chunked_array([others], pa.string()))[paradigms.bundle])
    alien = np.zeros(len(single), dtype=bool)
    alien[paradigms.headings(change)] = True
    doubted = doubts.suspicious & ~alien
    mixed = spelling.mixed(single["form"]) | spelling.mixed(single["lemma"])
    hidden = spelling.hidden(single)
    findings = [
        review.doubted(single, doubts, change, doubted),
        review.of_kind(review.HEADING, selection.headings, review.LEFT_OUT),
        review.of_kind(review.HEADING, single.filter(pa.array(alien)), "under many lemmas, unlike them all"),
        review.of_kind(
            review.HEADING, single.filter(pa.array(spelling.glosses(single))), "a gloss: nothing of the lemma"
        ),
        review.of_kind(
            review.CITED, single.take(paradigms.otherwise_cited()), "of nearly all, it holds the lemma"
        ),
        review.of_kind(review.SCRIPT, single.filter(pa.array(mixed)), "letters of two scripts"),
        *(review.of_kind(review.HIDDEN, single.filter(mask), name) for name, mask in hidden.items()),
        review.inflected(single.take(paradigms.inflected_lemmas())),
    ]
    listed = [row for finding in findings for row in finding]
    kinds = Counter(row[0] for row in listed)
    per_lemma, bad = (np.bincount(paradigms.lemma, weights) for weights in (None, doubted))
    likelier = [doubts.labels[place] for place in doubts.likelier[doubted]]
    shifts = Counter(zip(likelier, single["label"].to_numpy()[doubted], strict=True))
    form = ids(single["form"])
    of_pair = np.unique(pair(form, ids(single["label"])), return_index=True)[1]
    figures = {
        "rows": len(rows),
        "suspicious": {kind: kinds[kind] for kind in KINDS},
        "labels": {
            "lemmas": int((bad > 0).sum()),
            "whole_paradigms": int(((bad >= 2) & (bad > per_lemma / 2)).sum()),
            "shifts": sorted(([*values, rows] for values, rows in shifts.items()), key=lambda x: (-x[2], x)),
        },
        "ambiguous_forms": int((np.bincount(form[of_pair]) > 1).sum()),
        "spellings": spelling.drifts(selection.bundles),
        "paradigms": paradigms.figures(),
    }
    if other := follows(rows, *task.dimensions):
        figures["follows"] = other
    labels, headings = (np.bincount(row_of[chosen], minlength=len(rows)) > 0 for chosen in (doubted, alien))
    return Audit(len(rows), listed, labels, headings, figures)


def follows(rows: pa.Table, *asked: str) -> str:
    """The other feature that decides the labels of most rows, as if it had taken their column; else empty.

    In a Romanian table all definite nouns are PL and all indefinite ones SG: *niște eșecuri* is SG.
    """
    counts = rows.group_by(["features", "label"], use_threads=False).aggregate([([], "count_all")])
    of_tag: dict[str, Counter[str]] = defaultdict(Counter)
    for row in counts.to_pylist():
        for tag in {*features.tags(row["features"])}:
            of_tag[tag][row["label"]] += row["count_all"]
    for name, values in features.DIMENSIONS.items():
        found = [of_tag[tag] for tag in of_tag.keys() & values]
        labels = {label for count in found for label in count}
        decided = len(labels) > 1 and all(len(count) == 1 for count in found)
        if name not in asked and decided and sum(count.total() for count in found) > len(rows) / 2:
            return name
    return ""


def _single(rows: pa.Table) -> tuple[pa.Table, Ints]:
    """Rows of one value each, and the row that each is of: a choice of values is one row a value."""
    names = label_sets.names(rows["label"])
    row_of, value = label_sets.matrix(rows["label"], names).nonzero()
    labels = pa.array(names, pa.string()).take(pa.array(value))
    taken = rows if len(row_of) == len(rows) else rows.take(row_of)
    return taken.set_column(taken.column_names.index("label"), "label", labels), row_of


def settle(selection: Selection, audit: Audit, policy: str) -> Selection:
    """The selection without doubtful rows, counted as left out, if ``sample.suspicious`` says ``drop``."""
    if policy != "drop":
        return selection
    dropped, examples = dict(selection.dropped), dict(selection.examples)
    for reason, rows in audit.doubtful.items():
        if rows.any():
            lines = pc.binary_join_element_wise(*selection.table.filter(pa.array(rows)).select(COLUMNS), " ")
            dropped[reason] = int(rows.sum())
            examples[reason] = sorted(lines.to_pylist())[:EXAMPLES]
    kept = selection.table.filter(pa.array(~np.any(list(audit.doubtful.values()), axis=0)))
    return dataclasses.replace(selection, table=kept, dropped=dropped, examples=examples)


def check(audit: Audit, policy: str, path: Path) -> None:
    """Ends the stage if rows are doubtful and ``sample.suspicious`` says ``stop``.

    Args:
        audit: of the rows.
        policy: ``keep``, ``drop`` or ``stop``.
        path: where the list is.

    Raises:
        DataError: how many rows are doubtful, the first of them, and the mend.
    """
    count = sum(int(rows.sum()) for rows in audit.doubtful.values())
    if policy == "stop" and count:
        kinds = (review.LABEL, review.HEADING)
        listed = [row for row in audit.review if row[0] in kinds and row[-1] != review.LEFT_OUT]
        first = "; ".join(" ".join(row[1:4]) for row in listed[:SHOWN])
        raise DataError(
            f"{count:,} of {audit.rows:,} rows are suspicious ({first}{'; …' if count > SHOWN else ''}): "
            f"see {path}, then mend the table or set sample.suspicious to keep or drop"
        )
