"""The model of a page: a tree of sections of text, facts, tables and pictures.

``html`` and ``markdown`` render it, so that nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

LONGEST = 300
"""Symbols of a cell; longer text is cut."""
EXAMPLES = 20
"""Rows that Markdown shows of a ``listing``."""
LEVELS = 9
"""Shades of a colour."""


@dataclass(frozen=True)
class Letters:
    """A cell of a table: a form, with a score for each of its letters."""

    form: str
    scores: tuple[float, ...]

    @property
    def levels(self) -> list[int]:
        """A shade for each letter, -``LEVELS`` to ``LEVELS``; the strongest letter has the full shade."""
        top = max((abs(score) for score in self.scores), default=0.0) or 1.0
        return [round(LEVELS * score / top) for score in self.scores]

    def __str__(self) -> str:
        return self.form


@dataclass(frozen=True)
class Table:
    """A table of text, numbers, ``Letters`` and missing cells; ``_`` in a column's name is a space."""

    frame: pd.DataFrame
    title: str = ""
    formats: Mapping[str, str] = field(default_factory=dict)
    """The format of a column's numbers; the default is ``,`` for integers and ``.4g`` for others."""
    bars: str = ""
    """A column with a bar behind each number, relative to the column's maximum."""
    filters: tuple[str, ...] = ()
    """Columns whose values can be selected in HTML, where the table then has a search, too."""
    marked: int | None = None
    """The position of a row that stands out."""
    folded: bool = False
    """Whether HTML shows it only on demand; it needs a title then."""
    limit: int | None = None
    """Rows that Markdown shows; None: all."""

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """The name of each column as it is shown, and whether the column holds numbers."""
        numeric = map(pd.api.types.is_numeric_dtype, self.frame.dtypes)
        return [
            (str(name).replace("_", " "), number) for name, number in zip(self.frame, numeric, strict=True)
        ]

    def rows(self, limit: int | None) -> list[tuple[str | Letters, ...]]:
        """The cells of the first rows, formatted."""
        head = self.frame.iloc[:limit]
        columns = (
            [_cell(cell, self.formats.get(name, "")) for cell in head[name].tolist()]
            for name in map(str, head)
        )
        return list(zip(*columns, strict=True))

    def only(self, *names: str) -> Table:
        """Those of the columns that it has, without a title."""
        return Table(self.frame[[name for name in names if name in self.frame]], "", self.formats)

    def rest(self, limit: int | None) -> str:
        """A sentence about the rows beyond a limit, empty if there are none."""
        count = len(self.frame.iloc[limit:]) if limit else 0
        return f"{count:,} more rows are not shown here." if count else ""


@dataclass(frozen=True)
class Picture:
    """A picture; HTML holds it as SVG."""

    figure: Figure
    alt: str
    """The picture in words."""
    name: str
    png: bool = False
    """Whether it is also a file, ``plots/<name>.png`` beside the page; Markdown shows only such pictures."""


@dataclass(frozen=True)
class Headline:
    """The main figure of a page and what it says."""

    figure: str
    text: str


@dataclass(frozen=True)
class Section:
    """A title and what stands below it: paragraphs, facts (a mapping) and other blocks, in order."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Its name in links."""
        return "-".join("".join(letter if letter.isalnum() else " " for letter in self.title.lower()).split())

    @property
    def sections(self) -> list[Section]:
        """Those directly below it."""
        return [block for block in self.blocks if isinstance(block, Section)]

    def pictures(self) -> list[Picture]:
        """All pictures, those of the sections below it too."""
        own = [block for block in self.blocks if isinstance(block, Picture)]
        return own + [picture for section in self.sections for picture in section.pictures()]


Block = str | Headline | Mapping[str, str] | Table | Picture | Section


def listing(title: str, rows: Iterable[Iterable[Any]], *columns: str, limit: int | None = EXAMPLES) -> Table:
    """A folded table of rows."""
    return Table(pd.DataFrame(list(rows), columns=list(columns)), title, folded=True, limit=limit)


def shares(*names: str, form: str = ".2%") -> dict[str, str]:
    """The format of columns of shares."""
    return dict.fromkeys(names, form)


def distinct(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without empty columns and without numbers that repeat those of an earlier column."""
    numbers = frame.select_dtypes("number")
    kept = [name for name in frame if not (frame[name].isna() | (frame[name] == "")).all()]
    repeated = {
        name
        for place, name in enumerate(numbers)
        if any(
            np.allclose(numbers[name], numbers[other], equal_nan=True) for other in numbers.columns[:place]
        )
    }
    return frame[[name for name in kept if name not in repeated]]


def _cell(cell: Any, form: str) -> str | Letters:
    if isinstance(cell, Letters):
        return cell
    if pd.isna(cell) or cell == "":
        return "–"
    if isinstance(cell, int | float):
        return format(cell, form or ("," if isinstance(cell, int) else ".4g"))
    text = str(cell).replace("\t", " ~ ")  # pairs
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
