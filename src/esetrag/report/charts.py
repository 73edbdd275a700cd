"""Pictures of the report: SVG whose colours are those of the page around it, in light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter

from esetrag.training import history
from esetrag.training.history import Epoch

INK, SOFT, RULE, PAPER = "#010001", "#010002", "#010003", "#010004"
SERIES = ("#020001", "#020002", "#020003", "#020004")
VARIABLES = {INK: "ink", SOFT: "soft", RULE: "rule", PAPER: "paper"} | dict(zip(SERIES, "abcd", strict=True))
"""What the page calls the colours that stand in the drawing."""
STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": SOFT,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "axes.prop_cycle": cycler(color=SERIES),
}


def _svg(figure: Figure, name: str) -> str:
    """The figure's drawing; its name keeps what it refers to apart from what other pictures do."""
    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    return _inline(text.getvalue())


def _inline(svg: str) -> str:
    """An SVG as a part of HTML: no prologue, no name spaces, no ids but those that are used."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"| version="[^"]*"', "", svg).replace("xlink:href", "href")
    used = set(re.findall(r"#([\w-]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", svg)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    for colour, name in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    return re.sub(r"\n\s*", "\n", re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r"<svg \1", svg))


def readers(results: pd.DataFrame, ceiling: float) -> str:
    """Draws the share of forms that each reader reads right, with its interval.

    Args:
        results: reader, accuracy, low, high; the last is the one the page is about.
        ceiling: accuracy of the best reader there can be.
    """
    rows = results.iloc[::-1].to_dict("records")
    least, most = min(row["low"] for row in rows), max(ceiling, *(row["high"] for row in rows))
    span = max(most - least, 1e-3)
    with mpl.rc_context(STYLE):
        height = 0.85 + 0.4 * len(rows)
        figure = Figure(figsize=(7.2, height))
        axes = figure.add_axes((0.33, 0.5 / height, 0.61, 1 - 0.75 / height))
        for place, row in enumerate(rows):
            colour = SERIES[0] if place else SERIES[1]
            axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=6, alpha=0.35)
            axes.plot([row["accuracy"]], [place], "o", color=colour, markersize=6)
            right = row["accuracy"] < least + span / 2  # where there is more room
            axes.annotate(
                f"{row['accuracy']:.2%}",
                (row["high"] if right else row["low"], place),
                xytext=(9 if right else -9, 0),
                textcoords="offset points",
                va="center",
                ha="left" if right else "right",
            )
        axes.axvline(ceiling, color=SOFT, linestyle="--", linewidth=1)
        axes.annotate(
            "ceiling",
            (ceiling, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=SOFT,
        )
        axes.set_yticks(range(len(rows)), [row["reader"] for row in rows], color=INK)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set(xlabel="accuracy", ylim=(-0.6, len(rows) - 0.4))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlim(least - 0.05 * span, most + 0.03 * span)
        _shares(axes.xaxis)
        return _svg(figure, "readers")


def learning(epochs: Sequence[Epoch]) -> str:
    """Draws loss and error over the epochs."""
    best = history.best(list(epochs)).epoch
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.3))
        for panel, (metric, label) in enumerate(
            (("loss", "cross-entropy (nats)"), ("accuracy", "misread (%)"))
        ):
            axes = figure.add_axes((0.08 + 0.5 * panel, 0.15, 0.41, 0.65))
            for part in ("train", "dev"):
                values = np.array([getattr(epoch, f"{part}_{metric}") for epoch in epochs])
                shown = 100 * (1 - values) if metric == "accuracy" else values
                axes.plot([epoch.epoch for epoch in epochs], shown, marker="o", markersize=2.5, label=part)
            axes.axvline(best, color=SOFT, linestyle=":", label=f"kept: epoch {best}")
            positive = any(epoch.train_loss > 0 or epoch.dev_loss > 0 for epoch in epochs)
            axes.set_yscale("log" if metric == "loss" and positive else "symlog")
            if axes.get_yscale() == "log":
                low, high = axes.get_ylim()  # of few powers of ten, what lies between has ticks too
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.minorticks_off()
            axes.set(xlabel="epoch")
            axes.set_title(label, loc="left", color=SOFT)
            if metric == "accuracy":
                axes.set_ylim(0)
        figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0.05, 1), ncols=3)
        return _svg(figure, "learning")


def masked(curve: pd.DataFrame) -> str:
    """Draws accuracy when symbols are hidden (``masking.curve``)."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.0))
        axes = figure.add_axes((0.08, 0.17, 0.88, 0.68))
        for name, label in (
            ("only_last", "only the last k symbols seen"),
            ("without_last", "the last k symbols hidden"),
        ):
            axes.plot(curve["symbols"], curve[name], marker="o", markersize=4, label=label)
        axes.set(xlabel="k", ylim=(-0.02, 1.04))
        _shares(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _key(axes)
        return _svg(figure, "masked")


def reliability(bins: pd.DataFrame) -> str:
    """Draws the accuracy of forms by how sure the readers were of them.

    Args:
        bins: reader, low, high, forms, confidence, accuracy.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4))
        axes = figure.add_axes((0.1, 0.13, 0.46, 0.83))
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1)
        most = max(float(bins["forms"].max()), 1)
        for name, some in bins[bins["forms"] > 0].groupby("reader", sort=False):
            [line] = axes.plot(some["confidence"], some["accuracy"], linewidth=1, label=str(name))
            size = 12 + 90 * np.sqrt(some["forms"] / most)
            axes.scatter(
                some["confidence"], some["accuracy"], size, color=line.get_color(), alpha=0.75, linewidths=0
            )
        axes.set(xlabel="mean confidence", ylabel="accuracy", xlim=(0, 1.03), ylim=(0, 1.03))
        _shares(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
        return _svg(figure, "reliability")


def coverage(curve: pd.DataFrame) -> str:
    """Draws the share of misread forms among those that the reader is surest of.

    Args:
        curve: coverage, risk, ascending by coverage.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.0))
        axes = figure.add_axes((0.1, 0.17, 0.86, 0.76))
        axes.plot(curve["coverage"], curve["risk"])
        axes.set(xlabel="forms answered, the surest first", ylabel="misread among them", xlim=(0, 1.01))
        axes.set_ylim(0, max(1.1 * float(curve["risk"].max()), 1e-4))
        _shares(axes.xaxis, axes.yaxis)
        return _svg(figure, "coverage")


def _shares(*scales: Axis) -> None:
    for scale in scales:
        scale.set_major_formatter(PercentFormatter(1))


def _key(axes: Axes) -> None:
    """The legend, above the drawing: its texts are as wide as the page's letters make them."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=4)
