"""The epochs of a training, whatever the model: measured on dev, the best one kept, the state saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any

import torch
from torch import Tensor

from esetrag.core import files
from esetrag.core.errors import TrainingError
from esetrag.models.network import Network, parts
from esetrag.symbols.batch import Batch
from esetrag.training import history
from esetrag.training.history import Epoch
from esetrag.training.resume import SavedStates, Snapshot

State = Callable[[], tuple[dict[str, Tensor], dict[str, Any]]]
"""Gives what the coming epochs depend on: tensors by name, and the rest as JSON."""


class Loop:
    """Records epochs.

    Attributes:
        epochs: those that are over; number 0 is the network before training.
    """

    def __init__(
        self,
        dev: Batch,
        patience: int | None = None,
        listeners: Sequence[Callable[[Epoch], None]] = (),
        saved: SavedStates | None = None,
    ) -> None:
        """No epoch has run.

        Args:
            dev: rows that choose the epoch.
            patience: epochs without a lower dev loss after which training stops; None never stops it.
            listeners: receive every epoch when it ends, those before a resumption included. One that
                raises stops the training, whose state is saved first.
            saved: states of the same training, from the newest of which it resumes to the same bytes.
        """
        self.dev, self.patience, self.listeners, self.saved = dev, patience, listeners, saved
        self.epochs: list[Epoch] = []
        self._best: dict[str, Tensor] = {}  # weights at the end of the best epoch

    def begin(self, network: Network, rows: Batch) -> Snapshot | None:
        """Measures the untrained network, which must be about as good as chance, or finds a saved state.

        Args:
            network: is changed in place by the training.
            rows: training rows.

        Returns:
            The state to go on from; None at the beginning.
        """
        self.network, self.dev = network, self.dev.to(rows.device)
        snapshot = self.saved.newest() if self.saved else None
        if snapshot is None:
            self.record(*measure(network, rows), 0.0)
            return None
        self.epochs, self._best = snapshot.epochs, snapshot.kept
        for epoch in self.epochs:
            for listener in self.listeners:
                listener(epoch)
        return snapshot

    def record(self, loss: float, accuracy: float, rate: float, state: State | None = None) -> None:
        """Ends an epoch.

        Args:
            loss: on the training rows, in nats.
            accuracy: on the training rows.
            rate: learning rate at the start of the epoch.
            state: gives what is saved; None saves nothing.

        Raises:
            TrainingError: if a loss is not a number any more.
        """
        number = len(self.epochs)
        epoch = Epoch(number, *files.rounded([loss, accuracy, *measure(self.network, self.dev), rate]))
        if not all(math.isfinite(value) for value in astuple(epoch)):
            raise TrainingError(
                f"the loss is no longer a number in epoch {number}; lower train.learning_rate, "
                "train.weight_decay or the model's penalty"
            )
        self.epochs.append(epoch)
        if history.best(self.epochs).epoch == number:
            weights = self.network.state_dict()
            self._best = {name: tensor.detach().clone() for name, tensor in weights.items()}

        def snapshot() -> Snapshot:
            return Snapshot(self.epochs, self._best, *(state() if state else ({}, {})))

        if self.saved and state:
            self.saved.reached(snapshot)
        try:
            for listener in self.listeners:
                listener(epoch)
        except BaseException:
            if self.saved and state:
                self.saved.save(snapshot())
            raise

    @property
    def is_over(self) -> bool:
        """Whether patience is exhausted."""
        # Not history.best: that is a later one, as long as the loss hardly moves.
        lowest = min(self.epochs[1:] or self.epochs, key=lambda epoch: epoch.dev_loss).epoch
        return self.patience is not None and self.epochs[-1].epoch - lowest >= self.patience

    def end(self) -> None:
        """Gives the network the weights of the best epoch."""
        self.network.load_state_dict(self._best)


def measure(network: Network, rows: Batch) -> tuple[float, float]:
    """Loss and accuracy on some rows.

    A row without a known label has no loss and counts as misclassified.

    Returns:
        Mean cross-entropy in nats (0 without rows); share of the rows whose top label is theirs.
    """
    network.eval()
    total, known, hits = 0.0, 0, 0.0
    with torch.inference_mode():
        for part in parts(rows, network.at_once):
            batch = rows[part]
            logits, is_known = network(batch), network.known(batch.target)
            total += float(network.loss(logits, batch.target)[is_known].sum())
            known += int(is_known.sum())
            hits += float(network.correct(logits, batch.target).sum())
    return total / max(known, 1), hits / max(len(rows), 1)
