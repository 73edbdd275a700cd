"""The figures of the data: what was read, what was left out and why, what the parts hold."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config
from esetrag.core.layout import PARTS
from esetrag.data.selection import Selection


def figures(
    task: config.Task,
    raw_sha256: str,
    selection: Selection,
    available: dict[str, pa.Table],
    drawn: dict[str, pa.Table],
    split: dict[str, Any],
) -> dict[str, Any]:
    """What was read, what was left out and why, and what the parts hold.

    Args:
        task: what was asked for.
        raw_sha256: of the table.
        selection: the labelled rows.
        available: all rows of each part.
        drawn: the rows that were drawn of it.
        split: what is said of the split (``leakage.account``).
    """
    return {
        "task": task.model_dump(),
        "raw_sha256": raw_sha256,
        "read": {
            "rows": selection.rows,
            "duplicates": selection.duplicates,
            "parts_of_speech": selection.parts_of_speech,
        },
        "dropped": {
            reason: {"rows": rows, "examples": selection.examples[reason]}
            for reason, rows in selection.dropped.items()
        },
        "kept": len(selection.table),
        "split": split,
        "parts": {
            part: {
                "available": len(available[part]),
                "rows": len(drawn[part]),
                "lemmas": pc.count_distinct(drawn[part]["lemma"]).as_py(),
                "forms": pc.count_distinct(drawn[part]["form"]).as_py(),
                "labels": counts(drawn[part]["label"]),
            }
            for part in PARTS
        },
    }


def counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value stands in a column, sorted by value."""
    return dict(sorted((row["values"], row["counts"]) for row in pc.value_counts(column).to_pylist()))
