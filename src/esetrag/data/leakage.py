"""What train and test may share under each split; written into the samples, and checked before the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.core.errors import DataError
from esetrag.data.families import Families, heads_of

GIVEN = "given"
GUARANTEES = {
    "lemma": "No lemma is in two parts; forms that several lemmas have, and compounds of one head, can be.",
    "family": (
        "No lemma is in two parts, and no two lemmas of which one ends in the other (compounds, "
        "derivations), as far as the head is long enough and not passed over as too common."
    ),
    "form": "No form is in two parts; a lemma can be in all of them, with other forms.",
    "notebook": "No lemma is in two parts; the split is the lecture notebook's own.",
    GIVEN: "The parts are the files of the task, row by row; what they share is counted, not removed.",
}
"""What each split promises: ``sample.split``, or the files of the task."""
_KEY = b"split"


def mark(table: pa.Table, split: str) -> pa.Table:
    """The rows of a part with the split that made it, in the metadata of their schema."""
    return table.replace_schema_metadata({_KEY: split.encode()})


def split_of(table: pa.Table) -> str:
    """The split that made a part; ``lemma``, the usual one, where nothing is said."""
    kind: str = (table.schema.metadata or {}).get(_KEY, b"lemma").decode()
    return kind


def check(train: pa.Table, test: pa.Table, families: pa.Table, path: Path) -> None:
    """Refuses test rows that share with the training rows what their split keeps apart.

    Args:
        train: ``tables.SAMPLE``.
        test: likewise.
        families: ``tables.FAMILIES``.
        path: where the test rows came from, for messages.

    Raises:
        DataError: if they do, or were split in two ways.
    """
    split, other = split_of(test), split_of(train)
    again = "make the samples anew: dvc repro -f"
    if split not in GUARANTEES or split != other:
        raise DataError(f"{path}: train was split by {other!r}, test by {split!r}; {again}")
    kept_apart = {"form": ["form"], "family": ["lemma", "family head"], GIVEN: []}.get(split, ["lemma"])
    for what in kept_apart:
        if both := _shared(train, test, families)[what]:
            raise DataError(
                f"{path}: train and test share {len(both)} {what}(s), {both[0]!r} for one, which "
                f"sample.split: {split} rules out; {again}"
            )


def refuse(train: pa.Table, test: pa.Table, path: Path) -> None:
    """Refuses a test file that shares lemmas with training, or forms if it has no lemmas.

    Raises:
        DataError: if it does.
    """
    what = "lemma" if test["lemma"].null_count < len(test) else "form"
    if both := _shared(train, test, tables.FAMILIES.empty_table())[what]:
        raise DataError(
            f"{path}: expected no {what} of the training rows, found {len(both):,}, {both[0]!r} for one; "
            "split the rows anew or set leakage: report"
        )


def summary(split: str, parts: dict[str, pa.Table], families: Families) -> dict[str, Any]:
    """The figures of a split for the data report; null where they need lemmas and there are none.

    Args:
        split: ``sample.split``, or ``GIVEN``.
        parts: the rows of train, dev and test.
        families: of the whole table.
    """
    known = len(families.table) > 0
    shared = {part: _shared(parts["train"], parts[part], families.table) for part in ("dev", "test")}
    keys = {"lemma": "lemmas", "form": "forms", "family head": "family_heads"}
    return {
        "kind": split,
        "guarantee": GUARANTEES[split],
        "families": len(pc.unique(families.table["head"])) if known else None,
        "shortest_head": families.shortest if known else None,
        "heads_passed_over": list(families.passed_over),
        **{
            f"{part}_shares_with_train": {
                keys[what]: len(both) if known or what == "form" else None for what, both in of_part.items()
            }
            for part, of_part in shared.items()
        },
    }


def _shared(train: pa.Table, test: pa.Table, families: pa.Table) -> dict[str, list[str]]:
    """The distinct lemmas, forms and family heads of the test rows that training has too, sorted."""
    pairs = {name: (train[name], test[name]) for name in ("lemma", "form")}
    pairs["family head"] = (heads_of(train["lemma"], families), heads_of(test["lemma"], families))
    shared = {}
    for what, (seen, own) in pairs.items():
        distinct = pc.unique(own).drop_null()
        shared[what] = distinct.filter(pc.is_in(distinct, pc.unique(seen))).sort().to_pylist()
    return shared
