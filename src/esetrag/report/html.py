"""Sections as one HTML file: tables to sort and search, pictures, no network.

All content is escaped, and the page's policy lets no script run but its own.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from esetrag.report import drawing
from esetrag.report.section import Picture, Section, Table

MOST_ROWS = 4000
"""Rows of a table."""
HERE = Path(__file__).parent


def render(page: Section) -> str:
    """A page as HTML, the same for the same content."""
    css, js = ((HERE / f"report.{kind}").read_text("utf-8") for kind in ("css", "js"))
    jinja = Environment(
        autoescape=True,
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters |= {"code": _code, "svg": _svg, "choices": _choices, "width": _width}
    return jinja.get_template("report.html.jinja").render(
        page=page,
        css=Markup(css),  # noqa: S704
        js=Markup(js),  # noqa: S704
        digest=base64.b64encode(hashlib.sha256(js.encode()).digest()).decode(),
        most=MOST_ROWS,
    )


def _code(text: str) -> Markup:
    """A paragraph; text between back quotes is code."""
    code = Markup("<code>{}</code>")
    parts = enumerate(text.split("`"))
    return Markup("").join(code.format(part) if place % 2 else escape(part) for place, part in parts)


def _svg(picture: Picture) -> Markup:
    return Markup(drawing.svg(picture.figure, picture.name))  # noqa: S704


def _choices(table: Table) -> list[tuple[int, str, list[str]]]:
    """Of each column to filter by: its place, its name and its values."""
    names, rows = list(table.frame), table.frame.head(MOST_ROWS).astype(str)
    return [(names.index(name), name, sorted({*rows[name]})) for name in table.filters if name in names]


def _width(table: Table, row: int) -> int:
    """The length of a row's bar in percent."""
    column = table.frame[table.bars]
    return round(100 * float(column.iloc[row]) / (float(column.max()) or 1))
