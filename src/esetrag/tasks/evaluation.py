"""The reader on the test forms, beside the baselines and the ceiling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config, tables
from esetrag.data import label_sets
from esetrag.scoring import calibration, classes, ratios, reliability
from esetrag.scoring.calibration import ModelOutput
from esetrag.tasks.baselines import Baseline, NgramRegression, SuffixTable

READER, BASELINES = "reader", ("ngram", "suffix", "majority")

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Evaluation:
    """The outcome of a test."""

    predictions: pa.Table
    """The test forms with what was read (``tables.predictions``)."""
    figures: dict[str, Any]
    classes: pd.DataFrame
    """Precision, recall, F1 and support of every value."""
    reliability: pd.DataFrame
    """Confidence beside accuracy of every reader, in bins."""
    coverage: pd.DataFrame
    """Risk of the reader if it answers its surest forms alone."""


def evaluate(
    parts: dict[str, pa.Table],
    reads: Sequence[ModelOutput],
    labels: tuple[str, ...],
    how: config.Evaluate,
    calibrating: config.Calibration,
) -> Evaluation:
    """Compares what was read with what is true.

    Args:
        parts: ``train``, for the baselines, ``dev``, on which those are calibrated, and ``test``.
        reads: the reader's, then those of its repetitions with other seeds.
        labels: names behind the columns of probabilities.
        how: intervals and the suffix baseline.
        calibrating: how the baselines are calibrated.
    """
    test = parts["test"]
    names = sorted({*labels, *label_sets.names(test["label"])})
    gold = label_sets.matrix(test["label"], names)
    of_labels = [names.index(label) for label in labels]
    readers = {READER: reads[0], **_baselines(parts, labels, how, calibrating)}
    lemmas = column(test["lemma"])
    judged = _Judged(gold, of_labels, lemmas, how, readers)
    best_baseline = max(BASELINES, key=lambda name: judged.right[name].mean())
    lead = ratios.gain(judged.right[best_baseline], judged.right[READER], lemmas, how)
    # Two readers that err as often, independently of each other, differ by so much by chance.
    resolution = (
        math.sqrt(2)
        * (judged.intervals[READER, "any_gold"].high - judged.intervals[READER, "any_gold"].low)
        / 2
    )
    figures: dict[str, Any] = {
        "confidence": how.confidence,
        "rows": len(test),
        "pairs": int(gold.sum()),
        "several_values": int((gold.sum(1) > 1).sum()),
        "lemmas": pc.count_distinct(test["lemma"]).as_py(),
        "unseen_labels": int((~gold[:, of_labels].any(1)).sum()),
        **{name: judged.figures(name) for name in readers},
        "ceiling": {"accuracy": ratios.ceiling(gold), "any_gold": 1.0, "set_f1": 1.0},
        "lead": {**asdict(lead), "on": best_baseline},
        "resolution": resolution,
        "seeds": _spread([_strict(gold, of_labels, read) for read in reads]),
    }
    bins = [judged.bins[name].assign(reader=name) for name in readers]
    binned = pd.concat(bins, ignore_index=True)
    return Evaluation(
        _table(test, reads[0], labels),
        figures,
        classes.per_class(gold, judged.sets[READER], names),
        binned[["reader", *(name for name in binned.columns if name != "reader")]],
        reliability.coverage(reads[0].probabilities, gold[:, of_labels]),
    )


def confusion(predictions: pa.Table) -> pd.DataFrame:
    """One true value of every form beside the one that was read.

    Args:
        predictions: columns ``label`` and ``predicted``.
    """
    read = predictions["predicted"]
    columns = {"label": label_sets.beside(predictions["label"], read), "predicted": read}
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return frame


def column(values: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """Strings as numpy takes them."""
    array: npt.NDArray[np.object_] = values.to_numpy().astype(object)
    return array


class _Judged:
    """All readers on the same forms, and the intervals of the same draws of lemmas."""

    def __init__(
        self,
        gold: Bools,
        of_labels: list[int],
        lemmas: npt.NDArray[np.object_],
        how: config.Evaluate,
        readers: dict[str, ModelOutput],
    ) -> None:
        self.gold, self.readers, self.known = gold, readers, gold[:, of_labels]
        self.right = {name: _right(gold, of_labels, read) for name, read in readers.items()}
        self.sets: dict[str, Bools] = {}
        for name, read in readers.items():
            self.sets[name] = np.zeros_like(gold)
            self.sets[name][:, of_labels] = calibration.sets(read.probabilities, read.calibration.ratio)
        self.bins = {
            name: reliability.reliability(read.probabilities, self.known, read.head)
            for name, read in readers.items()
        }
        values, forms = gold.sum(1), np.ones(len(gold))
        shares = ratios.ratios(
            {f"{name} accuracy": (right, values) for name, right in self.right.items()}
            | {f"{name} any_gold": (right, forms) for name, right in self.right.items()},
            lemmas,
            how,
        )
        self.intervals = {tuple(key.split()): interval for key, interval in shares.items()}
        self.names = [str(place) for place in range(gold.shape[1])]

    def figures(self, name: str) -> dict[str, Any]:
        """Everything that is said of one reader."""
        read, strict, any_gold = (
            self.readers[name],
            self.intervals[name, "accuracy"],
            self.intervals[name, "any_gold"],
        )
        of_sets = ratios.set_scores(self.gold, self.sets[name])
        return {
            "accuracy": strict.value,
            "low": strict.low,
            "high": strict.high,
            "any_gold": any_gold.value,
            "any_gold_low": any_gold.low,
            "any_gold_high": any_gold.high,
            "set_precision": of_sets.precision,
            "set_recall": of_sets.recall,
            "set_f1": of_sets.f1,
            "macro_f1": classes.macro_f1(classes.per_class(self.gold, self.sets[name], self.names)),
            "loss": calibration.loss(read.probabilities, self.known, read.head),
            "brier": reliability.brier(read.probabilities, self.known, read.head),
            "ece": reliability.expected_error(self.bins[name]),
            "risk_area": reliability.area(read.probabilities, self.known),
            **asdict(read.calibration),
        }


def _baselines(
    parts: dict[str, pa.Table], labels: tuple[str, ...], how: config.Evaluate, calibrating: config.Calibration
) -> dict[str, ModelOutput]:
    train, dev, test = (parts[part] for part in ("train", "dev", "test"))
    table = SuffixTable.train(train["form"], train["label"], labels, how.suffix_length)
    trained: dict[str, Baseline] = {
        "ngram": NgramRegression.train(train["form"], train["label"], labels),
        "suffix": table,
        "majority": SuffixTable(table.levels[:1]),
    }
    targets = label_sets.matrix(dev["label"], labels)
    reads = {}
    for name, baseline in trained.items():
        fitted = calibration.fit(baseline.logits(dev["form"]), targets, "softmax", calibrating)
        shares = calibration.probabilities(baseline.logits(test["form"]), "softmax", fitted.temperature)
        reads[name] = ModelOutput(shares, fitted)
    return reads


def _right(gold: Bools, of_labels: list[int], read: ModelOutput) -> Bools:
    """Whether the likeliest value of each form is one that it bears."""
    best = np.array(of_labels)[read.probabilities.argmax(1)]
    right: Bools = gold[np.arange(len(gold)), best]
    return right


def _strict(gold: Bools, of_labels: list[int], read: ModelOutput) -> float:
    return float(_right(gold, of_labels, read).sum() / gold.sum())


def _spread(accuracies: list[float]) -> dict[str, float]:
    """Mean and standard deviation of the strict accuracies of several seeds."""
    spread = {"count": len(accuracies), "mean": float(np.mean(accuracies))}
    return {**spread, "deviation": float(np.std(accuracies, ddof=1))} if len(accuracies) > 1 else spread


def _table(test: pa.Table, read: ModelOutput, labels: tuple[str, ...]) -> pa.Table:
    schema = tables.predictions(list(labels))
    shares = read.probabilities.astype(np.float32)
    best = shares.argmax(1)
    sets = label_sets.labels(calibration.sets(read.probabilities, read.calibration.ratio), labels)
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(shares.ravel()), type=schema.field("probabilities").type
    )
    predicted = pa.array(labels, pa.string()).take(pa.array(best))
    columns = [*test.columns, predicted, sets, pa.array(shares[np.arange(len(best)), best]), vectors]
    return pa.Table.from_arrays(columns, schema=schema)
