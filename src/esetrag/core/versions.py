"""The libraries whose versions are part of a result."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from esetrag.core import files

LIBRARIES = ("numpy", "pandas", "pyarrow", "safetensors", "tokenizers", "torch")


def installed() -> dict[str, str]:
    """Those at hand."""
    return {name: version(name) for name in LIBRARIES}


def of(manifest: Path) -> dict[str, str]:
    """Those that a checkpoint was trained with.

    Args:
        manifest: of the checkpoint. Where it does not name a library, the version at hand stands in.

    Raises:
        DataError: if it is not there or not JSON.
    """
    kept = files.read_json(manifest)["versions"]
    return {name: kept.get(name, number) for name, number in installed().items()}
