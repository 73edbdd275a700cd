"""Labelled rows, and what training showed, in short."""

from __future__ import annotations

import pyarrow as pa

from esetrag.analysis.seen_in_training import SeenInTraining
from esetrag.core import tables
from esetrag.data.families import Families


def sample(*rows: tuple[str, str, str]) -> pa.Table:
    """Rows of lemma, form and label."""
    return tables.sample(
        *zip(*((lemma, form, f"N;{label}", label) for lemma, form, label in rows), strict=True)
    )


def shown(train: pa.Table, test: pa.Table | None = None, longest: int = 99) -> SeenInTraining:
    """What training showed; without test rows the parts are all the same."""
    parts = {"train": train, "dev": train, "test": train if test is None else test}
    everything = pa.concat_tables(part.select(tables.ROWS.names) for part in parts.values())
    everything = everything.filter(everything["lemma"].is_valid())
    return SeenInTraining(parts, Families.of(everything).table, longest)


def without_lemmas(rows: pa.Table) -> pa.Table:
    """The rows of a task without lemmas: that column is null."""
    return rows.set_column(0, "lemma", pa.nulls(len(rows), pa.string()))
