"""What the pages of a task are made from: the artifacts of its stages."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from esetrag.analysis import error_analysis, pair_errors, tag_errors, transduce_errors
from esetrag.analysis.error_analysis import Analysis
from esetrag.analysis.seen_in_training import SeenInTraining
from esetrag.core import config, files, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import history
from esetrag.training.history import Epoch

TEXTS = dict.fromkeys(("label", "model", "set", "examples"), "string")
"""Columns that hold text even where it looks like numbers."""


class Kind(NamedTuple):
    """How the artifacts of a kind of task are read."""

    predictions: Callable[[Vocabulary], pa.Schema]
    explained: pa.Schema
    """Of what the model uses."""
    analyse: Callable[[pa.Table, Vocabulary, SeenInTraining], Analysis]


_CLASSIFY = Kind(
    lambda vocabulary: tables.predictions(list(vocabulary.labels)),
    tables.ATTRIBUTIONS,
    error_analysis.analyse,
)
KINDS = {
    "classify": _CLASSIFY,
    "tag_words": _CLASSIFY,
    "pair": _CLASSIFY._replace(
        analyse=partial(error_analysis.analyse, kinds=pair_errors.kinds, meanings=pair_errors.KINDS)
    ),
    "tag": Kind(
        lambda _: tables.TRANSDUCTIONS,
        tables.TAGGED,
        lambda predictions, vocabulary, _: transduce_errors.analyse(
            predictions, vocabulary, tag_errors.TAGGING
        ),
    ),
    "transduce": Kind(
        lambda _: tables.TRANSDUCTIONS,
        tables.ATTENTION,
        lambda predictions, vocabulary, _: transduce_errors.analyse(predictions, vocabulary),
    ),
}


@dataclass(frozen=True)
class Context:
    """All artifacts of one task."""

    layout: Layout
    options: config.ErrorAnalysis
    data: dict[str, Any]
    test: dict[str, Any]
    manifest: dict[str, Any]
    """Of the checkpoint."""
    epochs: list[Epoch]
    seen: SeenInTraining
    predictions: pa.Table
    """``tables.predictions``."""
    attributions: pa.Table
    """``tables.ATTRIBUTIONS``."""
    analysis: Analysis

    @classmethod
    def read(cls, layout: Layout, options: config.ErrorAnalysis) -> Context:
        """Reads the artifacts and analyses the errors.

        Raises:
            DataError: if an artifact is missing or damaged.
        """
        vocabulary = Vocabulary.read(layout.vocab)
        path = layout.metrics / "data.json"
        data = files.read_json(path)
        try:
            kind = KINDS[config.kind_key(data["task"])]
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{path}: not the files of this version ({error!r}); make it anew: dvc repro -f"
            ) from error
        predictions = tables.read(layout.predictions, kind.predictions(vocabulary))
        seen = SeenInTraining.read(layout, vocabulary)
        return cls(
            layout=layout,
            options=options,
            data=data,
            test=files.read_json(layout.metrics / "test.json"),
            manifest=files.read_json(layout.manifest),
            epochs=history.read(layout.history),
            seen=seen,
            predictions=predictions,
            attributions=tables.read(layout.attributions, kind.explained),
            analysis=kind.analyse(predictions, vocabulary, seen),
        )

    @property
    def noun(self) -> str:
        """What the test rows are."""
        return {"pair": "pairs", "tag_words": "words"}.get(config.kind_key(self.data["task"]), "forms")

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file of the task's metrics."""
        content: dict[str, Any] = files.read_json(self.layout.metrics / name)
        return content

    def csv(self, name: str) -> pd.DataFrame:
        """A table of the task's metrics; ``.tsv`` is separated by tabs and has no quotes.

        Raises:
            DataError: if it is missing or not such a table.
        """
        path = self.layout.metrics / name
        options: dict[str, Any] = {"dtype": TEXTS}
        if path.suffix == ".tsv":
            options = {"dtype": "string", "sep": "\t", "quoting": csv.QUOTE_NONE}
        try:
            frame: pd.DataFrame = pd.read_csv(path, keep_default_na=False, na_values=[""], **options)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: expected a table ({error}); make it anew: dvc repro -f") from error
        return frame
