"""The page about the misread forms."""

from __future__ import annotations

from esetrag import markdown, params
from esetrag.analysis import Analysis


def page(task: str, analysis: Analysis, how: params.ErrorAnalysis) -> str:
    """The error report as a page.

    Args:
        task: its name.
        analysis: of its errors.
        how: how much is shown.
    """
    errors = analysis.errors
    confusions = [
        (row.label, row.predicted, row.errors)
        for row in analysis.confusions.head(how.confusions).itertuples()
    ]
    misread = [
        (f"**{row.form}**", row.lemma, row.features, row.label, row.predicted, f"{row.probability:.1%}",
         f"{row.label_probability:.1%}", row.unknown)
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
            f"all are in `data/{task}/errors.parquet`.\n",
            markdown.table(columns, misread, "lllllrrl"),
        ]
    return "\n".join([*text, ""])
