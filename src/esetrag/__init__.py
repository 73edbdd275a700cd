"""esetrag reads a grammatical feature off an isolated word form.

``Reader`` reads words with a checkpoint. The packages follow the way of the data, from ``corpus`` on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esetrag.predicting.reader import Reader as Reader

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Reader":  # PyTorch is imported only for whom wants to read
        from esetrag.predicting.reader import Reader

        return Reader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
