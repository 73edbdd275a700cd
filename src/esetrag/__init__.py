"""esetrag reads a grammatical feature off an isolated word form.

``Predictor`` reads words with a checkpoint. The packages follow the way of the data, from ``corpus`` on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esetrag.predict.predictor import Predictor as Predictor

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Predictor":  # PyTorch is imported only for whom wants to read
        from esetrag.predict.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
