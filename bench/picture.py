"""The measurements at a glance: accuracy, training, pipelines, growth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from bench import readers

OURS, THEIRS = "#1f6fb4", "#a9a9a9"
COLOURS = {readers.DEFAULT: OURS, readers.LSTM: "#7fc0ee"}


def draw(found: dict[str, Any], path: Path) -> None:
    """Draws a panel for each measurement that is there.

    Args:
        found: figures by measurement.
        path: of the PNG.
    """
    panels = {"accuracy": _accuracy, "throughput": _throughput, "pipelines": _pipelines, "growth": _growth}
    shown = {name: panel for name, panel in panels.items() if name in found}
    if not shown:
        return
    figure, grid = plt.subplots(2, 2, figsize=(13, 9))
    for axes, (name, panel) in zip(grid.flat, shown.items(), strict=False):
        panel(axes, found[name])
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    figure.tight_layout()
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _bars(axes: Axes, names: list[str], values: list[float], texts: list[str]) -> None:
    colours = [OURS if name.startswith("esetrag") else THEIRS for name in names]
    drawn = axes.barh(names, values, color=colours)
    axes.bar_label(drawn, texts, padding=3)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.18)


def _accuracy(axes: Axes, found: dict[str, Any]) -> None:
    regimes = [name for name in ("few", "small", "all") if name in found]
    names = list(found["small"]["readers"])
    marks = ["o", "s", "^", "D", "v", "P", "X"]
    for number, name in enumerate(names):
        at = [place for place, regime in enumerate(regimes) if name in found[regime]["readers"]]
        each = [found[regimes[place]]["readers"][name]["accuracy"] for place in at]
        wrong = [100 * (1 - one["value"]) for one in each]
        reach = [100 * (one["high"] - one["value"]) for one in each]
        axes.errorbar(
            [place + (number - len(names) / 2) / 12 for place in at], wrong, yerr=reach, label=name,
            fmt=marks[number % len(marks)], color=COLOURS.get(name), capsize=2,
        )  # fmt: skip
    axes.set_yscale("log")
    ticks = [0.2, 0.5, 1, 2, 5, 10]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks(range(len(regimes)), [f"{found[name]['train']:,} words" for name in regimes])
    axes.set(ylabel="misread, %", title="Errors on the test part: mean and 95 % interval")
    axes.set_ylim(0.1, 100)
    axes.legend(fontsize=8, loc="upper right")
    axes.grid(axis="y", alpha=0.3)


def _throughput(axes: Axes, found: dict[str, Any]) -> None:
    names, values = [], []
    for each in found["each"]:
        limits = each["limit_words_per_second"]
        for name, rate in each["words_per_second"].items():
            limit = f"limit at {each['flop_per_word'][name] / 1e6:.1f} MFLOP a word"
            for what, value in ((name, rate["median"]), (limit, limits[name])):
                names.append(f"{what}, {each['threads']} thread{'s' * (each['threads'] > 1)}")
                values.append(value)
    _bars(axes, names, values, [f"{value:,.0f}" for value in values])
    axes.set(xlabel="words a second", title="Training the same LSTM")


def _pipelines(axes: Axes, found: dict[str, Any]) -> None:
    labels = {
        "naive, dvc repro -f": "after the notebook, dvc repro -f",
        "ours, dvc repro -f": "esetrag, dvc repro -f",
        "parts": "DVC, imports, training alone",
        "cp, dvc repro -f": "six times cp, dvc repro -f",
        "ours, no-op": "esetrag, nothing to do",
        "cp, no-op": "six times cp, nothing to do",
    }
    values = [found["seconds"][name]["median"] for name in labels]
    _bars(axes, list(labels.values()), values, [f"{value:.1f} s" for value in values])
    axes.set(xlabel="seconds", title="Whole pipelines, 1000 training words")


def _growth(axes: Axes, found: dict[str, Any]) -> None:
    sizes = sorted(map(int, found))
    for name in found[str(sizes[0])]:
        axes.plot(sizes, [found[str(size)][name]["seconds"] for size in sizes], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="rows of the table, all used", ylabel="seconds")
    axes.set_title("Growth: each stage, and prediction")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
