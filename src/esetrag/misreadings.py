"""Sections of the report about the misread forms: confusions, slices, each form and its letters."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from esetrag import charts
from esetrag.analysis import Analysis
from esetrag.report import Letters, Section

SHOWN = 40
"""Labels of the confusion matrix at the most."""


def confusion(analysis: Analysis, predictions: pa.Table) -> Section:
    """Which label is read as which."""
    pairs = analysis.confusions
    labels = sorted({*predictions["label"].to_pylist(), *predictions["predicted"].to_pylist()})
    by_label = (
        pairs.groupby("label")["errors"].sum().add(pairs.groupby("predicted")["errors"].sum(), fill_value=0)
    )
    if len(labels) > SHOWN:
        labels = sorted(by_label.sort_values(ascending=False, kind="stable").index[:SHOWN])
    counts = pairs.pivot_table(index="label", columns="predicted", values="errors", aggfunc="sum")
    table = counts.reindex(index=labels, columns=labels).fillna(0).astype(int)
    rows = pd.Series(predictions["label"].to_pylist()).value_counts()
    missed = pairs.groupby("label")["errors"].sum()
    text = (
        "How many forms of a label (row) are read as another (column); on the diagonal, the share read "
        "right. A number leads to its forms in the list of misread forms."
    )
    if len(labels) == SHOWN:
        text += f" The {SHOWN} labels with most errors are shown."
    shown = table.astype(object)
    for label in labels:  # on the diagonal the share, as text: no count of errors
        share = 1 - missed.get(label, 0) / rows[label] if label in rows else 0.0
        shown.loc[label, label] = f"{share:.1%}".replace("100.0%", "100%")
    return Section("Confusions", text, shown, kind="matrix")


def slices(analysis: Analysis) -> Iterator[Section]:
    """What misread forms have in common."""
    yield Section(
        "Where it misreads", "The share of misread forms among those that have something in common."
    )
    for name, group in analysis.slices.groupby("slice", sort=False):
        if name == "true label" or len(group) < 2:  # the table of labels says it; there is nothing to compare
            continue
        names = {"value": name, "rows": "forms", "errors": "misread"}
        table = group.drop(columns="slice").rename(columns=names)
        table["share"] = 1 - table.pop("accuracy")
        yield Section(f"By {name}", table=table, formats={"share": ".2%"}, bars=("share",), within=True)


def looked_at(attributions: pa.Table, curve: pd.DataFrame) -> Iterator[Section]:
    """What of a form the reader needs and goes by.

    Args:
        attributions: ``tables.ATTRIBUTIONS``.
        curve: accuracy with symbols hidden (``masking.curve``).
    """
    rows = attributions.to_pandas()
    yield Section(
        "What the reader looks at",
        f"Accuracy on {curve['forms'].iloc[0]:,} test forms when symbols are hidden from it: all but the "
        "last k, or the last k. A hidden symbol stands for nothing, and the form keeps its length. The k "
        "from which the blue line is flat is how much of an end the reader needs.",
        picture=charts.masked(curve),
        alt="Accuracy by the number of symbols at the end that are seen, or hidden",
    )
    right = rows[rows["label"] == rows["predicted"]]
    yield Section(
        "A form of each label, letter by letter",
        "Forms read right, drawn by chance. Orange letters speak for the label read, blue ones for the "
        "label it is held against, the strongest of each word in full colour. Letters and rest add up to "
        "the difference of the two labels’ scores; the rest is what is read where no letter says anything.",
        pd.DataFrame(
            {
                "form": _letters(right),
                "read as": right["predicted"],
                "held against": right["against"],
                "rest": right["rest"],
            }
        ),
        formats={"rest": ".2f"},
        within=True,
    )


def browser(attributions: pa.Table, analysis: Analysis) -> Section:
    """All misread forms, to be searched and sorted."""
    errors = analysis.errors
    rows = attributions.to_pandas()
    keys = zip(rows["form"], rows["label"], rows["predicted"], strict=True)
    looked = dict(zip(keys, _letters(rows), strict=True))
    wanted = zip(errors["form"], errors["label"], errors["predicted"], strict=True)
    shown = pd.DataFrame(
        {
            "form": [looked.get(key, key[0]) for key in wanted],
            "lemma": errors["lemma"],
            "true": errors["label"],
            "read as": errors["predicted"],
            "P(read as)": errors["probability"],
            "P(true)": errors["label_probability"],
            "features": errors["features"],
        }
    )
    if "kind" in errors:
        shown.insert(4, "kind", errors["kind"])
    if errors["unknown"].any():
        shown["unknown"] = errors["unknown"]
    return Section(
        "Misread forms",
        f"All {len(errors):,} of {analysis.rows:,} test forms, those first that the reader was surest of. "
        "Orange letters speak for the label read, blue ones for the true one. Search any text; -ban finds "
        "forms with that end, ház- those that begin so.",
        shown,
        kind="browser",
        formats={"P(read as)": ".1%", "P(true)": ".1%"},
        filters=("kind", "true", "read as"),
    )


def _letters(rows: pd.DataFrame) -> list[Letters]:
    return [
        Letters(form, scores.tolist()) for form, scores in zip(rows["form"], rows["letters"], strict=True)
    ]
