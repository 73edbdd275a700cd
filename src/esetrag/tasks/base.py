"""What a kind of task does at each stage: words and tables on one side, tensors on the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
import pyarrow as pa

from esetrag.core import config
from esetrag.core.layout import Layout
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import Vocabulary

if TYPE_CHECKING:
    from esetrag.models.checkpoint import Checkpoint


@dataclass(frozen=True)
class Tested:
    """The outcome of a test."""

    predictions: pa.Table
    """The test rows with what the model predicts."""
    figures: dict[str, Any]
    """Of ``test.json``."""
    classes: pd.DataFrame
    """Scores of every label, or of every value of the features."""
    reliability: pd.DataFrame
    """Confidence beside accuracy of every model and baseline, in bins."""
    coverage: pd.DataFrame
    """Risk-coverage curve of the model."""
    confusion: pd.DataFrame
    """Of each row what is true, ``label``, and what is ``predicted``."""

    def summary(self, dev_accuracy: float) -> dict[str, float]:
        """The figures of ``summary.json``, alike for all kinds of task: shares, to four places."""
        models, own = self.figures["models"], self.figures["model"]
        values = {
            "test_accuracy": models[own]["accuracy"],
            "dev_accuracy": dev_accuracy,
            "baseline_accuracy": max(models[name]["accuracy"] for name in self.figures["baselines"]),
            "upper_bound": self.figures["upper_bound"]["accuracy"],
            "ece": models[own]["ece"],
        }
        return {name: round(float(value), 4) for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Test:
    """What a test starts from."""

    layout: Layout
    parts: Mapping[str, pa.Table]
    """``train``, on which the baselines are trained, ``dev``, on which they are calibrated, ``test``."""
    encoded: Encoded
    """Of the test rows."""
    checkpoints: Sequence[Checkpoint]
    """Of the task's model; then those of the same trained with other seeds."""
    model: config.Resolved
    compared: config.Compared
    train: config.Train
    options: config.Evaluate
    calibrating: config.Calibration


class Task(Protocol):
    """The steps in which kinds of tasks differ; everything else is the same for all."""

    @property
    def cuts(self) -> bool:
        """Whether words longer than those of training are cut; what is written for a word needs all of it."""

    def vocabulary(self, batches: Iterable[pa.Table], options: config.BuildVocab) -> Vocabulary:
        """Symbols and labels of the training rows (``build_vocab``)."""

    def texts(self, rows: pa.Table, vocabulary: Vocabulary) -> pa.ChunkedArray:
        """What the network reads of rows, as texts of symbols (``encode_pad``)."""

    def encode(self, rows: pa.Table, vocabulary: Vocabulary, width: int, keep: Keep, steps: int) -> Encoded:
        """Rows as ids and targets; ``steps`` is the room for a sequence that is written (``encode_pad``)."""

    def unseen(self, rows: pa.Table, vocabulary: Vocabulary) -> Mapping[str, int]:
        """The rows whose labels or values training does not have, by what is missing (``encode_pad``)."""
