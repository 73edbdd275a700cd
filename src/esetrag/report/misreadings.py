"""Sections of the report about the misread forms: confusions, slices, each form and its letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd
import pyarrow as pa

from esetrag.analysis.error_analysis import Analysis
from esetrag.data import label_sets
from esetrag.report import charts, frames
from esetrag.report.report import Letters, Section

SHOWN = 40
"""Labels of the confusion matrix at the most."""


def confusion(predictions: pa.Table) -> Section:
    """Which label is read as which.

    Args:
        predictions: columns ``label``, of one value or several, and ``predicted``, one value.
    """
    label, read = (predictions[name].to_pandas() for name in ("label", "predicted"))
    wrong = ~label_sets.correct(predictions["label"], predictions["predicted"])
    counts = pd.crosstab(label, read)
    errors = pd.concat([label[wrong], read[wrong]]).value_counts()  # of a label, in a row or in a column
    rows, columns = (
        _most(names, errors)
        for names in (counts.index, sorted({*read, *label_sets.names(predictions["label"])}))
    )
    text = (
        "How many forms of a label (row) are read as another (column), and in grey the share of a row "
        "that is read right. A number leads to its forms in the list of misread forms."
    )
    if len(rows) < len(counts):
        text += f" The {SHOWN} labels with most errors are shown."
    whole = counts.reindex(index=rows, columns=columns, fill_value=0)
    cells, forms = whole.to_numpy().astype(object), counts.loc[rows].sum(axis=1).tolist()
    for place, row in enumerate(rows):
        for value in {*label_sets.values(row)} & {*columns}:
            own = (place, columns.index(value))
            cells[own] = f"{cells[own] / forms[place]:.1%}".replace("100.0%", "100%")
    shown = pd.DataFrame(cells, rows, columns)
    return Section("Confusions", text, shown, kind="matrix")


def _most(names: Iterable[str], errors: pd.Series) -> list[str]:
    """The names with most errors, sorted."""
    return sorted(sorted(names, key=lambda name: (-errors.get(name, 0), name))[:SHOWN])


def slices(analysis: Analysis) -> Iterator[Section]:
    """What misread forms have in common."""
    yield Section(
        "Where it misreads", "The share of misread forms among those that have something in common."
    )
    for name, group in analysis.slices.groupby("slice", sort=False):
        if name == "true value" or len(group) < 2:  # the table of values says it; there is nothing to compare
            continue
        names = {"value": name, "rows": "forms", "errors": "misread"}
        table = group.drop(columns="slice").rename(columns=names)
        table["share"] = 1 - table.pop("accuracy")
        yield Section(f"By {name}", table=table, formats={"share": ".2%"}, bars=("share",), within=True)


def kinds(analysis: Analysis) -> Section:
    """Why forms are misread, as far as a rule can tell."""
    found = frames.kinds(analysis.errors)
    return Section(
        "Kinds of errors",
        "Each misread form has the first kind that applies, from the top. What comes before the look-alikes "
        "no reader of the training forms could know.",
        found[found["misread"] > 0],
        formats={"share": ".1%"},
        bars=("share",),
    )


def stressed(sets: pd.DataFrame) -> Section:
    """How forms are read that are hard on purpose.

    Args:
        sets: ``stress.COLUMNS``.
    """
    found = frames.stress_sets(sets)
    shares = ("read right", "by the longest known suffix", "untouched counterparts")
    return Section(
        "Stress sets",
        "Forms made from the data by rule, whose values are known by construction, beside the forms they "
        "were made of.",
        found,
        formats=dict.fromkeys(shares, ".2%"),
    )


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
    right = rows[label_sets.correct(attributions["label"], attributions["predicted"])]
    yield Section(
        "A form of each label, letter by letter",
        "Forms read right, drawn by chance. Orange letters speak for the label read, blue ones for the "
        "label it is held against, the strongest of each word in full colour. Letters and rest add up to "
        "the difference of the two labels’ scores; the rest is no letter’s doing: how common the labels are, "
        "and what the lemmas say that the form could come from.",
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
    if (errors["predicted_set"] != errors["predicted"]).any():
        shown.insert(4, "as a set", errors["predicted_set"])
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
