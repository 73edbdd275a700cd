"""Sections about labels that are bundles of several features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from esetrag.core.features import of_label
from esetrag.data import label_sets
from esetrag.report.context import Context
from esetrag.report.results import NAMES, ranked
from esetrag.report.section import Section, Table, shares


def by_feature(context: Context) -> tuple[Section, ...]:
    """Each feature by itself, and which features are wrong together; nothing where labels are no bundles."""
    test = context.test
    if "features" not in test:
        return ()
    rows = [
        {"feature": feature, "model": NAMES.get(name, name), **models[name]}
        for feature, models in test["features"].items()
        for name in ranked(test)
    ]
    frame = pd.DataFrame(rows)
    ends = zip(frame.pop("low"), frame.pop("high"), strict=True)
    frame.insert(3, "interval", [f"{low:.2%}–{high:.2%}" for low, high in ends])
    text = (
        "A label is a bundle of features. The probability of a feature's value is the sum over all "
        "bundles that have it. The value is correct if one of the form's bundles has it."
    )
    wrong = wrong_together(context.predictions, list(test["features"]))
    tables = (
        Table(frame, "", shares("accuracy", "ece")),
        Table(wrong, "Features of the predicted bundle that none of the form's bundles has", bars="forms"),
    )
    return (Section("Each feature", (text, *tables[: 1 + (len(wrong) > 0)])),)


def wrong_together(predictions: pa.Table, dimensions: Sequence[str]) -> pd.DataFrame:
    """How many misclassified forms have which features wrong: columns ``wrong`` and ``forms``.

    Args:
        predictions: columns ``label``, of one bundle or several, and ``predicted``.
        dimensions: the features. If each is that of another bundle of the form, the combination is wrong.
    """
    counts = Counter[str]()
    for row in predictions.group_by(["label", "predicted"]).aggregate([([], "count_all")]).to_pylist():
        true, predicted = label_sets.values(row["label"]), row["predicted"]
        if predicted not in true:
            wrong = [n for n in dimensions if of_label(predicted, n) not in {of_label(t, n) for t in true}]
            counts[" and ".join(wrong) or "the combination"] += row["count_all"]
    return pd.DataFrame(Counter(dict(sorted(counts.items()))).most_common(), columns=["wrong", "forms"])
