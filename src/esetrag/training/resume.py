"""The saved state of a training, from which one that was stopped goes on to the same bits.

It lies outside DVC's outputs, which DVC deletes before it runs a stage. The file is a line with the SHA-256
of the rest, a line of JSON, and the tensors in safetensors. Only when a state is saved depends on the clock.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from esetrag import __version__
from esetrag.core import config, files, versions
from esetrag.core.errors import DataError
from esetrag.core.streams import tell
from esetrag.training.history import Epoch

Tensors = dict[str, torch.Tensor]

EVERY = 3.0  # seconds of training between two states
PACKAGES = ("core", "scoring", "data", "symbols", "models", "training")  # whose code trains
COST = 50  # a large state is saved more rarely: after this many times as long as saving took


@dataclass(frozen=True)
class Snapshot:
    """A training between two epochs."""

    epochs: list[Epoch]
    """Those that are over; the best one and how long ago it was follow from them."""
    kept: Tensors
    """The network's weights at the end of the best epoch."""
    tensors: Tensors
    account: dict[str, Any]
    """With ``tensors``, what a training resumes from."""


def key(inputs: Sequence[Path], sections: Sequence[config.Section]) -> str:
    """A digest of all that a training depends on: files, parameters, code, libraries, kind of processor."""
    package = Path(__file__).parents[1]
    code = sorted(path for name in PACKAGES for path in (package / name).rglob("*.py"))
    content = {
        "files": [files.sha256(path) for path in (*inputs, *code)],
        "params": [section.model_dump() for section in sections],
        "versions": {"esetrag": __version__, "python": platform.python_version(), **versions.installed()},
        "machine": [torch.backends.cpu.get_cpu_capability(), torch.cuda.is_available()],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class SavedStates:
    """The saved state of one training; one process at a time may use it."""

    def __init__(self, folder: Path, key: str, every: float | None = None) -> None:
        """Starts the clock.

        Args:
            folder: holds the state and nothing else.
            key: of what is being trained.
            every: seconds between two states, ``EVERY`` unless given; 0 saves one after each epoch.
        """
        self.folder, self.key, self.failed = folder, key, False
        self.every = EVERY if every is None else every
        self.due = time.monotonic() + self.every

    def newest(self) -> Snapshot | None:
        """The state, if it is whole and of this training; one line on standard error says so, or why not."""
        if not (self.folder / "state").is_file():
            return None
        digest, _, rest = (self.folder / "state").read_bytes().partition(b"\n")
        about, _, data = rest.partition(b"\n")
        content = json.loads(about) if digest == _digest(rest) else {}
        if content.get("key") != self.key:
            reason = "of another configuration" if content else "damaged"
            tell(f"training: starts anew, since the saved state is {reason} ({self.folder})")
            return None
        # Copied: as views of one buffer they would not lie where vector instructions want them.
        tensors = {name: tensor.clone() for name, tensor in safetensors.torch.load(data).items()}
        epochs = [Epoch(*row) for row in content["epochs"]]
        tell(f"training: goes on after epoch {epochs[-1].epoch} ({self.folder})")
        return Snapshot(epochs, under("kept", tensors), under("course", tensors), content["account"])

    def reached(self, snapshot: Callable[[], Snapshot]) -> None:
        """Saves the state that ``snapshot`` makes at the end of an epoch, if it is time to."""
        if time.monotonic() >= self.due:
            self.save(snapshot())

    def save(self, snapshot: Snapshot) -> None:
        """Saves a state in the place of the older one; where that fails, the training goes on without."""
        start = time.monotonic()
        epochs = [astuple(epoch) for epoch in snapshot.epochs]
        about = json.dumps({"key": self.key, "epochs": epochs, "account": snapshot.account}).encode()
        tensors = {**named("kept", snapshot.kept), **named("course", snapshot.tensors)}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        rest = about + b"\n" + safetensors.torch.save(tensors)
        try:
            files.write_bytes(self.folder / "state", _digest(rest) + b"\n" + rest)
        except DataError as error:
            if not self.failed:
                tell(f"training: its state is not saved ({error})")
            self.failed = True
        now = time.monotonic()
        self.due = now + (max(self.every, COST * (now - start)) if self.every else 0)

    def clear(self) -> None:
        """Removes the state, when the results of the training are there."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def named(prefix: str, tensors: Tensors) -> Tensors:
    """Tensors under names that begin with a prefix."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def under(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with a prefix, without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
