"""The rows of a task, from its source to train, dev and test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config, features, files, runtime
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS
from esetrag.data import (
    columns,
    conllu,
    label_sets,
    leakage,
    pairs,
    sampling,
    segmented_rows,
    selection,
    sentences,
    unimorph,
)
from esetrag.data.audit import audit
from esetrag.data.audit.audit import Audit
from esetrag.data.families import Families
from esetrag.data.selection import Selection

Parts = dict[str, pa.Table]
RENAMED = {"source": "form", "target": "label", "segments": "label", "first": "form"}
"""Columns of tasks that ``columns.select`` knows by another name."""
PAIRS = 51
"""Stream of the generator by which pairs are built."""

BYTES_A_ROW = 630
"""Of memory, that the rows, their audit, families and split take."""


@dataclass(frozen=True)
class Source:
    """The labelled rows of a task, audited."""

    task: config.Task
    selection: Selection
    """Of all files of the task together."""
    given: Parts = field(default_factory=dict)
    """The parts (``tables.SAMPLE``), if the task names a file for each; they are kept row by row."""
    audit: Audit | None = None
    """None without lemmas or tags, which it needs."""

    @classmethod
    def load(cls, task: config.Task, suspicious: str = "keep") -> Source:
        """Loads the rows of a task.

        Args:
            task: where they are, and which are wanted.
            suspicious: ``sample.suspicious``; ``drop`` leaves doubtful rows out, but for given parts.

        Raises:
            DataError: if a file cannot be used, or has no such rows, or all have one label; if the task says
                ``leakage: refuse`` and its files for dev or test share lemmas (forms, if there are none) with
                that for training.
        """
        paths = [Path(path) for path in task.tables]
        selections = [_select(task, path, len(paths) == 1) for path in paths]
        rows = reduce(_both, selections)
        if isinstance(task, config.UnimorphTask) and isinstance(task.feature, list):
            _refuse_absent(task, rows.bundles)
        runtime.check_room(len(rows.table), BYTES_A_ROW, f"take a smaller table than {task.raw}")
        found = audit.examine(rows, task) if isinstance(task, config.UnimorphTask) else None
        given: Parts = {}
        if len(paths) > 1:
            given = {p: label_sets.weighted(s.table) for p, s in zip(PARTS, selections, strict=True)}
            if task.leakage == "refuse":
                for part, path in zip(PARTS[1:], paths[1:], strict=True):
                    leakage.refuse(given["train"], given[part], path)
        elif found:
            rows = audit.settle(rows, found, suspicious)
        is_built = isinstance(task, config.BuiltPairsTask)  # which gets its labels later
        if len(names := label_sets.names(rows.table["label"])) < 2 and not is_built:
            seen = f"; {selection.found(rows.bundles)}" if rows.bundles else ""
            raise DataError(f"{task.raw}: expected two labels, found only {'/'.join(names) or 'none'}{seen}")
        return cls(task, rows, given, found)

    @property
    def remarks(self) -> str:
        """What was left out, which tags are unknown, what the labels follow, in one line; or empty."""
        reasons = [f"{name} {count:,}" for name, count in self.selection.dropped.items()]
        if unknown := selection.unknown_tags(self.selection.bundles):
            reasons.append(f"unknown tags {selection.most(unknown)}")
        if self.audit and "follows" in self.audit.figures:
            reasons.append(f"labels follow {self.audit.figures['follows']}, are they of the right column?")
        rows = len(self.selection.table) + sum(self.selection.dropped.values())
        return f"used {len(self.selection.table):,} of {rows:,} rows: {'; '.join(reasons)}" if reasons else ""

    @property
    def lemmas(self) -> bool:
        """Whether the rows have lemmas."""
        return not self.selection.table["lemma"].null_count

    @property
    def counted(self) -> str:
        """The column whose values are counted: of words that are written nearly each stands once."""
        return "features" if isinstance(self.task, config.TransduceTask | config.TagTask) else "label"

    def _counts(self, rows: pa.Table) -> dict[str, int]:
        """How often each value of that column stands in a part; of sentences, each tag of words."""
        if isinstance(self.task, config.SentencesTask):
            return _counts(sentences.word_rows(rows)["label"])
        return _counts(rows[self.counted].drop_null())

    def split_of(self, sample: config.Sample) -> str:
        """The split that is used: of given parts theirs; without lemmas that by form."""
        return leakage.GIVEN if self.given else sample.split if self.lemmas else "form"

    def parts(self, sample: config.Sample) -> tuple[Parts, Parts]:
        """All rows of train, dev and test, and those drawn of them (``tables.SAMPLE``).

        Given parts are used whole, whatever sizes ``sample`` sets. Pairs are built after the split, each
        part by itself, and drawn in their turn.
        """
        if self.given:
            available = drawn = self.given
        else:
            sample = sample.model_copy(update={"split": self.split_of(sample)})
            available = sampling.split(self.selection.table, sample, self.task.cell)
            drawn = sampling.draw(available, sample, self.task.cell)
        if isinstance(self.task, config.BuiltPairsTask):
            # A cell has its two pairs; few forms have a neighbour that is as like.
            rows = drawn if self.task.builder == "valid" else available
            drawn = {part: self._built(self.task, rows[part], part, sample.seed) for part in PARTS}
            drawn = drawn if self.given else sampling.draw(drawn, sample, cell=())
        return available, drawn

    def _built(self, task: config.BuiltPairsTask, rows: pa.Table, part: str, seed: int) -> pa.Table:
        """The pairs of a part."""
        builder = pairs.BUILDERS[task.builder]
        rng = np.random.default_rng([seed, PAIRS, PARTS.index(part)])
        if len(made := builder(rows, self.selection.table, rng)):
            return made
        raise DataError(f"{task.raw}: no pair can be made of the {len(rows):,} rows of {part}")

    def figures(self, available: Parts, drawn: Parts, families: Families, split: str) -> dict[str, Any]:
        """What was loaded, what was left out and why, and what the parts hold: ``data.json``."""
        rows = self.selection
        hashes = [files.sha256(Path(path)) for path in self.task.tables]
        left_out = [] if self.lemmas else ["families of lemmas", "leakage by lemma", "split by lemma"]
        return {
            "task": self.task.model_dump(exclude_unset=True),
            "raw_sha256": dict(zip(PARTS, hashes, strict=True)) if self.given else hashes[0],
            "read": {name: getattr(rows, name) for name in ("rows", "duplicates", "parts_of_speech")},
            "dropped": {
                reason: {"rows": count, "examples": rows.examples[reason]}
                for reason, count in rows.dropped.items()
            },
            "kept": len(rows.table),
            "left_out": left_out + ([] if self.audit else ["audit"]),
            "split": leakage.summary(split, drawn, families),
            "parts": {
                part: {
                    "available": len(available[part]),
                    "rows": len(drawn[part]),
                    "lemmas": pc.count_distinct(drawn[part]["lemma"]).as_py() if self.lemmas else None,
                    "forms": pc.count_distinct(drawn[part]["form"]).as_py(),
                    "labels": self._counts(drawn[part]),
                }
                for part in PARTS
            },
        }


def _select(task: config.Task, path: Path, distinct: bool) -> Selection:
    if isinstance(task, config.SentencesTask):
        return conllu.select(path, task.field, distinct)
    if task.source == "columns":
        rows = columns.select(path, distinct=distinct, **{RENAMED.get(k, k): v for k, v in task.columns})
        return segmented_rows.given(rows) if isinstance(task, config.SegmentsTask) else rows
    batches = unimorph.batches(path, task.columns)
    if isinstance(task, config.BuiltPairsTask):
        return selection.select(batches, path, task.pos, None, distinct)
    if isinstance(task, config.SpansTask):
        return segmented_rows.spans(selection.select(batches, path, task.pos, None, distinct))
    if isinstance(task, config.InflectionTask):
        rows = selection.select(batches, path, task.pos, None, distinct)
        return replace(rows, table=_asked(rows.table, task))
    rows = selection.select(batches, path, task.pos, task.dimensions, distinct)
    lemmas, forms = (pc.count_distinct(rows.table[name]).as_py() for name in ("lemma", "form"))
    # A lemma has forms, seldom a form many lemmas.
    if task.columns is None and lemmas > 2 * forms:
        raise DataError(
            f"{path}: expected lemma<TAB>form<TAB>tags, found {lemmas:,} lemmas with {forms:,} forms; is the "
            "form first? columns: [form, lemma, tags]; if not, columns: [lemma, form, tags]"
        )
    return rows


def _refuse_absent(task: config.UnimorphTask, bundles: dict[str, int]) -> None:
    """Raises DataError if no row has a value of a feature that is asked for."""
    for name in task.dimensions:
        if not any(features.values(bundle, name) for bundle in bundles):
            pos = task.pos if isinstance(task.pos, str) else " or ".join(task.pos)
            raise DataError(
                f"{task.raw}: no row of {pos} has a value of {name}; {selection.found(bundles)}; "
                f"leave {name} out of feature, or ask for all"
            )


def _asked(rows: pa.Table, task: config.InflectionTask) -> pa.Table:
    """Rows of a UniMorph table with the word that is given as form, and the one that is wanted as label."""
    columns = {"form": rows[task.given], "label": label_sets.escaped(rows[task.target])}
    return pa.table([columns.get(name, rows[name]) for name in rows.column_names], schema=rows.schema)


def _both(a: Selection, b: Selection) -> Selection:
    """The rows of two files."""
    counts = ((a.parts_of_speech, b.parts_of_speech), (a.dropped, b.dropped), (a.bundles, b.bundles))
    kinds, dropped, bundles = (dict((Counter(x) + Counter(y)).most_common()) for x, y in counts)
    table, headings = (pa.concat_tables(x) for x in ((a.table, b.table), (a.headings, b.headings)))
    rows, duplicates = a.rows + b.rows, a.duplicates + b.duplicates
    return Selection(table, rows, duplicates, kinds, dropped, b.examples | a.examples, bundles, headings)


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value stands in a column, sorted by value."""
    return dict(sorted((row["values"], row["counts"]) for row in pc.value_counts(column).to_pylist()))
