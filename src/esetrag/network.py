"""The networks a reader can have, by the kind that ``model.kind`` names."""

from __future__ import annotations

import torch

from esetrag.model import LstmClassifier
from esetrag.ngram import NgramClassifier
from esetrag.params import Model

Network = LstmClassifier | NgramClassifier


def shapes(symbols: int, labels: int, shape: Model, grams: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight, without making one.

    Args:
        symbols: size of the vocabulary.
        labels: number of labels.
        shape: kind and sizes.
        grams: n-grams that have weights, where the kind has such.
    """
    if shape.kind == "ngram":
        return NgramClassifier.shapes(grams, labels)
    return LstmClassifier.shapes(symbols, labels, shape)


def empty(symbols: int, labels: int, shape: Model, grams: int) -> Network:
    """A network whose weights are to be loaded.

    Args:
        symbols: size of the vocabulary.
        labels: number of labels.
        shape: kind and sizes.
        grams: n-grams that have weights, where the kind has such.
    """
    if shape.kind == "ngram":
        return NgramClassifier(torch.zeros(grams, dtype=torch.int64), labels, shape)
    return LstmClassifier(symbols, labels, shape)
