"""One function for each picture; ``drawing`` writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator
from scipy.special import betaincinv

from esetrag.data import label_sets
from esetrag.report.drawing import MISS, PAPER, SERIES, SOFT, percent, single, style
from esetrag.report.results import NAMES
from esetrag.training import history
from esetrag.training.history import Epoch

MOST_LABELS = 40
"""Labels of a confusion matrix."""
ERROR_BINS = np.array([0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0])
"""Edges of the reliability diagram's bins, as 1 - confidence."""
LEAST_ERROR = 1e-4
"""The smallest error that a logarithmic axis shows."""

Floats = npt.NDArray[np.floating]


@style()
def curves(epochs: Sequence[Epoch]) -> Figure:
    """Loss and accuracy over the epochs; epoch 0 is the network before training."""
    figure = Figure((7.2, 3.3), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    kept, numbers = history.best(list(epochs)).epoch, [epoch.epoch for epoch in epochs]
    for part, label in (("train", "training set"), ("dev", "development set")):
        losses, shares = (
            [getattr(epoch, f"{part}_{name}") for epoch in epochs] for name in ("loss", "accuracy")
        )
        loss.plot(numbers, losses, marker="o", markersize=2.5, label=label)
        accuracy.plot(numbers, _nines(shares), marker="o", markersize=2.5)
    for axes, title in ((loss, "loss (cross-entropy, nats)"), (accuracy, "accuracy")):
        axes.axvline(kept, color=SOFT, linestyle=":", label=f"kept: epoch {kept}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch", title=title)
    if min(min(epoch.train_loss, epoch.dev_loss) for epoch in epochs) > 0:
        loss.set_yscale("log")
        low, high = loss.get_ylim()
        loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
        loss.yaxis.set_minor_locator(NullLocator())
    loss.yaxis.set_major_formatter("{x:g}")
    _scale_nines(accuracy.yaxis)
    figure.legend(*loss.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@style()
def confusion(counts: pd.DataFrame) -> Figure:
    """How many forms of a label (row) are predicted as another (column); the diagonal is recall.

    Args:
        counts: label, predicted, forms. Of more than ``MOST_LABELS`` labels, those with most errors
            are in the picture.
    """
    matrix = counts.pivot_table(index="label", columns="predicted", values="forms", aggfunc="sum")
    everything = sorted({*counts["label"], *counts["predicted"]})
    matrix = matrix.reindex(index=everything, columns=everything).fillna(0).astype(int)
    support, errors = matrix.sum(axis=1), matrix * (1 - np.eye(len(matrix), dtype=int))
    by_errors = (errors.sum() + errors.sum(axis=1)).sort_values(ascending=False, kind="stable")
    labels, top = sorted(by_errors.index[:MOST_LABELS]), max(errors.to_numpy().max(), 1)
    size = max(3.5, 1.2 + 0.42 * len(labels))
    figure, axes = single(size + 0.6, size)
    for (row, column), count in np.ndenumerate(matrix.loc[labels, labels].to_numpy()):
        total = support[labels[row]]
        if row == column and total:
            text = f"{100 * count / total:.1f}".replace("100.0", "100")
            axes.text(column, row, text, ha="center", va="center", size=7.5, color=SOFT)
        elif count:
            alpha = 0.15 + 0.6 * np.sqrt(count / top)  # a few errors are visible beside many
            axes.add_patch(mpl.patches.Rectangle((column - 0.5, row - 0.5), 1, 1, color=MISS, alpha=alpha))
            axes.text(column, row, f"{count:,}", ha="center", va="center", size=7.5)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(FixedLocator([place + 0.5 for place in range(len(labels) - 1)]))
    axes.tick_params(which="both", length=0)
    axes.grid(visible=False)
    axes.grid(visible=True, which="minor")
    axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5), aspect="equal")
    axes.set(xlabel="predicted", ylabel="label", title="errors; diagonal: recall, %")
    return figure


