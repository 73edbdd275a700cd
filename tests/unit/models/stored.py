"""Checkpoints on disk, changed and refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from torch import Tensor

from esetrag.core.errors import CheckpointError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.models import checkpoint
from esetrag.scoring.calibration import Calibration

TRAINING = {"task": "toy", "epoch": 3, "threads": 1}
FITTED = Calibration(temperature=0.75, exponent=1.5, ratio=0.5, threshold=0.125)
MEND = "make it anew: dvc repro -f"
OTHER = "not the weights of this network (other names, shapes or types: "
UNSOUND = (
    "expected weights of experts >= 0, n-grams and changes in ascending order, each once, and a symbol "
    "between the texts or words that are read"
)
BLENDS = {
    "bilstm": ["bilstm", "lemmas"],
    "ngram": ["ngram", "lemmas"],
    "blend": ["bilstm", "ngram", "lemmas"],
}
Weights = dict[str, Tensor]


def refusal(folder: Path, file: str) -> str:
    """The message, without the path in front."""
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder / file}: "), "the file is named"
    assert "\n" not in text
    return text.removeprefix(f"{folder / file}: ")


def change_manifest(folder: Path, place: str, value: Any) -> None:
    content = json.loads((folder / MANIFEST).read_bytes())
    *sections, key = (int(part) if part.isdigit() else part for part in place.split("."))
    inner = content
    for section in sections:
        inner = inner[section]
    inner[key] = value
    (folder / MANIFEST).write_text(json.dumps(content))


def replace_weights(folder: Path, data: bytes) -> None:
    """Other weights, which the manifest vouches for."""
    (folder / WEIGHTS).write_bytes(data)
    change_manifest(folder, "weights", {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()})


def change_weights(folder: Path, change: Callable[[Weights], None]) -> None:
    weights = safetensors.torch.load((folder / WEIGHTS).read_bytes())
    change(weights)
    replace_weights(folder, safetensors.torch.save({name: w.contiguous() for name, w in weights.items()}))
