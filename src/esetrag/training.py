"""Trains the network: epochs over shuffled batches, the best state by dev loss kept."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from esetrag import history, params
from esetrag.batches import Batch, score
from esetrag.encoding import MARKS, UNSEEN, Encoded, Keep
from esetrag.errors import TrainingError
from esetrag.history import Epoch
from esetrag.model import LstmClassifier
from esetrag.vocab import BOS, EOS, PAD, Vocabulary

MIN_KEPT = 3
"""Symbols of a form that cropping leaves at the least."""
_WEIGHTS, _ORDER, _CROP, _DROPOUT = range(4)  # one stream of chance for each use


@dataclass(frozen=True)
class Trained:
    """The outcome of training."""

    network: LstmClassifier
    """With the weights of the best epoch."""
    epochs: list[Epoch]
    device: str
    """Kind of device it was trained on."""


def choose_device(name: str) -> torch.device:
    """``auto`` is a GPU if there is one; any other name is taken as it is.

    Raises:
        TrainingError: if the device named is not there.
    """
    available = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(available if name == "auto" else name)
    except RuntimeError as error:
        raise TrainingError(f"params.yaml: train.device: no device is called {name}") from error
    count = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if (device.index or 0) >= count[device.type]:
        raise TrainingError(
            f"params.yaml: train.device: no {name} on this machine; auto would take {available}"
        )
    return device


def measure(network: LstmClassifier, rows: Batch) -> tuple[float, float]:
    """Loss and accuracy of a network on some rows."""
    return loss_and_accuracy(score(network, rows), rows.labels)


def loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean cross-entropy over the rows whose label is known, and accuracy over all rows.

    A row of an unseen label has no cross-entropy and counts as misread.

    Args:
        logits: (rows, labels)
        labels: (rows,) with UNSEEN.

    Returns:
        Loss in nats, 0 if no label is known; accuracy as a share.
    """
    known = int((labels != UNSEEN).sum())
    total = functional.cross_entropy(logits, labels, ignore_index=UNSEEN, reduction="sum")
    right = int((logits.argmax(1) == labels).sum())
    return float(total) / max(known, 1), right / max(len(labels), 1)


def fit(
    train: Encoded,
    dev: Encoded,
    vocabulary: Vocabulary,
    model: params.Model,
    how: params.Train,
    listeners: Sequence[Callable[[Epoch], None]] = (),
) -> Trained:
    """Trains a network.

    The same rows, parameters, thread count and library versions give the same weights to the bit
    on one kind of machine.

    Args:
        train: training rows.
        dev: rows that choose the epoch, and stop the training early if ``how.patience`` is set.
        vocabulary: symbols and labels.
        model: shape of the network.
        how: optimisation.
        listeners: are told of every epoch when it ends.

    Raises:
        TrainingError: if the loss is no longer a number.
    """
    torch.set_num_threads(how.threads)
    device = choose_device(how.device)
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic cuBLAS needs
        torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_seed(how, _WEIGHTS))
            network = LstmClassifier(len(vocabulary.symbols), len(vocabulary.labels), model).to(device)
    except (MemoryError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise TrainingError(f"no room for the network ({reason}); lower model.hidden or layers") from error
    train_rows, dev_rows = Batch.of(train, device), Batch.of(dev, device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    schedule = _schedule(optimizer, how, math.ceil(len(train) / how.batch_size))

    def record(number: int, running: tuple[float, float], rate: float) -> None:
        epochs.append(Epoch(number, *running, *measure(network, dev_rows), rate))
        if not all(math.isfinite(value) for value in astuple(epochs[-1])):
            raise TrainingError(
                f"the loss is no longer a number in epoch {number}; lower train.learning_rate"
            )
        for listener in listeners:
            listener(epochs[-1])

    epochs: list[Epoch] = []
    record(0, measure(network, train_rows), 0.0)  # an untrained network must be about as good as chance
    kept = _copy(network)
    for number in range(1, how.epochs + 1):
        rate = optimizer.param_groups[0]["lr"]
        record(number, _train_epoch(network, train_rows, optimizer, schedule, how, train.keep, number), rate)
        best = history.best(epochs).epoch
        if best == number:
            kept = _copy(network)
        elif how.patience is not None and number - best >= how.patience:
            break
    network.load_state_dict(kept)
    return Trained(network, epochs, device.type)


def _train_epoch(
    network: LstmClassifier,
    rows: Batch,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None,
    how: params.Train,
    keep: Keep,
    number: int,
) -> tuple[float, float]:
    """Trains once over all rows; returns the running loss and accuracy."""
    network.train()
    device = rows.lengths.device
    if how.crop:
        rows = crop(rows, how.crop, keep, np.random.default_rng([how.seed, _CROP, number]))
    order = np.arange(len(rows))
    if how.shuffle:
        order = np.random.default_rng([how.seed, _ORDER, number]).permutation(len(rows))
    total, right = torch.zeros((), device=device), torch.zeros((), device=device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(_seed(how, _DROPOUT, number))
        for some in torch.from_numpy(order).to(device).split(how.batch_size):
            batch = rows[some]
            logits = network(batch.ids, batch.lengths)
            loss = functional.cross_entropy(logits, batch.labels, label_smoothing=how.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if how.clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), how.clip)
            optimizer.step()
            if schedule is not None:
                schedule.step()
            with torch.no_grad():  # the curve shows the plain loss, to be compared with dev's
                total += functional.cross_entropy(logits, batch.labels, reduction="sum")
            right += (logits.argmax(1) == batch.labels).sum()
    return float(total) / len(rows), float(right) / len(rows)


def crop(rows: Batch, share: float, keep: Keep, chance: np.random.Generator) -> Batch:
    """Cuts a random number of symbols off some forms, so that no stem is learnt by heart.

    Args:
        rows: training rows.
        share: of the rows that are cut; each loses 0 to all but ``MIN_KEPT`` of its symbols.
        keep: the end of a form that stays.
        chance: where the randomness comes from.
    """
    most = np.maximum(rows.lengths.cpu().numpy() - MARKS - MIN_KEPT, 0)
    chosen = chance.random(len(rows)) < share
    cut = np.where(chosen, (chance.random(len(rows)) * (most + 1)).astype(np.int64), 0)
    lost = torch.from_numpy(cut).to(rows.lengths.device)
    lengths = rows.lengths - lost
    width = rows.ids.shape[1]
    column = torch.arange(width, device=lost.device)
    skipped = lost[:, None] if keep == "end" else 0
    ids = rows.ids.gather(1, (column + skipped).clamp_max(width - 1).expand(len(rows), width))  # (n, t)
    ids[:, 0] = BOS
    ids.scatter_(1, (lengths - 1)[:, None], EOS)
    return Batch(ids.masked_fill(column >= lengths[:, None], PAD), lengths, rows.labels)


def _schedule(
    optimizer: torch.optim.Optimizer, how: params.Train, batches: int
) -> torch.optim.lr_scheduler.LRScheduler | None:
    if how.schedule == "constant":
        return None
    # Smith and Topin (2018), Super-Convergence: up to the learning rate, then down to nothing.
    steps = batches * how.epochs
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, how.learning_rate, total_steps=max(steps, 2))


def _seed(how: params.Train, *stream: int) -> int:
    return int(np.random.SeedSequence([how.seed, *stream]).generate_state(1)[0])


def _copy(network: LstmClassifier) -> dict[str, Any]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
