"""The style of the pictures, and how they are written: as SVG into a page, as PNG into a file.

A picture in a page has the page's colours, light or dark. The bytes are the same for the same data.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from esetrag.core import files

INK, SOFT, RULE, PAPER, MISS = "#1d2330", "#5b6475", "#dde1e7", "#ffffff", "#d0342c"
SERIES = ("#1f5fa8", "#c2570c", "#2f7d4f", "#8a8f99")
NAMES = ("ink", "soft", "rule", "paper", "miss", "a", "b", "c", "d")
"""The names of these colours in the page's style sheet."""
NARROW = 5.0
"""Inches; a narrower figure would have too large letters if it were as wide as the others."""
STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.prop_cycle": cycler(color=SERIES),
    "grid.linewidth": 0.6,
    **dict.fromkeys(("axes.grid", "axes.axisbelow"), True),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    **dict.fromkeys(("text.color", "legend.labelcolor"), INK),
    **dict.fromkeys(("axes.labelcolor", "axes.titlecolor", "xtick.labelcolor", "ytick.labelcolor"), SOFT),
    **dict.fromkeys(("axes.edgecolor", "grid.color", "xtick.color", "ytick.color"), RULE),
}


@contextmanager
def style() -> Iterator[None]:
    """Draws in the style of the pages; also a decorator."""
    with mpl.rc_context(STYLE):
        yield


def single(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of one panel; sizes in inches."""
    figure = Figure((width, height), layout="constrained")
    return figure, figure.subplots()


def percent(*axes: Axis) -> None:
    """Labels axes of shares."""
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1))


@style()
def svg(figure: Figure, name: str) -> str:
    """A figure as a part of an HTML page.

    Args:
        figure: the picture.
        name: unique in the page; it keeps the ids of one picture apart from those of others.
    """
    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    drawn = text.getvalue()
    drawn = re.sub(
        r"<metadata>.*?</metadata>|<!--.*?-->\n?", "", drawn[drawn.index("<svg") :], flags=re.DOTALL
    )
    drawn = re.sub(r' xmlns(:\w+)?="[^"]*"| version="[^"]*"', "", drawn).replace("xlink:href", "href")
    # Hundredths of a point: later digits are seen by nobody, and differ between processors.
    drawn = re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", drawn)
    used = set(re.findall(r"#([\w-]+)", drawn))
    drawn = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else "", drawn)
    for colour, variable in zip((INK, SOFT, RULE, PAPER, MISS, *SERIES), NAMES, strict=True):
        drawn = drawn.replace(colour, f"var(--{variable})")
    narrow = 'class="narrow" ' if figure.get_figwidth() < NARROW else ""
    drawn = re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', rf"<svg {narrow}\1", drawn)
    return re.sub(r"\n\s*", "\n", drawn).strip()


@style()
def write_png(path: Path, figure: Figure) -> None:
    """Writes a figure as PNG."""
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=130, facecolor=PAPER, metadata={"Software": None})
    files.write_bytes(path, image.getvalue())
