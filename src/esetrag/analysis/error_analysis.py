"""Which test forms are misread, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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
    """An account of the misread forms."""

    rows: int
    errors: pd.DataFrame
    """The misread forms, surest first: lemma, form, features, label, predicted, predicted_set,
    probability, label_probability, unknown, kind."""
    confusions: pd.DataFrame
    """label, predicted, errors; commonest first."""
    slices: pd.DataFrame
    """slice (what the rows share), value, rows, errors, accuracy."""


def analyse(predictions: pa.Table, vocabulary: Vocabulary, shown: SeenInTraining) -> Analysis:
    """Takes the predictions apart.

    Args:
        predictions: what the evaluate stage wrote (``tables.predictions``).
        vocabulary: symbols and labels of the training rows.
        shown: what training showed of forms and lemmas.
    """
    rows = predictions.drop_columns(["probabilities"]).to_pandas()
    shares = predictions["probabilities"].combine_chunks().flatten().to_numpy().reshape(len(rows), -1)
    borne = label_sets.matrix(predictions["label"], vocabulary.labels)
    rows = rows.assign(
        label_probability=(shares * borne).sum(1),
        unknown=[vocabulary.unknown(form) for form in rows["form"]],
        wrong=~label_sets.right(predictions["label"], predictions["predicted"]),
    )
    errors = rows[rows["wrong"]].sort_values(
        ["probability", "lemma", "form", "features"], ascending=[False, True, True, True], ignore_index=True
    )
    errors = errors.assign(kind=error_kinds.kinds(errors, shown))
    confusions = (
        errors.groupby(["label", "predicted"])
        .size()
        .rename("errors")
        .reset_index()
        .sort_values(["errors", "label", "predicted"], ascending=[False, True, True], ignore_index=True)
    )
    lengths = rows["form"].str.len()
    longest = int(lengths.max())
    edges = list(range(0, longest + LENGTH_STEP, LENGTH_STEP))
    named = [f"{low + 1}–{high} symbols" for low, high in pairwise(edges)]
    of_each = rows["label"].str.split(label_sets.CHOICE).explode()  # a form counts under each of its values
    slices = [
        ("length", pd.cut(lengths, edges, labels=named)),
        ("unknown symbols", rows["unknown"].ne("").map({True: "some", False: "none"})),
        (
            "values",
            rows["label"].str.contains(label_sets.CHOICE, regex=False).map({True: "several", False: "one"}),
        ),
        ("true value", of_each),
        *((f"{name} in training", values) for name, values in shown.seen(predictions).items()),
    ]
    return Analysis(
        rows=len(rows),
        errors=errors.drop(columns="wrong"),
        confusions=confusions,
        slices=pd.concat([_slice(name, values, rows["wrong"]) for name, values in slices], ignore_index=True),
    )


def _slice(name: str, values: pd.Series, wrong: pd.Series) -> pd.DataFrame:
    # A form can stand under several values; a category keeps its order.
    rows = wrong.loc[values.index].reset_index(drop=True)
    counts = rows.groupby(values.reset_index(drop=True), observed=True).agg(["size", "sum"])
    return pd.DataFrame(
        {
            "slice": name,
            "value": counts.index.astype(str),
            "rows": counts["size"].to_numpy(),
            "errors": counts["sum"].to_numpy(),
            "accuracy": (1 - counts["sum"] / counts["size"]).to_numpy(),
        }
    )


def table(analysis: Analysis) -> pa.Table:
    """The misread rows as a table."""
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
        "kinds": error_kinds.counts(analysis.errors),
    }
