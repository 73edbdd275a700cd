"""Trains a neural network by gradient descent over shuffled batches."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from esetrag.core.config import GradientModel, Train
from esetrag.core.errors import TrainingError
from esetrag.models import checkpoint
from esetrag.models.network import Network
from esetrag.symbols.batch import Batch
from esetrag.training.augmentation import Augmentation
from esetrag.training.data import Data
from esetrag.training.loop import Loop
from esetrag.training.resume import named, under

RISE = 0.1
"""Share of the steps in which a one-cycle schedule rises; with PyTorch's 0.3 it learns later, not better."""
KEPT = 31 << 20
"""Bytes of the largest block that is kept for the next batch; glibc's own bound is 32 MiB."""
_WEIGHTS, _ORDER, _ANALOGY, _DROPOUT = range(4)  # one random stream for each use


def fit(
    data: Data, model: GradientModel, options: Train, augmentation: Augmentation | None, loop: Loop
) -> Network:
    """Trains by AdamW.

    Random numbers come from generators made anew for each epoch from its number, so that a training
    that was stopped resumes to the same bytes.

    Args:
        data: training rows and vocabulary.
        model: shape of the network.
        options: optimisation.
        augmentation: of the training rows; each epoch some of them give way to what it makes.
        loop: records the epochs.
    """
    device = choose_device(options.device)
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic cuBLAS needs
        torch.use_deterministic_algorithms(True)
    rows = Batch.of(data.train, device)
    network = untrained(data, model, options.seed).to(device)
    # Blocks as large as one that was given back are kept from then on. The memory of a batch of 512
    # would otherwise go back to the system each time and be paged in again: a third of the time.
    torch.empty(KEPT, dtype=torch.uint8)
    batches = math.ceil(len(rows) / options.batch_size)
    epochs = max(options.epochs, math.ceil(options.min_steps / max(batches, 1)))
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay, fused=True
    )
    schedule = _schedule(optimizer, options, batches * epochs)

    def state() -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        moments = optimizer.state_dict()
        tensors = named("network", network.state_dict())
        for place, values in moments["state"].items():
            tensors |= named(f"optimizer.{place}", values)
        return tensors, {
            "groups": moments["param_groups"],
            "schedule": schedule.state_dict() if schedule else None,
        }

    if snapshot := loop.begin(network, rows):
        network.load_state_dict(under("network", snapshot.tensors))
        places = range(len(list(network.parameters())))
        moments = {place: under(f"optimizer.{place}", snapshot.tensors) for place in places}
        optimizer.load_state_dict(
            {
                "state": {place: values for place, values in moments.items() if values},
                "param_groups": snapshot.account["groups"],
            }
        )
        if schedule:
            schedule.load_state_dict(snapshot.account["schedule"])
    share = options.analogies / max(len(rows) * epochs, 1)
    for number in range(len(loop.epochs), epochs + 1):
        if loop.is_over:
            break
        rate = optimizer.param_groups[0]["lr"]
        rng = np.random.default_rng([options.seed, _ANALOGY, number])
        mixed = augmentation.replace(rows, share, rng) if augmentation else rows
        loop.record(*_epoch(network, mixed, optimizer, schedule, options, number), rate, state)
    loop.end()
    return network.cpu()


def untrained(data: Data, model: GradientModel, seed: int) -> Network:
    """A network of random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_seed(seed, _WEIGHTS))
        return checkpoint.FACTORY[model.kind](model, data.vocabulary, {})


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


def draw(
    lengths: npt.NDArray[np.int64], options: Train, rng: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """The rows of each batch of an epoch, words of similar length together, so that little is padding.

    Args:
        lengths: (rows,) symbols.
        options: ``shuffle``, ``batch_size`` and ``pool``, over how many batches rows are sorted, are used.
        rng: source of random numbers.
    """
    order = rng.permutation(len(lengths)) if options.shuffle else np.arange(len(lengths))
    if options.pool > 1:
        pool = np.arange(len(lengths)) // (options.pool * options.batch_size)
        order = order[np.lexsort((lengths[order], pool))]
    batches = np.split(order, range(options.batch_size, len(order), options.batch_size))
    return [batches[place] for place in rng.permutation(len(batches))] if options.shuffle else batches


def _epoch(
    network: Network,
    rows: Batch,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None,
    options: Train,
    number: int,
) -> tuple[float, float]:
    """Trains once over all rows; returns the running loss and accuracy."""
    network.train()
    device = rows.device
    rng = np.random.default_rng([options.seed, _ORDER, number])
    total, hits = torch.zeros((), device=device), torch.zeros((), device=device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(_seed(options.seed, _DROPOUT, number))
        for places in draw(rows.source.lengths.cpu().numpy(), options, rng):
            batch = rows[torch.from_numpy(places).to(device)]
            logits = network(batch)  # (b, labels)
            losses = network.loss(logits, batch.target, options.label_smoothing)  # (b,)
            optimizer.zero_grad(set_to_none=True)
            (batch.weight * losses).mean().backward()
            if options.clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), options.clip)
            optimizer.step()
            if schedule is not None:
                schedule.step()
            with torch.no_grad():  # the curve shows the plain loss, to be compared with dev's
                total += network.loss(logits, batch.target).sum()
            hits += network.correct(logits, batch.target).sum()
    return float(total) / len(rows), float(hits) / len(rows)


def _schedule(
    optimizer: torch.optim.Optimizer, options: Train, steps: int
) -> torch.optim.lr_scheduler.LRScheduler | None:
    if options.schedule == "constant":
        return None
    # Smith and Topin (2018), Super-Convergence: up to the learning rate, then down to nothing.
    steps = max(steps, 2)
    rise = max(RISE, 1.5 / steps)  # PyTorch divides by the length of the rise less one
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.learning_rate, total_steps=steps, pct_start=rise
    )


def _seed(seed: int, *stream: int) -> int:
    return int(np.random.SeedSequence([seed, *stream]).generate_state(1)[0])
