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
    "outputs": json.dumps([{"name": n, "type": kind} for n, kind in COLUMNS.items()] + _LISTS),
    "params": json.dumps([{"name": "top_k", "type": "long", "default": 1, "shape": None}]),
}
"""Of the logged model, as MLflow stores it. It says nothing of the input: of a table MLflow would hand on the
first columns, whatever they are called, or refuse a list if they had names."""


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
            model_input: words, or a table of them: the columns that a query is made of, or else its column
                ``form`` of whole queries, or its only column.
            params: ``top_k``, labels a word (default: 1; all if there are fewer).

        Returns:
            A row a word: form, label, probability, label_set, unknown. If ``top_k`` is more than 1, also
            labels and probabilities: lists, the most probable first.

        Raises:
            DataError: if a word is not text, or there is no such column.
            ParamsError: if ``top_k`` is not a whole number of 1 or more.
        """
        from esetrag.predict import queries  # imports PyTorch

        top_k = (params or {}).get("top_k", 1)
        if isinstance(top_k, bool) or not hasattr(top_k, "__index__"):  # MLflow's are NumPy's
            raise ParamsError(f"top_k: expected 1 label a word or more, found {str(top_k)[:40]}")
        forms = list(_column(model_input, queries.parts(self.predictor.checkpoint.vocabulary)))
        records = [prediction.record(top_k > 1) for prediction in self.predictor.predict(forms, int(top_k))]
        return pd.DataFrame(records, columns=[*COLUMNS, *(RANKS if top_k > 1 else ())])


def load(checkpoint: Path) -> Served:
    """Loads the checkpoint of a logged model.

    Raises:
        CheckpointError: if it cannot be used.
    """
    from esetrag import predict

    return Served(predict.load(checkpoint))


def _column(model_input: Any, parts: list[str]) -> Iterable[Any]:
    """The queries of an input; ``parts`` are the columns that one is made of."""
    if isinstance(model_input, str):
        return [model_input]
    if isinstance(model_input, Mapping) and all(isinstance(text, str) for text in model_input.values()):
        model_input = [model_input]  # a record
    if not isinstance(model_input, pd.DataFrame):
        model_input = pd.DataFrame(model_input)
    if not len(model_input):
        return []
    columns = list(model_input.columns)
    if len(parts) > 1 and all(columns.count(name) == 1 for name in parts):
        rows = zip(*(model_input[name] for name in parts), strict=True)
        return ["\t".join(row) if all(isinstance(text, str) for text in row) else row for row in rows]
    if columns.count("form") != 1 and len(columns) != 1:
        expected = " and ".join(parts)
        raise DataError(f"expected a column {expected}, found {str(columns)[:60]}")
    return list(model_input["form"] if columns.count("form") == 1 else model_input.iloc[:, 0])
