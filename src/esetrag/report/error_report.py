"""The page about the misread forms."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import pandas as pd
import pyarrow as pa

from esetrag.analysis.error_analysis import Analysis
from esetrag.core import config
from esetrag.report import frames, markdown


def page(
    task: str,
    analysis: Analysis,
    stressed: pd.DataFrame,
    how: config.ErrorAnalysis,
    attributions: pa.Table | None = None,
) -> str:
    """The error report as a page.

    Args:
        task: its name.
        analysis: of its errors.
        stressed: accuracy on the stress sets (``stress.COLUMNS``).
        how: how much is shown.
        attributions: what the letters of misread forms did (``tables.ATTRIBUTIONS``): those that did most
            for the label read are in bold. None: the whole form is.
    """
    errors = analysis.errors
    looked = {} if attributions is None else _bold(attributions)
    how_bold = " In bold what did most for the label read." if looked else ""
    confusions = [
        (row.label, row.predicted, row.errors)
        for row in analysis.confusions.head(how.confusions).itertuples()
    ]
    misread = [
        (looked.get(f"{row.form}\t{row.predicted}", f"**{row.form}**"), row.lemma, row.features, row.label,
         row.predicted, f"{row.probability:.1%}", f"{row.label_probability:.1%}", row.unknown)
        for row in errors.head(how.examples).itertuples()
    ]  # fmt: skip
    text = [
        f"# Misread forms of {task}\n",
        f"{len(errors):,} of {analysis.rows:,} test forms are misread ({len(errors) / analysis.rows:.2%}).",
    ]
    if len(errors):
        text += [
            "\n## Most frequent confusions\n",
            f"{len(confusions)} of {len(analysis.confusions)} pairs.\n",
            markdown.table(("true", "read as", "forms"), confusions, "llr"),
            "\n## Kinds of errors\n",
            "Each form counts for the first kind that it fits.\n",
            _table(frames.kinds(errors), "llrrl"),
        ]
    text += [
        "\n## Stress sets\n",
        "Forms made by rule out of the data, with the value known by construction; beside them the accuracy "
        "on the test forms that they were made of, and for look-alikes on the other forms of the citation "
        "value.\n",
        _table(frames.stress_sets(stressed), "lrrrrl"),
    ]
    for name, group in analysis.slices.groupby("slice", sort=False):
        rows = [
            (row.value, f"{row.rows:,}", f"{row.errors:,}", f"{row.accuracy:.2%}")
            for row in group.itertuples()
        ]
        text += [
            f"\n## Accuracy by {name}\n",
            markdown.table((name, "forms", "misread", "accuracy"), rows, "lrrr"),
        ]
    if len(errors):
        columns = (
            "form",
            "lemma",
            "features",
            "true",
            "read as",
            "probability",
            "of the true label",
            "unknown symbols",
        )
        text += [
            f"\n## The forms\n\nThe {len(misread)} misread with most confidence of {len(errors)}; "
            f"all are in `data/{task}/errors.parquet`.{how_bold}\n",
            markdown.table(columns, misread, "lllllrrl"),
        ]
    return "\n".join([*text, ""])


def _table(frame: pd.DataFrame, align: str) -> str:
    """A frame as Markdown: counts with their thousands, shares in percent."""
    shown = {
        "i": lambda count: f"{count:,}",
        "f": lambda share: "" if pd.isna(share) else f"{share:.2%}",
    }
    columns = [frame[name].map(shown.get(frame[name].dtype.kind, str)) for name in frame.columns]
    return markdown.table(tuple(frame.columns), zip(*columns, strict=True), align)


def _bold(attributions: pa.Table) -> dict[str, str]:
    """Forms by themselves and the label read, in bold the letters that do half of what the first does."""
    texts = {}
    for row in attributions.select(["form", "predicted", "letters"]).to_pylist():
        most = max(row["letters"], default=0.0)
        strong = (most > 0 and score >= most / 2 for score in row["letters"])
        runs = groupby(zip(row["form"], strong, strict=True), key=itemgetter(1))
        parts = [(bold, "".join(letter for letter, _ in run)) for bold, run in runs]
        texts[f"{row['form']}\t{row['predicted']}"] = "".join(
            f"**{text}**" if bold else text for bold, text in parts
        )
    return texts
