"""Pictures of the data, the training and the errors."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from esetrag.core import files
from esetrag.data import label_sets
from esetrag.training import history
from esetrag.training.history import Epoch

INK, MISS = "#1f4e79", "Reds"
CURVES = ("#999999", "#cc79a7", "#e69f00", "#56b4e9", INK)
"""Of the readers of a learning curve: colours that colour-blind people tell apart (Okabe and Ito 2008)."""
LEAST_ERROR = 0.05
"""Per cent; the axis is logarithmic, so none at all is drawn as this."""


def draw(
    folder: Path,
    forms: dict[str, pa.ChunkedArray],
    longest: int | None,
    epochs: list[Epoch],
    predictions: pa.Table,
) -> None:
    """Draws all pictures of a task into a folder."""
    lengths(folder / "lengths.png", forms, longest)
    curves(folder / "curves.png", epochs)
    confusion(folder / "confusion.png", predictions)


def lengths(path: Path, forms: dict[str, pa.ChunkedArray], longest: int | None) -> None:
    """Draws how long the forms of each part are.

    Args:
        path: PNG to write.
        forms: of each part.
        longest: characters that are read of a form at the most; None if they are not what is counted.
    """
    figure = Figure(figsize=(8, 4.5))
    axes = figure.subplots()
    for part, some in forms.items():
        counts = np.bincount(pc.utf8_length(some).to_numpy())
        edges = np.arange(len(counts) + 1) - 0.5
        label = f"{part} ({len(some):,} forms)"
        axes.stairs(counts / max(len(some), 1), edges, label=label, linewidth=2)
    if longest and max(int(pc.max(pc.utf8_length(some)).as_py() or 0) for some in forms.values()) > longest:
        axes.axvline(longest + 0.5, color="grey", linestyle=":")
        axes.annotate(
            f"longer forms are cut to {longest}", (longest + 0.5, 1), xycoords=("data", "axes fraction"),
            xytext=(-4, -12), textcoords="offset points", ha="right", color="grey", size=9,
        )  # fmt: skip
    axes.set(xlabel="symbols a form", ylabel="share of forms", title="Length of the forms")
    axes.legend(loc="center right")
    _save(figure, path)


def curves(path: Path, epochs: list[Epoch]) -> None:
    """Draws loss and error over the epochs.

    Args:
        path: PNG to write.
        epochs: the history of the training.
    """
    best = history.best(epochs).epoch
    wide = pd.DataFrame([asdict(epoch) for epoch in epochs])
    figure = Figure(figsize=(10, 4.2))
    panels = figure.subplots(1, 2)
    for axes, (metric, label) in zip(
        panels, (("loss", "cross-entropy (nats)"), ("accuracy", "misread forms (%)")), strict=True
    ):
        for part in ("train", "dev"):
            values = wide[f"{part}_{metric}"]
            shown = 100 * (1 - values) if metric == "accuracy" else values
            axes.plot(wide["epoch"], shown, marker="o", markersize=3, label=part)
        axes.axvline(best, color="grey", linestyle=":", label=f"kept: epoch {best}")
        axes.set(xlabel="epoch", ylabel=label)
        positive = (wide[[f"train_{metric}", f"dev_{metric}"]] > 0).any(axis=None)
        axes.set_yscale("log" if metric == "loss" and positive else "symlog")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
    panels[1].set_ylim(0)
    panels[0].set_title("Loss")
    panels[1].set_title("Error")
    figure.suptitle("Training (train: mean over the epoch as it was trained)", size=10)
    _save(figure, path)


def confusion(path: Path, predictions: pa.Table) -> None:
    """Draws which label is read as which; the diagonal gives recall, the colour is for the errors.

    Args:
        path: PNG to write.
        predictions: columns ``label`` and ``predicted``.
    """
    read = predictions["predicted"].to_pylist()
    gold = label_sets.beside(predictions["label"], predictions["predicted"]).to_pylist()
    labels = sorted({*gold, *read})
    counts = pd.crosstab(pd.Categorical(gold, labels), pd.Categorical(read, labels), dropna=False).to_numpy()
    right = np.eye(len(labels), dtype=bool)
    recall = counts.diagonal() / np.maximum(counts.sum(1), 1)
    text = np.where(counts > 0, counts.astype(str), "")
    text[right] = [f"{share:.1%}".replace("100.0%", "100%") for share in recall]
    side = max(5.0, 1.5 + 0.5 * len(labels))
    figure = Figure(figsize=(side + 1, side))
    axes = figure.subplots()
    errors = np.where(right, 0, counts)
    top = max(int(errors.max()), 1)
    image = axes.imshow(errors, cmap=MISS, vmin=0, vmax=top)
    for row, column in zip(*np.nonzero(text != ""), strict=True):
        ink = "white" if errors[row, column] > 0.6 * top else "black"
        axes.text(column, row, text[row, column], ha="center", va="center", size=8, color=ink)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xticks(np.arange(len(labels) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="#eeeeee", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    figure.colorbar(image, label="misread forms", shrink=0.6)
    wrong = int(errors.sum())
    axes.set(
        xlabel="read as", ylabel="true label",
        title=f"Confusions: {wrong:,} of {len(gold):,} test forms misread; the diagonal is recall",
    )  # fmt: skip
    axes.tick_params(axis="y", rotation=0)
    axes.tick_params(axis="x", rotation=60)
    _save(figure, path)


def learning_curve(path: Path, means: pd.DataFrame, task: str) -> None:
    """Draws the errors of each reader over the number of training forms, both on logarithmic axes.

    Args:
        path: PNG to write.
        means: what ``curve.table`` gave; the last reader is the ceiling.
        task: its name.
    """
    figure = Figure(figsize=(10.5, 5.2))
    axes = figure.subplots()
    *readers, ceiling = list(dict.fromkeys(means["model"]))
    for number, (name, colour, mark) in enumerate(zip(readers, CURVES, "s^vDo", strict=True)):
        one = means[means["model"] == name]
        wrong, low, high = (
            np.maximum(100 * (1 - one[column].to_numpy()), LEAST_ERROR) for column in ("test", "high", "low")
        )
        shift = 1.03 ** (number - len(readers) / 2)  # bars of one size stand beside each other
        axes.errorbar(
            one["forms"] * shift, wrong, yerr=np.nan_to_num([wrong - low, high - wrong]), label=name,
            color=colour, marker=mark, markersize=5, capsize=2, linewidth=1.6, elinewidth=1,
        )  # fmt: skip
    floor = 100 * (1 - means.loc[means["model"] == ceiling, "test"].mean())
    if floor > LEAST_ERROR:
        axes.axhline(floor, color="grey", linestyle=":", label="least error of any reader\nof the form alone")
    axes.set(xscale="log", yscale="log", xlabel="training forms", ylabel="test error, %")
    axes.set_title(f"Learning curves of {task}: mean and interval over {means['seeds'].max()} seeds")
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if tick >= axes.get_ylim()[0]]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    forms = sorted(means["forms"].unique())
    axes.set_xticks(forms, [f"{number:,}" for number in forms])
    axes.minorticks_off()
    axes.set_ylim(top=100)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110, metadata={"Software": None})
    files.write_bytes(path, image.getvalue())
