"""One page with everything on it, in one file: text, tables to sort and search, pictures.

The page asks nothing of the network, and what it shows cannot run: all is escaped, and its policy
lets no script run but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

LEVELS = 9
"""Shades of a colour."""
LONGEST, LONGEST_BROWSED = 1000, 120
"""Symbols of a cell that are shown; the second where there may be thousands."""
BROWSED = 4000
"""Rows of a table that are shown."""
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Letters:
    """A form with what each of its letters did; a cell of a table."""

    form: str
    scores: Sequence[float]

    @property
    def shades(self) -> list[tuple[str, int]]:
        """Each letter with its shade, -``LEVELS`` to ``LEVELS``, the word's strongest in full."""
        most = max((abs(score) for score in self.scores), default=0.0) or 1.0
        shades = (round(LEVELS * score / most) for score in self.scores)
        return list(zip(self.form, shades, strict=True))

    def __str__(self) -> str:
        return self.form


@dataclass(frozen=True)
class Section:
    """A part of the page; any result that is a table or a picture can be one."""

    title: str
    text: str = ""
    """Paragraphs, with an empty line between them."""
    table: pd.DataFrame | None = None
    """Cells are text, numbers, ``Letters`` or None; the index is shown in a matrix alone."""
    picture: str | None = None
    """An ``<svg>`` that this package drew; it is put into the page as it is."""
    alt: str = ""
    """The picture in words."""
    kind: Literal["table", "browser", "matrix", "facts"] = "table"
    """``browser``: with a search, and a choice among the values of the columns of ``filters``.
    ``matrix``: counts, shaded. ``facts``: names and values, not to be sorted."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """How a column's numbers are written, for example ``.2%``; else ``,`` if they are whole, and ``.4g``."""
    bars: tuple[str, ...] = ()
    """Columns of shares with a bar behind each number, the column's greatest the longest."""
    filters: tuple[str, ...] = ()
    marked: str = ""
    """The row whose first cell says so stands out."""
    folded: bool = False
    """Whether the table has to be opened to be seen."""
    within: bool = False
    """Whether it belongs to the section before it."""

    @property
    def anchor(self) -> str:
        """Its name in links."""
        words = "".join(letter if letter.isalnum() else " " for letter in self.title.lower())
        return "-".join(words.split())


@dataclass(frozen=True)
class Head:
    """The top of the page."""

    title: str
    figure: str
    """The one figure to be remembered."""
    lead: str
    """What it says."""
    facts: Sequence[tuple[str, str]]


class Cell(NamedTuple):
    """A cell as the page shows it."""

    text: str | Letters
    level: int = 0
    """Of its shade, or the length of its bar in percent."""


class Grid(NamedTuple):
    """A table as the page shows it."""

    names: list[str]
    numeric: list[bool]
    bars: list[bool]
    heads: list[str]
    rows: list[tuple[Cell, ...]]
    choices: dict[str, list[str]]
    """Of each column to choose by, its values."""
    more: int
    """Rows that are not shown."""


def page(head: Head, sections: Sequence[Section]) -> str:
    """Renders the page.

    Args:
        head: its top.
        sections: the others, in order.

    Returns:
        HTML, the same for the same content.
    """
    style, script = ((HERE / f"report.{kind}").read_text("utf-8") for kind in ("css", "js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    room = Environment(
        autoescape=True,
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return room.get_template("report.html.jinja").render(
        head=head,
        sections=[_shown(section) for section in sections],
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        digest=digest,
    )


def _shown(section: Section) -> dict[str, Any]:
    return {
        "section": section,
        "paragraphs": [text for text in section.text.split("\n\n") if text],
        "picture": Markup(section.picture or ""),  # noqa: S704
        "grid": None if section.table is None else _grid(section, section.table),
    }


def _grid(section: Section, table: pd.DataFrame) -> Grid:
    shown = table.head(BROWSED)
    names = [str(name) for name in shown.columns]
    numeric = [pd.api.types.is_numeric_dtype(shown[name]) for name in shown.columns]
    longest = LONGEST_BROWSED if section.kind == "browser" else LONGEST
    columns = []
    for name in shown.columns:
        form = section.formats.get(str(name), "")
        texts = [_text(value, form, longest) for value in shown[name].tolist()]
        columns.append(list(map(Cell, texts, _levels(section, str(name), shown))))
    choices = {
        name: sorted({str(value) for value in shown[name].tolist()})
        for name in section.filters
        if name in names
    }
    index = [str(value) for value in shown.index] if section.kind == "matrix" else []
    bars = [name in section.bars for name in names]
    return Grid(
        names, numeric, bars, index, list(zip(*columns, strict=True)), choices, len(table) - len(shown)
    )


def _levels(section: Section, name: str, table: pd.DataFrame) -> list[int]:
    """Shades of a matrix's counts, by their roots: few errors are to be seen beside many; lengths of bars."""
    if section.kind != "matrix" and name not in section.bars:
        return [0] * len(table)
    numbers = pd.to_numeric(table[name], errors="coerce").fillna(0).to_numpy(float)
    if section.kind != "matrix":
        return [round(share) for share in (100 * numbers / max(numbers.max(initial=0), 1e-9)).tolist()]
    counts = table.apply(pd.to_numeric, errors="coerce").fillna(0).to_numpy(float)
    most = counts.max(initial=0)  # a column of nothing has no number of its own
    return [int(level) for level in np.ceil(LEVELS * np.sqrt(numbers / max(most, 1)))]


def _text(value: Any, form: str, longest: int) -> str | Letters:
    if isinstance(value, Letters):
        return value
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return format(value, form or ",")
    if isinstance(value, float | np.floating):
        return format(value, form or ".4g")
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
