"""Which test forms are misclassified, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from esetrag.analysis import error_kinds
from esetrag.analysis.seen_in_training import SeenInTraining
from esetrag.core import tables
from esetrag.data import label_sets
from esetrag.symbols.vocabulary import Vocabulary

LENGTH_STEP = 4


@dataclass(frozen=True)
class Analysis:
    """A summary of the errors."""

    rows: int
    errors: pd.DataFrame
    """The misclassified forms, most confident first: the columns of ``tables.ERRORS``."""
    confusions: pd.DataFrame
    """label, predicted, errors; most frequent first."""
    kinds: Mapping[str, str]
    """Kinds of errors that there can be, with what is true of their forms."""
    slices: pd.DataFrame
    """slice (what the rows have in common), value, rows, errors, accuracy."""


def analyse(
    predictions: pa.Table,
    vocabulary: Vocabulary,
    seen: SeenInTraining,
    kinds: Callable[[pd.DataFrame, SeenInTraining], list[str]] = error_kinds.kinds,
    meanings: Mapping[str, str] | None = None,
) -> Analysis:
    """Summarises the errors of a classifier.

    Args:
        predictions: what the evaluate stage wrote (``tables.predictions``).
        vocabulary: symbols and labels of the training rows.
        seen: the rows of the parts.
        kinds: finds the kind of each error.
        meanings: of the kinds, if they are others than those of forms.
    """
    rows = predictions.drop_columns(["probabilities"]).to_pandas()
    shares = predictions["probabilities"].combine_chunks().flatten().to_numpy().reshape(len(rows), -1)
    rows = rows.assign(
        label_probability=(shares * label_sets.matrix(predictions["label"], vocabulary.labels)).sum(1),
        unknown=[vocabulary.unknown(form) for form in rows["form"]],
    )
    several = rows["label"].str.contains(label_sets.CHOICE, regex=False)
    groups: dict[str, pd.Series[Any]] = {
        "length": steps(rows["form"]),
        "unknown symbols": pd.Series(np.where(rows["unknown"] != "", "some", "none")),
        "values": pd.Series(np.where(several, "several", "one")),
        "true value": rows["label"].map(label_sets.values).explode(),
        **{f"{name} in training": values for name, values in seen.seen(predictions).items()},
    }
    meanings = meanings or error_kinds.meanings(bool(rows["lemma"].notna().any()))
    return summarised(rows, lambda errors: kinds(errors, seen), meanings, groups)


def summarised(
    rows: pd.DataFrame,
    kinds: Callable[[pd.DataFrame], list[str]],
    meanings: Mapping[str, str],
    groups: Mapping[str, pd.Series[Any]],
    confused: Callable[[pd.DataFrame], pd.DataFrame] = lambda errors: errors,
) -> Analysis:
    """Summarises the errors among rows.

    Args:
        rows: the columns of ``tables.ERRORS`` but ``kind``.
        kinds: finds the kind of each error, a key of ``meanings``.
        meanings: what is true of the errors of a kind.
        groups: what rows have in common; a row with several values has its index several times.
        confused: what is taken for what in errors: ``label`` and ``predicted``.
    """
    true, predicted = (pa.chunked_array([pa.array(rows[x], pa.string())]) for x in ("label", "predicted"))
    wrong = pd.Series(~label_sets.correct(true, predicted))
    errors = rows[wrong].sort_values(
        ["probability", "lemma", "form", "features"], ascending=[False, True, True, True], ignore_index=True
    )
    confusions = confused(errors).groupby(["label", "predicted"]).size().reset_index(name="errors")
    return Analysis(
        rows=len(rows),
        errors=errors.assign(kind=kinds(errors)),
        confusions=confusions.sort_values(
            ["errors", "label", "predicted"], ascending=[False, True, True], ignore_index=True
        ),
        kinds=meanings,
        slices=pd.concat([grouped(*group, wrong) for group in groups.items()], ignore_index=True),
    )


def steps(forms: pd.Series[str]) -> pd.Series[Any]:
    """The length of each form, in steps."""
    return (forms.str.len().clip(lower=1) - 1) // LENGTH_STEP * LENGTH_STEP


def grouped(name: str, values: pd.Series[Any], wrong: pd.Series[bool]) -> pd.DataFrame:
    """Accuracy for each value; a form with several values counts for each of them."""
    counts = wrong.loc[values.index].groupby(values.to_numpy()).agg(["size", "sum"])
    names = [f"{low + 1}–{low + LENGTH_STEP} symbols" if name == "length" else low for low in counts.index]
    size, errors = counts["size"].to_numpy(), counts["sum"].to_numpy()
    columns = {"slice": name, "value": names, "rows": size, "errors": errors, "accuracy": 1 - errors / size}
    return pd.DataFrame(columns)


def table(analysis: Analysis) -> pa.Table:
    """The misclassified rows as a table."""
    return pa.Table.from_pandas(
        analysis.errors, schema=tables.ERRORS, preserve_index=False
    ).replace_schema_metadata()


def summary(analysis: Analysis) -> dict[str, Any]:
    """The figures that ``dvc metrics`` shows."""
    return {
        "rows": analysis.rows,
        "errors": len(analysis.errors),
        "confused_pairs": len(analysis.confusions),
        "with_unknown_symbols": int(analysis.errors["unknown"].ne("").sum()),
        "kinds": {kind: int((analysis.errors["kind"] == kind).sum()) for kind in analysis.kinds},
    }
