"""The readers that are compared: what each makes of the same training rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench import notebook, ours, peers
from bench.rows import Parts, Source, frame, pairs
from esetrag.data import label_sets
from esetrag.tasks.baselines import longest_suffix

Read = Callable[[pa.Table], npt.NDArray[np.object_]]
DEFAULT, LSTM, NOTEBOOK = "esetrag", "esetrag, model.kind: lstm", "notebook loop"
LR, SVC = "suffixes 1-8, logistic regression", "suffixes 1-8, LinearSVC"
FASTTEXT, SUFFIX = "fastText, n-grams 1-6", "longest known suffix"
MANY = 10_000
"""Training rows from which on the LSTM has its settings for all rows and the notebook's loop fewer epochs."""
EPOCHS = 5
"""Of the notebook's loop on many rows, without its evaluation after each."""


def train(name: str, source: Source, parts: Parts, seed: int) -> Read:
    """Trains a reader, preparation of the rows included.

    Args:
        name: one of ``names()``.
        source: the project's parameters.
        parts: rows.
        seed: of the training.
    """
    many = len(parts.train) >= MANY
    if name == DEFAULT:
        return ours.fit(source.given, parts, seed).read
    if name == LSTM:
        return ours.fit(ours.changed(source.given, ours.LSTM_ALL if many else ours.LSTM), parts, seed).read
    if name == NOTEBOOK:
        rows, dev = pairs(parts.train), pairs(parts.dev)
        trained = notebook.fit(rows, None, seed, EPOCHS) if many else notebook.fit(rows, dev, seed)
        return lambda given: trained.read(frame(given))
    if name == SUFFIX:
        longest = source.given.evaluate.suffix_length
        known = tuple(label_sets.names(parts.train["label"]))
        logits = longest_suffix(parts.train, known, longest)
        return lambda given: np.array(known, dtype=object)[logits(given["form"]).argmax(1)]
    peer = {LR: peers.logistic_regression, SVC: peers.linear_svc, FASTTEXT: peers.fasttext}[name]
    read = peer(pairs(parts.train))
    return lambda given: read(frame(given))


def names() -> list[str]:
    """The readers there are; fastText is not everywhere."""
    known = [DEFAULT, LSTM, NOTEBOOK, LR, SVC, SUFFIX]
    return [*known, FASTTEXT] if peers.has_fasttext() else known
