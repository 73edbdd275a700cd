"""The model as MLflow loads it: words in, a table of predictions out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from esetrag.core.errors import DataError, ParamsError

if TYPE_CHECKING:
    from esetrag.predict.predictor import Predictor  # imports PyTorch, which logging a model does not need
    from esetrag.predict.sequence_predictor import SequencePredictor

COLUMNS = {
    "form": "string",
    "label": "string",
    "probability": "double",
    "label_set": "string",
    "unknown": "string",
}
RANKS = {"labels": "string", "probabilities": "double"}
_LISTS = [
    {"name": n, "items": {"type": kind}, "type": "array", "required": False} for n, kind in RANKS.items()
]
SIGNATURE = {
    "inputs": json.dumps([{"type": "string"}]),  # with a name to it, MLflow would refuse a list
    "outputs": json.dumps([{"name": n, "type": kind} for n, kind in COLUMNS.items()] + _LISTS),
    "params": json.dumps([{"name": "top_k", "type": "long", "default": 1, "shape": None}]),
}
"""Of the logged model, as MLflow stores it."""


def example(manifest: Mapping[str, Any]) -> tuple[list[str], dict[str, int]]:
    """What a logged model is called with, for people to see: words, with features where they are needed."""
    bundles = manifest["vocabulary"].get("bundles", ())
    pairs = "\t" in manifest["vocabulary"]["symbols"]
    words = ["ház\tházból", "kert\tkertet"] if pairs else ["ház" if bundles else "házból", "kertet"]
    if bundles:
        words = [f"{words[0]}\t{bundle}" for bundle in bundles[:2]]
    return words, {"top_k": 2}


class Served:
    """What the model that MLflow loads hands its input to."""

    def __init__(self, predictor: Predictor | SequencePredictor) -> None:
        """Wraps a predictor."""
        self.predictor = predictor

    def predict(
        self, model_input: pd.DataFrame | Iterable[str], params: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Predicts the labels of words.

        Args:
            model_input: words, or a table of them: its column ``form``, or its only column.
            params: ``top_k``, labels a word (default: 1; all if there are fewer).

        Returns:
            A row a word: form, label, probability, label_set, unknown. If ``top_k`` is more than 1, also
            labels and probabilities: lists, the most probable first.

        Raises:
            DataError: if a word is not text, or there is no such column.
            ParamsError: if ``top_k`` is not a whole number of 1 or more.
        """
        top_k = (params or {}).get("top_k", 1)
        if isinstance(top_k, bool) or not hasattr(top_k, "__index__"):  # MLflow's are NumPy's
            raise ParamsError(f"top_k: expected 1 label a word or more, found {str(top_k)[:40]}")
        forms = list(_column(model_input))
        records = [prediction.record(top_k > 1) for prediction in self.predictor.predict(forms, int(top_k))]
        return pd.DataFrame(records, columns=[*COLUMNS, *(RANKS if top_k > 1 else ())])


def load(checkpoint: Path) -> Served:
    """Loads the checkpoint of a logged model.

    Raises:
        CheckpointError: if it cannot be used.
    """
    from esetrag import predict

    return Served(predict.load(checkpoint))


def _column(model_input: pd.DataFrame | Iterable[str]) -> Iterable[Any]:
    if not isinstance(model_input, pd.DataFrame):
        return model_input
    columns = list(model_input.columns)
    if {"first", "second"} <= {*columns}:
        parts = [model_input[name] for name in ("first", "second", "features") if name in columns]
        return ["\t".join(map(str, texts)) for texts in zip(*parts, strict=True)]
    if columns.count("form") != 1 and len(columns) != 1:
        raise DataError(f"expected a column form, found {str(columns)[:60]}")
    return list(model_input["form"] if columns.count("form") == 1 else model_input.iloc[:, 0])
