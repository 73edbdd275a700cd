"""Kinds of errors and stress sets as tables for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from esetrag.analysis import error_kinds, stress
from esetrag.core.errors import DataError


def kinds(errors: pd.DataFrame, examples: int = 5) -> pd.DataFrame:
    """Kind, meaning, errors, their share and the most confident ones.

    Args:
        errors: misclassified rows with their kind, the most confident first.
        examples: forms a kind.
    """
    texts = errors["form"] + " (" + errors["label"] + " → " + errors["predicted"] + ")"
    counts = error_kinds.counts(errors)
    return pd.DataFrame(
        {
            "kind": list(counts),
            "the form": [error_kinds.KINDS[kind] for kind in counts],
            "misread": list(counts.values()),
            "share": [count / max(len(errors), 1) for count in counts.values()],
            "for example": [", ".join(texts[errors["kind"] == kind].head(examples)) for kind in counts],
        }
    )


def read_stress(path: Path) -> pd.DataFrame:
    """Reads the table of stress sets.

    Raises:
        DataError: if it is missing or not such a table.
    """
    types: dict[str, Any] = {"set": pd.StringDtype(), "forms": "int64", "examples": pd.StringDtype()}
    try:
        return pd.read_csv(
            path,
            dtype=types | dict.fromkeys(stress.SHARES, "float64"),
            keep_default_na=False,
            na_values={name: [""] for name in stress.SHARES},
        )
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a table of stress sets ({error}); make it anew: dvc repro") from error


def stress_sets(stressed: pd.DataFrame) -> pd.DataFrame:
    """The sets that have forms."""
    names = {
        "accuracy": "read right",
        "longest_suffix": "by the longest known suffix",
        "untouched": "untouched counterparts",
        "examples": "misread, for example",
    }
    return stressed[stressed["forms"] > 0].rename(columns=names).reset_index(drop=True)
