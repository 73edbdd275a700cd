"""A trained reader on disk: weights in safetensors, everything else in a manifest that vouches for them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import safetensors.torch
import torch
from pydantic import Field, ValidationError

from esetrag import __version__
from esetrag.core import config, files, versions
from esetrag.core.errors import CheckpointError, DataError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.models.network import Network, empty, shapes, sound
from esetrag.scoring.calibration import Calibration
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary

LARGEST = 2**32
"""Bytes of weights; a hundred times those of the largest reader of any language so far."""


class Weights(config.Section):
    """What the manifest says of the weights' file."""

    size: Annotated[int, Field(ge=0, le=LARGEST)]
    sha256: str


class Encoding(config.Section):
    """How forms become rows of ids."""

    width: Annotated[int, Field(gt=encoding.MARKS, le=encoding.MAX_WIDTH)]
    """Symbols a row, BOS and EOS counted."""
    keep: Literal["end", "start"]
    """Which end of a longer form is read."""


class Calibrated(config.Section):
    """What was fitted on dev (``calibration.Calibration``)."""

    temperature: Annotated[float, Field(ge=0.01, le=100)]
    exponent: Annotated[float, Field(ge=0.01, le=100)]
    ratio: Annotated[float, Field(gt=0, le=1)]
    threshold: Annotated[float, Field(ge=0, le=1)]


class Manifest(config.Section):
    """All of a checkpoint but its weights."""

    format: Literal[2]
    weights: Weights
    model: config.Model
    encoding: Encoding
    calibration: Calibrated
    vocabulary: dict[str, Any]
    training: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class Checkpoint:
    """What is needed to read a form, and how it was trained."""

    network: Network
    vocabulary: Vocabulary
    manifest: Manifest


def save(
    folder: Path,
    network: Network,
    vocabulary: Vocabulary,
    encoded: encoding.Encoded,
    model: config.Model,
    training: dict[str, Any],
    calibration: Calibration,
) -> None:
    """Writes weights and manifest, the manifest last: a folder without one is no checkpoint.

    Args:
        folder: where to.
        network: its weights are saved as they are on the CPU.
        vocabulary: symbols and labels.
        encoded: the training rows, for their width and the end they keep.
        model: the shape of the network.
        training: how it was trained; JSON, without anything of clock or machine.
        calibration: what was fitted on dev.

    Raises:
        CheckpointError: if the weights are too large to be read again.
        DataError: if the folder cannot be written.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    # One metadata key: with two, safetensors writes them in an order that differs between processes.
    data = safetensors.torch.save(weights, {"format": "pt"})
    if len(data) > LARGEST:
        raise CheckpointError(f"{folder}: expected weights of {LARGEST:,} bytes at most, found {len(data):,}")
    files.write_bytes(folder / WEIGHTS, data)
    manifest = Manifest(
        format=2,
        weights=Weights(size=len(data), sha256=files.sha256(folder / WEIGHTS)),
        model=model,
        encoding=Encoding(width=encoded.ids.shape[1], keep=encoded.keep),
        calibration=Calibrated(**asdict(calibration)),
        vocabulary=vocabulary.to_json(),
        training=training,
        versions={"esetrag": __version__, **versions.installed()},
    )
    files.write_json(folder / MANIFEST, manifest.model_dump())


def load(folder: Path) -> Checkpoint:
    """Reads a checkpoint, trusting nothing: sizes, hashes, shapes and values are checked, no code is run.

    Raises:
        CheckpointError: if it is missing or not what its manifest says.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate(files.read_json(path))
        vocabulary = Vocabulary.from_json(manifest.vocabulary, path)
    except DataError as error:
        raise CheckpointError(f"{error}; make it: dvc repro") from error
    except ValidationError as error:
        raise CheckpointError(
            f"{path}: not a checkpoint's manifest: {config.explain(error, Manifest)}"
        ) from error
    return Checkpoint(_network(folder / WEIGHTS, manifest, vocabulary), vocabulary, manifest)


def _network(path: Path, manifest: Manifest, vocabulary: Vocabulary) -> Network:
    mend = "make it anew: dvc repro -f"
    try:
        size = path.stat().st_size
        if size != manifest.weights.size:
            raise CheckpointError(
                f"{path}: expected {manifest.weights.size} bytes by its manifest, found {size}; {mend}"
            )
        if files.sha256(path) != manifest.weights.sha256:
            raise CheckpointError(f"{path}: its SHA-256 is not the one in its manifest; {mend}")
        weights = safetensors.torch.load(path.read_bytes())
        found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
        sizes = (len(vocabulary.symbols), len(vocabulary.labels), manifest.model, found)
        # Compared before anything is made: a manifest may ask for more than fits into memory.
        if found != shapes(*sizes):
            raise CheckpointError(f"{path}: not the weights of this network (other names or shapes); {mend}")
        network = empty(*sizes)
        network.load_state_dict(weights, strict=True)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    except MemoryError as error:
        raise CheckpointError(f"{path}: {found:,} bytes of weights do not fit into memory") from error
    except (safetensors.SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise CheckpointError(f"{path}: not the weights of this network ({reason}); {mend}") from error
    kinds = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    for name, tensor in weights.items():
        if tensor.dtype != kinds[name]:
            raise CheckpointError(f"{path}: {name}: expected {kinds[name]}, found {tensor.dtype}; {mend}")
    if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
        raise CheckpointError(f"{path}: holds NaN or infinite weights; {mend}")
    if not sound(network):
        raise CheckpointError(f"{path}: expected n-grams and changes in ascending order, each once; {mend}")
    return network.eval()
