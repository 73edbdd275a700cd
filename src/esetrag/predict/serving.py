"""The reader as a logged model: words in, label and probability out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from esetrag.core.errors import DataError, ParamsError

if TYPE_CHECKING:
    from esetrag.predict.predictor import (
        Predictor,  # imports torch, which a model needs to read and not to be logged
    )

FORM, TOP_K = "form", "top_k"
LONGEST = 1000
"""Symbols of a word; what is longer is none."""
EXAMPLE = (["házból", "kertet"], {TOP_K: 2})
_LIST = {"type": "array", "required": False}
SIGNATURE = {
    "inputs": json.dumps([{"type": "string"}]),  # with a name to it, MLflow would refuse a list
    "outputs": json.dumps(
        [
            {"name": FORM, "type": "string"},
            {"name": "label", "type": "string"},
            {"name": "probability", "type": "double"},
            {"name": "label_set", "type": "string"},
            {"name": "unknown", "type": "string"},
            {"name": "labels", "items": {"type": "string"}, **_LIST},
            {"name": "probabilities", "items": {"type": "double"}, **_LIST},
        ]
    ),
    "params": json.dumps([{"name": TOP_K, "type": "long", "default": 1, "shape": None}]),
}
"""As MLflow reads it."""


class Served:
    """What the model that MLflow loads hands its input on to."""

    def __init__(self, reader: Predictor) -> None:
        """Wraps a reader."""
        self.reader = reader

    def predict(
        self, model_input: pd.DataFrame | Iterable[str], params: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Reads words.

        Args:
            model_input: words, or a table of them: its column ``form``, or its only column.
            params: ``top_k``, labels a word (default: 1; all if there are fewer).

        Returns:
            A row each: form, label, probability, unknown (symbols that training never showed). If
            ``top_k`` is more than 1, labels and probabilities as well: lists, the likeliest first.

        Raises:
            DataError: if a word is not one, or the column is not to be found.
            ParamsError: if ``top_k`` is not a whole number of 1 or more.
        """
        ranks = top_k(params or {})
        forms = words(_column(model_input))
        readings = self.reader.predict(forms, ranks)
        table = pd.DataFrame(
            {
                FORM: forms,
                "label": [read.labels[0] for read in readings],
                "probability": [read.probabilities[0] for read in readings],
                "label_set": [read.label_set for read in readings],
                "unknown": [read.unknown for read in readings],
            }
        )
        if ranks > 1:
            table["labels"] = [list(read.labels) for read in readings]
            table["probabilities"] = [list(read.probabilities) for read in readings]
        return table


def load(checkpoint: Path) -> Served:
    """Reads the checkpoint of a logged model.

    Raises:
        CheckpointError: if it cannot be used.
    """
    from esetrag.predict.predictor import Predictor

    return Served(Predictor.load(checkpoint))


def words(values: Iterable[Any]) -> list[str]:
    """The values, if they are words.

    Raises:
        DataError: if one is not text, not to be had in UTF-8, or too long.
    """
    found = list(values)
    for row, value in enumerate(found, 1):
        if not isinstance(value, str):
            raise DataError(f"word {row}: expected text, found {ascii(value)[:40]}")
        if len(value) > LONGEST:
            raise DataError(f"word {row}: expected {LONGEST} symbols at most, found {len(value)}")
        if any("\ud800" <= symbol <= "\udfff" for symbol in value):
            raise DataError(f"word {row}: expected text, found half of a surrogate pair: {ascii(value)[:40]}")
    return found


def top_k(params: Mapping[str, Any]) -> int:
    """The one parameter there is.

    Raises:
        ParamsError: if it is not a whole number of 1 or more.
    """
    value = params.get(TOP_K, 1)
    try:
        whole = not isinstance(value, bool | float) and int(value) == value  # MLflow's are NumPy's
    except (TypeError, ValueError):
        whole = False
    if not whole or value < 1:
        raise ParamsError(f"{TOP_K}: expected 1 label a word or more, found {ascii(value)[:40]}")
    return int(value)


def _column(model_input: pd.DataFrame | Iterable[str]) -> Iterable[Any]:
    if not isinstance(model_input, pd.DataFrame):
        return model_input
    columns = list(model_input.columns)
    if columns.count(FORM) == 1:
        return list(model_input[FORM])
    if len(columns) != 1:
        raise DataError(f"expected a column {FORM}, found {ascii(columns)[:60]}")
    return list(model_input.iloc[:, 0])
