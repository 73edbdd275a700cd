"""The reader as MLflow loads it: a table with a column ``form`` in, label and probability out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from esetrag.reader import Reader


class Served:
    """What MLflow calls."""

    def __init__(self, reader: Reader) -> None:
        """Wraps a reader."""
        self.reader = reader

    def predict(
        self,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 MLflow hands it over by name
    ) -> pd.DataFrame:
        """Reads the forms of the column ``form``; there are no ``params``."""
        readings = self.reader.predict([str(form) for form in model_input["form"]])
        return pd.DataFrame(
            {
                "label": [read.labels[0] for read in readings],
                "probability": [read.probabilities[0] for read in readings],
            }
        )


def _load_pyfunc(path: str) -> Served:
    """Entry point of MLflow's pyfunc flavour."""
    return Served(Reader.load(Path(path)))
