"""Sections as Markdown, and tables as aligned text for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from esetrag.report.section import Block, Headline, Letters, Picture, Section, Table

Row = Sequence[object]


def table(head: Row, rows: Iterable[Row], align: str) -> str:
    """A Markdown table.

    Args:
        head: the columns' names.
        rows: cells.
        align: ``l`` or ``r`` for each column.
    """
    lines = [head, ["---:" if side == "r" else "---" for side in align], *rows]
    escaped = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def render(page: Section) -> str:
    """A page as Markdown that ends in a newline, the same for the same content."""
    return "\n\n".join(_block(page, 1)) + "\n"


def plain(content: Table, limit: int | None = None) -> str:
    """The first rows of a table as aligned columns for the terminal."""
    lines = [[name for name, _ in content.columns], *(list(map(str, row)) for row in content.rows(limit))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = ["><"[not numeric] for _, numeric in content.columns]
    return "\n".join(
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _block(block: Block, level: int) -> Iterator[str]:
    match block:
        case str():
            yield block
        case Headline():
            yield f"**{block.figure}** {block.text}"
        case Picture():
            if block.png:
                yield f"![{block.alt}](plots/{block.name}.png)"
        case Table():
            if block.title:
                yield f"**{block.title}**"
            rows = block.rows(block.limit)
            bold = [[_bold(cell, place == block.marked) for cell in row] for place, row in enumerate(rows)]
            names, numeric = zip(*block.columns, strict=True)
            yield table(names, bold, "".join("lr"[right] for right in numeric))
            if rest := block.rest(block.limit):
                yield rest
        case Section():
            yield f"{'#' * level} {block.title}"
            for child in block.blocks:
                yield from _block(child, level + 1)
        case _:
            yield "\n".join(f"- {name}: {_inert(value)}" for name, value in block.items())


def _bold(cell: str | Letters, marked: bool) -> str:
    """A cell of a marked row in bold; of a form, the letters with at least half of the top score."""
    if not isinstance(cell, Letters):
        return f"**{_inert(cell)}**" if marked else _inert(cell)
    top = max(cell.scores, default=0.0)
    strong = (top > 0 and 2 * score >= top for score in cell.scores)
    runs = groupby(zip(strong, cell.form, strict=True), key=itemgetter(0))
    texts = ((bold, _inert("".join(letter for _, letter in run))) for bold, run in runs)
    return "".join(f"**{text}**" if bold else text for bold, text in texts)


def _inert(text: str) -> str:
    """A text that opens no tag of HTML."""
    return text.replace("<", "&lt;")
