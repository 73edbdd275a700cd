"""A training epoch by epoch, as a table that plots and trackers read."""

from __future__ import annotations

import csv
import io
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from esetrag.core.errors import DataError


@dataclass(frozen=True, slots=True)
class Epoch:
    """One row; losses in nats a form, accuracies as shares."""

    epoch: int
    """0 is the network before training."""
    train_loss: float
    """Mean over the epoch's batches as they were trained on, with dropout and forms made by analogy."""
    train_accuracy: float
    dev_loss: float
    dev_accuracy: float
    learning_rate: float
    """At the start of the epoch; 1 for L-BFGS, which finds its own."""


TOLERANCE = 0.01
"""Nats a form."""
COLUMNS = tuple(field.name for field in fields(Epoch))


def best(history: list[Epoch]) -> Epoch:
    """The latest trained epoch whose dev loss is within ``TOLERANCE`` of the lowest.

    Accuracy on a few hundred words moves in steps of half a point; the loss is finer. But a few words do
    not tell close losses apart, and the schedule of the learning rate has settled in the last epochs.
    """
    trained = history[1:] or history
    lowest = min(epoch.dev_loss for epoch in trained)
    return [epoch for epoch in trained if epoch.dev_loss <= lowest + TOLERANCE][-1]


def to_csv(history: list[Epoch]) -> str:
    """A heading and a line for each epoch."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *map(astuple, history)])
    return text.getvalue()


def read(path: Path) -> list[Epoch]:
    """Reads what ``to_csv`` wrote; raises ``DataError`` if it is something else."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
        epochs = [Epoch(int(row["epoch"]), *(float(row[name]) for name in COLUMNS[1:])) for row in rows]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected the columns {', '.join(COLUMNS)} ({error!r})") from error
    if not epochs:
        raise DataError(f"{path}: expected a row for each epoch, found none; make it anew: dvc repro -f")
    return epochs
