"""The reader on the test rows, beside the baselines and the ceiling."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag import metrics, params, tables
from esetrag.baselines import SuffixTable
from esetrag.encoding import UNSEEN


@dataclass(frozen=True)
class Evaluation:
    """The outcome of a test."""

    predictions: pa.Table
    """The test rows with what was read (``tables.predictions``)."""
    figures: dict[str, Any]
    classes: pd.DataFrame
    """Precision, recall, F1 and support of every label."""


def evaluate(
    train: pa.Table,
    test: pa.Table,
    probabilities: npt.NDArray[np.float32],
    labels: tuple[str, ...],
    how: params.Evaluate,
) -> Evaluation:
    """Compares what was read with what is true.

    Args:
        train: training rows, for the baselines.
        test: test rows.
        probabilities: (rows, labels) of the test forms.
        labels: names behind the columns.
        how: intervals and the suffix baseline.
    """
    best = probabilities.argmax(1)
    read = pa.chunked_array([pa.array(labels).take(pa.array(best))])
    predictions = _table(test, read, probabilities, labels)
    baseline = SuffixTable.train(train["form"], train["label"], how.suffix_length)
    majority = SuffixTable(baseline.levels[:1])
    gold = column(test["label"])
    figures = {
        "confidence": how.confidence,
        "rows": len(test),
        "lemmas": pc.count_distinct(test["lemma"]).as_py(),
        "unseen_labels": int(pc.sum(pc.invert(pc.is_in(test["label"], pa.array(labels)))).as_py()),
        "reader": {**_judge(test, read, how), "loss": loss(test["label"], probabilities, labels)},
        "suffix": _judge(test, baseline.read(test["form"]), how),
        "majority": _judge(test, majority.read(test["form"]), how),
        "ceiling": {"accuracy": metrics.ceiling(column(test["form"]), gold)},
    }
    return Evaluation(predictions, figures, metrics.per_class(gold, column(read)))


def loss(
    gold: pa.ChunkedArray, probabilities: npt.NDArray[np.float32], labels: tuple[str, ...]
) -> float | None:
    """Mean cross-entropy in nats over the rows whose label is known to the reader; None if there are none."""
    ids = pc.fill_null(pc.index_in(gold, value_set=pa.array(labels)), UNSEEN).to_numpy()
    known = np.flatnonzero(ids != UNSEEN)
    shares = probabilities[known, ids[known]].astype(np.float64)
    if len(known) == 0:
        return None
    return float(-np.log(np.maximum(shares, np.finfo(np.float32).tiny)).mean()) + 0.0  # no -0.0


def column(values: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """Strings as numpy takes them."""
    array: npt.NDArray[np.object_] = values.to_numpy().astype(object)
    return array


def _judge(test: pa.Table, read: pa.ChunkedArray, how: params.Evaluate) -> dict[str, float]:
    gold, answers = column(test["label"]), column(read)
    interval = asdict(metrics.accuracy(gold == answers, column(test["lemma"]), how))
    return {"accuracy": interval.pop("value"), **interval, "macro_f1": metrics.macro_f1(gold, answers)}


def _table(
    test: pa.Table, read: pa.ChunkedArray, probabilities: npt.NDArray[np.float32], labels: tuple[str, ...]
) -> pa.Table:
    schema = tables.predictions(list(labels))
    shares = pa.FixedSizeListArray.from_arrays(
        pa.array(probabilities.ravel()), type=schema.field("probabilities").type
    )
    columns = [*test.columns, read, pa.array(probabilities.max(1)), shares]
    return pa.Table.from_arrays(columns, schema=schema)
