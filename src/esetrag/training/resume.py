"""The saved state of a training, from which one that was stopped goes on to the same bits.

It lies outside DVC's outputs, which DVC deletes before it runs a stage. Tensors are in
safetensors; a small JSON file vouches for them and names what is being trained. The clock decides
when a state is saved, never what comes of the training.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import safetensors.torch
import torch
from pydantic import Field, ValidationError

from esetrag import __version__
from esetrag.core import config, files, versions
from esetrag.core.errors import DataError
from esetrag.core.streams import tell
from esetrag.training.history import Epoch

Tensors = dict[str, torch.Tensor]

EVERY = 3.0
"""Seconds of training between two states; a kill costs no more than these and an epoch."""
COST = 50
"""A large state is saved more rarely: training goes on for this many times as long as saving took."""
GENERATIONS = 2
"""One is whole while the other is being replaced."""


@dataclass(frozen=True)
class Snapshot:
    """A training between two epochs."""

    epochs: list[Epoch]
    """Those that are over; the best one and how long ago it was follow from them."""
    kept: Tensors
    """The network's weights at the end of the best epoch."""
    tensors: Tensors
    """Of the course: weights, optimiser."""
    account: dict[str, Any]
    """The rest of the course: schedule, epochs done."""


class Seal(config.Section):
    """What vouches for the file of a snapshot."""

    format: Literal[1]
    key: str
    """Of what is being trained."""
    epoch: Annotated[int, Field(ge=0)]
    size: Annotated[int, Field(ge=0)]
    sha256: str


def key(inputs: Sequence[Path], sections: Sequence[config.Section]) -> str:
    """A digest of all that the course of a training depends on.

    Args:
        inputs: the files it reads.
        sections: the parameters it reads.
    """
    package = Path(__file__).parents[1]
    sources = sorted(package.rglob("*.py"))
    content = {
        "files": {path.as_posix(): files.sha256(path) for path in inputs},
        "params": {type(section).__name__: section.model_dump() for section in sections},
        "versions": {"esetrag": __version__, "python": platform.python_version(), **versions.installed()},
        "code": {path.relative_to(package).as_posix(): files.sha256(path) for path in sources},
        # Another processor rounds in another order.
        "machine": [torch.backends.cpu.get_cpu_capability(), torch.cuda.is_available()],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class SavedStates:
    """The saved states of one training; one process at a time may use them."""

    def __init__(self, folder: Path, key: str, every: float = EVERY) -> None:
        """Begins the time to the first state.

        Args:
            folder: holds the states and nothing else.
            key: of what is being trained.
            every: seconds between two states; 0 saves one after each epoch.
        """
        self.folder = folder
        self.key = key
        self.every = every
        self.turn = 0  # the generation to be replaced next
        self.due = time.monotonic() + every
        self.failed = False

    def newest(self) -> Snapshot | None:
        """The newest state that is whole and of this training; says in one line which it is, or why none."""
        for left in self.folder.glob(".*"):  # of a writer that was killed
            left.unlink(missing_ok=True)
        seals, unused = [], []
        for turn in range(GENERATIONS):
            try:
                if self._seal(turn).exists():
                    seals.append((Seal.model_validate(files.read_json(self._seal(turn))), turn))
            except (DataError, ValidationError):
                unused.append("damaged")
        for seal, turn in sorted(seals, key=lambda pair: pair[0].epoch, reverse=True):
            if seal.key != self.key:
                unused.append("of another configuration")
                continue
            try:
                snapshot = _read(self._tensors(turn), seal)
            except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError):
                unused.append("damaged")
                continue
            self.turn = 1 - turn
            self._say(f"goes on after epoch {seal.epoch}", unused)
            return snapshot
        if unused:
            self._say("begins anew", unused)
        return None

    def reached(self, snapshot: Callable[[], Snapshot]) -> None:
        """Saves the state at the end of an epoch, if it is time to.

        Args:
            snapshot: makes the state.
        """
        if time.monotonic() >= self.due:
            self.save(snapshot())

    def save(self, snapshot: Snapshot) -> None:
        """Saves a state in the place of the older one; where that fails, the training goes on without."""
        began = time.monotonic()
        account = {"epochs": [astuple(epoch) for epoch in snapshot.epochs], "course": snapshot.account}
        tensors = {**named("kept", snapshot.kept), **named("course", snapshot.tensors)}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        tensors["account"] = torch.frombuffer(bytearray(json.dumps(account).encode()), dtype=torch.uint8)
        data = safetensors.torch.save(tensors)
        seal = Seal(
            format=1,
            key=self.key,
            epoch=snapshot.epochs[-1].epoch,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        try:
            files.write_bytes(self._tensors(self.turn), data)
            files.write_json(self._seal(self.turn), seal.model_dump())
            self.turn = 1 - self.turn
        except (DataError, OSError) as error:
            if not self.failed:
                tell(f"training: its state is not saved ({error})")
            self.failed = True
        now = time.monotonic()
        self.due = now + (max(self.every, COST * (now - began)) if self.every else 0)

    def clear(self) -> None:
        """Removes the states, when the results of the training are there."""
        for turn in range(
            GENERATIONS
        ):  # first what makes them states: a kill in between leaves none half there
            with contextlib.suppress(OSError):
                self._seal(turn).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _seal(self, turn: int) -> Path:
        return self.folder / f"state-{turn}.json"

    def _tensors(self, turn: int) -> Path:
        return self.folder / f"state-{turn}.safetensors"

    def _say(self, text: str, unused: list[str]) -> None:
        ignored = f"; saved state ignored: {', '.join(dict.fromkeys(unused))}" if unused else ""
        tell(f"training: {text}{ignored} ({self.folder})")


def _read(path: Path, seal: Seal) -> Snapshot:
    """Reads a snapshot.

    Raises:
        ValueError: if the file is not the one sealed; others where its maker sealed something else.
    """
    data = path.read_bytes()
    if len(data) != seal.size or hashlib.sha256(data).hexdigest() != seal.sha256:
        raise ValueError("not the file that was sealed")
    # Copied: as views of one buffer they would not lie where vector instructions want them.
    tensors = {name: tensor.clone() for name, tensor in safetensors.torch.load(data).items()}
    account = json.loads(np.asarray(tensors["account"]).tobytes())
    epochs = [Epoch(*row) for row in account["epochs"]]
    if epochs[-1].epoch != seal.epoch:
        raise ValueError("not the epoch that was sealed")
    return Snapshot(epochs, under("kept", tensors), under("course", tensors), account["course"])


def named(prefix: str, tensors: Tensors) -> Tensors:
    """Tensors under names that begin with a prefix."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def under(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with a prefix, without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
