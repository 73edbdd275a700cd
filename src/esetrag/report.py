"""The pages people read: what the data are, and which forms are misread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from esetrag import params
from esetrag.analysis import Analysis
from esetrag.layout import PARTS
from esetrag.unimorph import Selection

Row = Sequence[object]


def data(
    task: params.Task, selection: Selection, available: dict[str, pa.Table], drawn: dict[str, pa.Table]
) -> dict[str, Any]:
    """What was read, what was left out and why, and what the parts hold.

    Args:
        task: what was asked for.
        selection: the labelled rows.
        available: all rows of each part.
        drawn: the rows that were drawn of it.
    """
    return {
        "task": task.model_dump(),
        "read": {
            "rows": selection.rows,
            "duplicates": selection.duplicates,
            "parts of speech": selection.parts_of_speech,
        },
        "dropped": {
            reason: {"rows": rows, "examples": selection.examples[reason]}
            for reason, rows in selection.dropped.items()
        },
        "kept": len(selection.table),
        "parts": {
            part: {
                "available": len(available[part]),
                "rows": len(drawn[part]),
                "lemmas": pc.count_distinct(drawn[part]["lemma"]).as_py(),
                "forms": pc.count_distinct(drawn[part]["form"]).as_py(),
                "labels": counts(drawn[part]["label"]),
            }
            for part in PARTS
        },
    }


def counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value stands in a column, sorted by value."""
    return dict(sorted((row["values"], row["counts"]) for row in pc.value_counts(column).to_pylist()))


def data_page(task: str, figures: dict[str, Any]) -> str:
    """The data report as a page."""
    asked, read, parts = figures["task"], figures["read"], figures["parts"]
    kinds = [(pos, f"{rows:,}") for pos, rows in read["parts of speech"].items()]
    dropped = [
        (reason, f"{entry['rows']:,}", "; ".join(f"`{example}`" for example in entry["examples"]))
        for reason, entry in figures["dropped"].items()
    ]
    sizes = [
        (part, *(f"{parts[part][column]:,}" for column in ("rows", "available", "lemmas", "forms")))
        for part in PARTS
    ]
    labels = sorted({label for part in PARTS for label in parts[part]["labels"]})
    per_label = [(label, *(f"{parts[part]['labels'].get(label, 0):,}" for part in PARTS)) for label in labels]
    return "\n".join(
        [
            f"# Data of {task}\n",
            f"{asked['feature']} of part of speech {asked['pos']} from `{asked['raw']}`: "
            f"{read['rows']:,} rows read, {read['duplicates']:,} exact duplicates dropped, "
            f"{figures['kept']:,} rows of the part of speech kept.\n",
            "## Parts of speech in the file\n",
            table(("first tag", "rows"), kinds, "lr"),
            f"\n## Rows of {asked['pos']} left out\n",
            table(("reason", "rows", "examples"), dropped, "lrl") if dropped else "None.",
            "\n## Parts\n",
            "No lemma is in two parts.\n",
            table(("part", "rows", "available", "lemmas", "forms"), sizes, "lrrrr"),
            "\n## Labels\n",
            table(("label", *PARTS), per_label, "lrrr"),
            "",
        ]
    )


def errors_page(task: str, analysis: Analysis, how: params.ErrorAnalysis) -> str:
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
    page = [
        f"# Misread forms of {task}\n",
        f"{len(errors):,} of {analysis.rows:,} test forms are misread ({len(errors) / analysis.rows:.2%}).",
    ]
    if len(errors):
        page += [
            "\n## Most frequent confusions\n",
            f"The first {len(confusions)} of {len(analysis.confusions)} pairs.\n",
            table(("true", "read as", "forms"), confusions, "llr"),
        ]
    for name, group in analysis.slices.groupby("slice", sort=False):
        rows = [
            (row.value, f"{row.rows:,}", f"{row.errors:,}", f"{row.accuracy:.2%}")
            for row in group.itertuples()
        ]
        page += [f"\n## Accuracy by {name}\n", table((name, "forms", "misread", "accuracy"), rows, "lrrr")]
    if len(errors):
        columns = (
            "form",
            "lemma",
            "features",
            "true",
            "read as",
            "sure of it",
            "of the true",
            "unknown symbols",
        )
        page += [
            f"\n## The forms\n\nThe {len(misread)} misread with most confidence of {len(errors)}; "
            f"all are in `data/{task}/errors.parquet`.\n",
            table(columns, misread, "lllllrrl"),
        ]
    return "\n".join([*page, ""])


def table(head: Row, rows: Iterable[Row], align: str) -> str:
    """A Markdown table.

    Args:
        head: the columns' names.
        rows: cells.
        align: ``l`` or ``r`` for each column.
    """
    rule = ["---:" if side == "r" else "---" for side in align]
    lines = [head, rule, *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )
