"""The page about the data: what was read, what was left out and why, what the parts hold."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config, files
from esetrag.core.layout import PARTS, Layout
from esetrag.data.selection import Selection
from esetrag.report import markdown

HEADS_SHOWN = 10
"""Of those passed over."""


def figures(
    task: config.Task,
    raw_sha256: str,
    selection: Selection,
    available: dict[str, pa.Table],
    drawn: dict[str, pa.Table],
    split: dict[str, Any],
) -> dict[str, Any]:
    """What was read, what was left out and why, and what the parts hold.

    Args:
        task: what was asked for.
        raw_sha256: of the table.
        selection: the labelled rows.
        available: all rows of each part.
        drawn: the rows that were drawn of it.
        split: what is said of the split (``leakage.account``).
    """
    return {
        "task": task.model_dump(),
        "raw_sha256": raw_sha256,
        "read": {
            "rows": selection.rows,
            "duplicates": selection.duplicates,
            "parts_of_speech": selection.parts_of_speech,
        },
        "dropped": {
            reason: {"rows": rows, "examples": selection.examples[reason]}
            for reason, rows in selection.dropped.items()
        },
        "kept": len(selection.table),
        "split": split,
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


def write(layout: Layout, account: dict[str, Any]) -> None:
    """Writes figures and page.

    Args:
        layout: of the task.
        account: the figures.
    """
    files.write_json(layout.metrics / "data.json", account)
    files.write_text(layout.metrics / "data.md", page(layout.task, account))


def page(task: str, account: dict[str, Any]) -> str:
    """The data report as a page."""
    asked, read, parts = account["task"], account["read"], account["parts"]
    kinds = [(pos or "(empty)", f"{rows:,}") for pos, rows in read["parts_of_speech"].items()]
    dropped = [
        (reason, f"{entry['rows']:,}", "; ".join(f"`{example}`" for example in entry["examples"]))
        for reason, entry in account["dropped"].items()
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
            f"{account['kept']:,} rows of the part of speech kept.\n",
            "## Parts of speech in the file\n",
            markdown.table(("first tag", "rows"), kinds, "lr"),
            f"\n## Rows of {asked['pos']} left out\n",
            markdown.table(("reason", "rows", "examples"), dropped, "lrl") if dropped else "None.",
            "\n## Parts\n",
            *_split(account["split"]),
            markdown.table(("part", "rows", "available", "lemmas", "forms"), sizes, "lrrrr"),
            "\n## Labels\n",
            markdown.table(("label", *PARTS), per_label, "lrrr"),
            "",
        ]
    )


def _split(account: dict[str, Any]) -> list[str]:
    """What the parts may share, what test and train do share, and what a family is here."""
    shared, passed_over = account["test_shares_with_train"], account["heads_passed_over"]
    named = ", ".join(f"*{head}*" for head in passed_over[:HEADS_SHOWN])
    more = f" and {len(passed_over) - HEADS_SHOWN} more" if len(passed_over) > HEADS_SHOWN else ""
    return [
        f"Split `{account['kind']}`: {account['guarantee']}",
        f"Test and train share {shared['lemmas']:,} lemmas, {shared['forms']:,} forms and "
        f"{shared['family_heads']:,} of {account['families']:,} families of lemmas.",
        "A family are the lemmas that end (begin, where words inflect at the beginning) in the same lemma "
        f"of {account['shortest_head']} symbols or more, their head.",
        f"Not taken for heads, since too many lemmas end in them: {named}{more}.\n" if named else "",
    ]