@style()
def attention(row: Mapping[str, Any]) -> Figure:
    """What each written symbol attends to; a row of ``tables.ATTENTION``."""
    read, written = row["read"], row["written"]
    weights = np.array(row["weights"]).reshape(len(written), len(read))
    figure, axes = single(7.2, 0.9 + 0.26 * len(written))
    shades = mpl.colors.LinearSegmentedColormap.from_list("", [PAPER, SERIES[0]])
    axes.pcolormesh(weights, cmap=shades, vmin=0, vmax=1)  # not imshow: the page allows no image in a picture
    axes.invert_yaxis()
    axes.set_xticks(np.arange(len(read)) + 0.5, read)
    axes.set_yticks(np.arange(len(written)) + 0.5, written)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    mark = "right" if row["predicted"] in label_sets.values(row["label"]) else f"wrong: {row['label']}"
    axes.set_title(f"{' '.join(filter(None, (row['form'], row['features'])))} → {row['predicted']} ({mark})")
    return figure


@style()
def lengths(forms: Mapping[str, pa.ChunkedArray], longest: int | None) -> Figure:
    """The length of the forms of each part.

    Args:
        forms: of each part.
        longest: symbols of a form that the model uses; None if its symbols are not characters.
    """
    figure, axes = single(7.2, 3.2)
    for part, column in forms.items():
        counts = np.bincount(pc.utf8_length(column).to_numpy())
        label = f"{part} ({len(column):,} forms)"
        axes.stairs(counts / max(len(column), 1), np.arange(len(counts) + 1) - 0.5, label=label, linewidth=2)
    if longest and max(pc.max(pc.utf8_length(column)).as_py() or 0 for column in forms.values()) > longest:
        axes.axvline(longest + 0.5, color=SOFT, linestyle=":", label=f"longer forms are cut to {longest}")
    axes.set(xlabel="symbols of a form", title="share of the forms")
    percent(axes.yaxis)
    axes.legend()
    return figure


