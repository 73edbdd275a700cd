"""esetrag learns morphology from characters: it classifies, inflects, lemmatises and tags words.

``Predictor`` applies a trained model that classifies words; ``predict.load`` finds what applies any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esetrag.predict.predictor import Predictor as Predictor

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Predictor":  # imports PyTorch: only for who uses it
        from esetrag.predict.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
