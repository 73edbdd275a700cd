"""Markdown, as far as the pages need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Row = Sequence[object]


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