@style()
def reliability(confidence: Floats, correct: Floats) -> Figure:
    """Accuracy by confidence, with the number of forms; both axes are logarithmic towards 100%.

    Args:
        confidence: (n,) probability of each predicted label.
        correct: (n,) 1 if it is correct, else 0; a share where a form's labels share one probability.
    """
    place = np.digitize(1 - confidence, ERROR_BINS[1:-1], right=True)
    figure = Figure((7.2, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot(_nines([0, 1]), _nines([0, 1]), color=SOFT, linestyle="--", linewidth=1, label="calibrated")
    for number in np.unique(place):
        forms = place == number
        count, hits = int(forms.sum()), float(correct[forms].sum())
        x, y = _nines([confidence[forms].mean(), hits / count])
        low, high = _nines(betaincinv(hits + 0.5, count - hits + 0.5, [0.025, 0.975]))  # Jeffreys' interval
        upper.plot([x, x], [low, high], color=SERIES[0], linewidth=5, alpha=0.3)
        upper.plot([x], [y], "o", color=SERIES[0])
        left, right = _nines(1 - ERROR_BINS[[number + 1, number]])
        lower.bar(left, count, right - left, align="edge", color=SERIES[0], edgecolor=PAPER, alpha=0.6)
        lower.annotate(f"{count:,}", ((left + right) / 2, count), ha="center", va="bottom", size=9)
    _scale_nines(upper.yaxis)
    _scale_nines(lower.xaxis)
    upper.set(title="accuracy, with its 95% interval")
    lower.set(xlabel="confidence: probability of the predicted label", title="forms", yscale="log", yticks=[])
    lower.set_ylim(0.5, 5 * len(confidence))
    lower.yaxis.set_minor_locator(NullLocator())
    upper.legend(loc="upper left")
    return figure


def _nines(shares: Sequence[float] | Floats) -> Floats:
    """Places on an axis that is logarithmic towards 1."""
    places: Floats = -np.log10(np.clip(1 - np.asarray(shares), LEAST_ERROR, 1))
    return places


def _scale_nines(axis: Axis) -> None:
    names = {0: "0%", 0.5: "50%", 0.9: "90%", 0.99: "99%", 0.999: "99.9%", 1: "100%"}
    axis.set_ticks(_nines(list(names)).tolist(), list(names.values()))


@style()
def coverage(curve: pd.DataFrame) -> Figure:
    """The error rate if the model answers only where it is most confident: coverage, risk."""
    figure, axes = single(7.2, 3.0)
    axes.plot(curve["coverage"], curve["risk"])
    axes.set(xlabel="coverage: forms answered, the most confident first", title="risk: error rate")
    axes.set(xlim=(0, 1.01), ylim=(0, max(1.1 * float(curve["risk"].max()), LEAST_ERROR)))
    percent(axes.xaxis, axes.yaxis)
    return figure


@style()
def masking(curve: pd.DataFrame) -> Figure:
    """Accuracy if symbols are hidden: symbols (k), only_last, without_last."""
    figure, axes = single(7.2, 3.3)
    curve = curve[curve["symbols"] > 0]
    for name, label in (("only_last", "only the last k symbols"), ("without_last", "without the last k")):
        axes.plot(curve["symbols"], curve[name], marker="o", markersize=4, label=label)
    axes.set(xlabel="k", ylim=(-0.02, 1.04), title="accuracy")
    percent(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@style()
def benchmark(means: pd.DataFrame, baseline: str) -> Figure:
    """The accuracy of models on each task over that of a baseline: above the diagonal they are better.

    Args:
        means: task, model, accuracy; models in the order of their importance.
        baseline: one of the models.
    """
    wide = means.pivot_table(index="task", columns="model", values="accuracy", observed=True).drop("mean")
    figure, axes = single(5.6, 5.4)
    low = float(wide[baseline].min()) - 0.02
    axes.plot([low, 1], [low, 1], color=SOFT, linewidth=1, zorder=0)
    for name, marker in zip(list(wide.columns)[:3], "os^", strict=True):
        axes.scatter(wide[baseline], wide[name], 16, marker=marker, alpha=0.7, label=NAMES.get(name, name))
    axes.set(xlabel=NAMES.get(baseline, baseline), title=f"test accuracy of {len(wide)} tasks")
    percent(axes.xaxis, axes.yaxis)
    figure.legend(loc="outside upper right", ncols=3)
    return figure


@style()
def learning_curve(means: pd.DataFrame, task: str) -> Figure:
    """Test errors of each model over the number of training forms, both on logarithmic axes.

    Args:
        means: the model's name (first column), forms, seeds, test, low, high; the last model is the
            upper bound.
        task: its name.
    """
    column, least = means.columns[0], 5 * LEAST_ERROR
    *models, bound = dict.fromkeys(means[column])
    figure, axes = single(9, 4.6)
    for number, name in enumerate(models):
        rows = means[means[column] == name]
        error, low, high = (np.maximum(1 - rows[end].to_numpy(), least) for end in ("test", "high", "low"))
        shift = 1.03 ** (number - len(models) / 2)  # intervals of one size stand beside each other
        interval, line = np.nan_to_num([error - low, high - error]), "s^vDoPX*"[number % 8] + "-"
        axes.errorbar(
            rows["forms"] * shift,
            error,
            interval,
            fmt=line,
            label=NAMES.get(name, name),
            capsize=2,
            elinewidth=1,
        )
    floor = 1 - means.loc[means[column] == bound, "test"].mean()
    if floor > least:
        axes.axhline(floor, color=SOFT, linestyle=":", label=NAMES.get(bound, bound))
    title = f"test error of {task}: mean over {means['seeds'].max()} seeds, with interval"
    axes.set(xscale="log", yscale="log", xlabel="training forms", title=title)
    ticks = np.outer([0.001, 0.01, 0.1], [1, 2, 5]).ravel().tolist()
    axes.set_yticks([tick for tick in (*ticks, 1) if tick >= axes.get_ylim()[0]])
    forms = sorted(means["forms"].unique())
    axes.set_xticks(forms, [f"{count:,}" for count in forms])
    axes.minorticks_off()
    axes.set_ylim(top=1)
    percent(axes.yaxis)
    figure.legend(fontsize=9, loc="outside right center")
    return figure
