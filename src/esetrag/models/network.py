"""The networks a reader can have, by the kind that ``model.kind`` names."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from esetrag.core.config import Model
from esetrag.models.bilstm import BiLSTM
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.ngram import NgramClassifier

Network = BiLSTM | NgramClassifier
INFLECTION = "inflection."
"""What the names of its tables begin with."""

Shapes = Mapping[str, tuple[int, ...]]


def shapes(symbols: int, labels: int, shape: Model, found: Shapes) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight, without making one.

    Args:
        symbols: size of the vocabulary.
        labels: number of labels.
        shape: kind and sizes.
        found: shapes of the weights there are, by name; sizes that training decides are taken from there.
    """
    if shape.kind != "ngram":
        return BiLSTM.shapes(symbols, labels, shape)
    tables = LemmaPrior.shapes(_inner(found), labels) if _inner(found) else {}
    inner = {INFLECTION + name: size for name, size in tables.items()}
    return NgramClassifier.shapes(_grams(found), labels) | inner


def empty(symbols: int, labels: int, shape: Model, found: Shapes) -> Network:
    """A network whose weights are to be loaded; as for ``shapes``."""
    if shape.kind != "ngram":
        return BiLSTM(symbols, labels, shape)
    network = NgramClassifier(torch.zeros(_grams(found), dtype=torch.int64), labels, shape)
    network.inflection = LemmaPrior.empty(_inner(found), labels) if _inner(found) else None
    return network


def sound(network: Network) -> bool:
    """Whether all that is looked up stands as the look-up needs it."""
    if isinstance(network, BiLSTM):
        return True
    inflection = network.inflection
    return network.ordered() and (not isinstance(inflection, LemmaPrior) or inflection.sound())


def _grams(found: Shapes) -> int:
    return found["grams"][0] if found.get("grams") else 0


def _inner(found: Shapes) -> Shapes:
    """The tables of the inflection among the weights."""
    return {
        name.removeprefix(INFLECTION): size for name, size in found.items() if name.startswith(INFLECTION)
    }
