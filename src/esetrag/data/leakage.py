"""What parts may share under each split, written into the samples and held to by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core.errors import DataError
from esetrag.data.families import Families, heads_of

GUARANTEES = {
    "lemma": "No lemma is in two parts; forms that several lemmas have, and compounds of one head, can be.",
    "family": (
        "No lemma is in two parts, and no two lemmas of which one ends in the other (compounds, "
        "derivations), as far as the head is long enough and not passed over as too common."
    ),
    "form": (
        "No form is in two parts; lemmas are: the test forms are other forms of lemmas known from training."
    ),
    "notebook": "No lemma is in two parts; the split is the lecture notebook's own.",
}
"""What each ``sample.split`` promises."""
_KEY = b"split"


def mark(table: pa.Table, split: str) -> pa.Table:
    """The rows of a part with the split that made it, in the metadata of their schema."""
    return table.replace_schema_metadata({_KEY: split.encode()})


def split_of(table: pa.Table) -> str:
    """The split that made a part; ``lemma``, the usual one, where nothing is said."""
    kind: str = (table.schema.metadata or {}).get(_KEY, b"lemma").decode()
    return kind


def check(train: pa.Table, test: pa.Table, families: pa.Table, path: Path) -> None:
    """Refuses a test of what training has shown, beyond what the split allows.

    Args:
        train: training rows.
        test: test rows.
        families: lemma, head (``tables.FAMILIES``).
        path: where the test rows came from, for messages.

    Raises:
        DataError: if the parts were split in two ways, or share what their split keeps apart.
    """
    split, other = split_of(test), split_of(train)
    again = "make the samples anew: dvc repro -f"
    if split not in GUARANTEES or split != other:
        raise DataError(f"{path}: train was split by {other!r}, test by {split!r}; {again}")
    for what, (one, two) in _kept_apart(split, train, test, families).items():
        shared = _shared(one, two)
        if shared:
            raise DataError(
                f"{path}: train and test share {len(shared)} {what}, {shared[0]!r} for one, which "
                f"sample.split: {split} rules out; {again}"
            )


def _kept_apart(
    split: str, train: pa.Table, test: pa.Table, families: pa.Table
) -> dict[str, tuple[pa.ChunkedArray, pa.ChunkedArray]]:
    if split == "form":
        return {"form(s)": (train["form"], test["form"])}
    apart = {"lemma(s)": (train["lemma"], test["lemma"])}
    if split == "family":
        apart["family head(s)"] = (heads_of(train["lemma"], families), heads_of(test["lemma"], families))
    return apart


def shared(train: pa.Table, test: pa.Table, families: pa.Table) -> dict[str, int]:
    """How many distinct lemmas, forms and family heads of the test rows training has too."""
    return {
        "lemmas": len(_shared(train["lemma"], test["lemma"])),
        "forms": len(_shared(train["form"], test["form"])),
        "family_heads": len(_shared(heads_of(train["lemma"], families), heads_of(test["lemma"], families))),
    }


def account(split: str, drawn: dict[str, pa.Table], families: Families) -> dict[str, Any]:
    """What the data report says of the split.

    Args:
        split: ``sample.split``.
        drawn: the rows of the parts.
        families: of the whole table (``families.Families``).
    """
    return {
        "kind": split,
        "guarantee": GUARANTEES[split],
        "families": len(pc.unique(families.table["head"])),
        "shortest_head": families.shortest,
        "heads_passed_over": list(families.passed_over),
        "test_shares_with_train": shared(drawn["train"], drawn["test"], families.table),
    }


def _shared(one: pa.ChunkedArray, other: pa.ChunkedArray) -> list[str]:
    found = pc.unique(other)
    both: list[str] = found.filter(pc.is_in(found, pc.unique(one))).sort().to_pylist()
    return both
