"""Pictures of the data, the training and the errors."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

mpl.use("Agg")  # before pyplot: no screen is needed
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from esetrag import files, history
from esetrag.history import Epoch

INK, MISS = "#1f4e79", "Reds"


def draw(
    folder: Path,
    forms: dict[str, pa.ChunkedArray],
    longest: int,
    epochs: list[Epoch],
    predictions: pa.Table,
) -> None:
    """Draws all pictures of a task into a folder."""
    lengths(folder / "lengths.png", forms, longest)
    curves(folder / "curves.png", epochs)
    confusion(folder / "confusion.png", predictions)


def lengths(path: Path, forms: dict[str, pa.ChunkedArray], longest: int) -> None:
    """Draws how long the forms of each part are.

    Args:
        path: PNG to write.
        forms: of each part.
        longest: symbols that are read of a form at the most.
    """
    rows = pd.concat(
        pd.DataFrame({"part": f"{part} ({len(some):,} forms)", "symbols": pc.utf8_length(some).to_numpy()})
        for part, some in forms.items()
    )
    figure, axes = plt.subplots(figsize=(8, 4.5))
    sns.histplot(
        rows, x="symbols", hue="part", stat="density", common_norm=False, discrete=True,
        element="step", fill=False, linewidth=2, ax=axes,
    )  # fmt: skip
    if rows["symbols"].max() > longest:
        axes.axvline(longest + 0.5, color="grey", linestyle=":")
        axes.annotate(
            f"longer forms are cut to {longest}", (longest + 0.5, 1), xycoords=("data", "axes fraction"),
            xytext=(-4, -12), textcoords="offset points", ha="right", color="grey", size=9,
        )  # fmt: skip
    axes.set(xlabel="symbols a form", ylabel="share of forms", title="Length of the forms")
    sns.move_legend(axes, "center right", title=None)
    _save(figure, path)


def curves(path: Path, epochs: list[Epoch]) -> None:
    """Draws loss and error over the epochs.

    Args:
        path: PNG to write.
        epochs: the history of the training.
    """
    best = history.best(epochs).epoch
    wide = pd.DataFrame([asdict(epoch) for epoch in epochs])
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.2))
    for axes, (metric, label) in zip(
        panels, (("loss", "cross-entropy (nats)"), ("accuracy", "misread forms (%)")), strict=True
    ):
        rows = wide.melt("epoch", [f"train_{metric}", f"dev_{metric}"], "part")
        rows["part"] = rows["part"].str.removesuffix(f"_{metric}")
        if metric == "accuracy":
            rows["value"] = 100 * (1 - rows["value"])
        sns.lineplot(rows, x="epoch", y="value", hue="part", marker="o", markersize=4, ax=axes)
        axes.axvline(best, color="grey", linestyle=":", label=f"kept: epoch {best}")
        axes.set(xlabel="epoch", ylabel=label)
        axes.set_yscale("log" if metric == "loss" and rows["value"].gt(0).any() else "symlog")
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
    gold, read = (predictions[name].to_pylist() for name in ("label", "predicted"))
    labels = sorted({*gold, *read})
    counts = pd.crosstab(pd.Categorical(gold, labels), pd.Categorical(read, labels), dropna=False).to_numpy()
    right = np.eye(len(labels), dtype=bool)
    recall = counts.diagonal() / np.maximum(counts.sum(1), 1)
    text = np.where(counts > 0, counts.astype(str), "")
    text[right] = [f"{share:.1%}".replace("100.0%", "100%") for share in recall]
    side = max(5.0, 1.5 + 0.5 * len(labels))
    figure, axes = plt.subplots(figsize=(side + 1, side))
    errors = np.where(right, 0, counts)
    sns.heatmap(
        errors, annot=text, fmt="", cmap=MISS, vmin=0, vmax=max(int(errors.max()), 1), square=True,
        linewidths=0.5, linecolor="#eeeeee", xticklabels=labels, yticklabels=labels, annot_kws={"size": 8},
        cbar_kws={"label": "misread forms", "shrink": 0.6}, ax=axes,
    )  # fmt: skip
    wrong = int(errors.sum())
    axes.set(
        xlabel="read as", ylabel="true label",
        title=f"Confusions: {wrong:,} of {len(gold):,} test forms misread; the diagonal is recall",
    )  # fmt: skip
    axes.tick_params(axis="y", rotation=0)
    axes.tick_params(axis="x", rotation=60)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
    files.write_bytes(path, image.getvalue())
