"""Trains the LSTM by gradient descent over shuffled batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from esetrag.core import config
from esetrag.models import heads
from esetrag.models.bilstm import BiLSTM
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Keep
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training.epochs import Epochs, Tensors, named, under

RISE = 0.1
"""Share of the steps in which a one-cycle schedule rises; with PyTorch's 0.3 it learns later, not better."""
KEPT = 31 << 20
"""Bytes of the largest block that is kept for the next batch; glibc's own bound is 32 MiB."""
_WEIGHTS, _ORDER, _ANALOGY, _DROPOUT = range(4)  # one stream of chance for each use


def network(vocabulary: Vocabulary, model: config.Model, how: config.Train) -> BiLSTM:
    """A network of random weights.

    Args:
        vocabulary: symbols and labels.
        model: its shape.
        how: ``seed`` is read.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_seed(how, _WEIGHTS))
        return BiLSTM(len(vocabulary.symbols), len(vocabulary.labels), model)


class GradientDescent(Epochs):
    """Trains by AdamW."""

    def __init__(
        self, network: BiLSTM, rows: Batch, analogies: Analogies | None, keep: Keep, how: config.Train
    ) -> None:
        """Stands before the first epoch.

        Args:
            network: is changed in place.
            rows: training rows.
            analogies: of the same rows; each epoch some give way to forms made by analogy.
            keep: the end of a longer form that is read.
            how: optimisation.
        """
        self.network, self.rows, self.analogies, self.keep, self.how = network, rows, analogies, keep, how
        # Blocks as large as one that was given back are kept from then on. The memory of a batch of 512
        # would otherwise go back to the system each time and be paged in again: a third of the time.
        torch.empty(KEPT, dtype=torch.uint8)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay, fused=True
        )
        self.schedule = _schedule(self.optimizer, how, math.ceil(len(rows) / how.batch_size))
        self.done = 0

    def __next__(self) -> tuple[float, float, float]:
        if self.done == self.how.epochs:
            raise StopIteration
        self.done += 1
        rows, how, rate = self.rows, self.how, self.optimizer.param_groups[0]["lr"]
        if self.analogies is not None:
            share = min(how.analogies / (len(rows) * how.epochs), 1.0)
            chance = np.random.default_rng([how.seed, _ANALOGY, self.done])
            rows = mixed(rows, self.analogies, share, self.keep, chance)
        return *_epoch(self.network, rows, self.optimizer, self.schedule, how, self.done), rate

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Weights, the optimiser's moments, the schedule; chance depends on the number of the epoch alone."""
        optimizer = self.optimizer.state_dict()
        tensors = named("network", self.network.state_dict())
        for place, moments in optimizer["state"].items():
            tensors |= named(f"optimizer.{place}", moments)
        schedule = self.schedule.state_dict() if self.schedule else None
        return tensors, {"done": self.done, "groups": optimizer["param_groups"], "schedule": schedule}

    def restore(self, tensors: Tensors, account: dict[str, Any]) -> None:
        """Goes back to a state."""
        self.done = account["done"]
        self.network.load_state_dict(under("network", tensors))
        places = range(len(list(self.network.parameters())))
        moments = {place: under(f"optimizer.{place}", tensors) for place in places}
        self.optimizer.load_state_dict(
            {"state": {place: of for place, of in moments.items() if of}, "param_groups": account["groups"]}
        )
        if self.schedule:
            self.schedule.load_state_dict(account["schedule"])


def mixed(rows: Batch, analogies: Analogies, share: float, keep: Keep, chance: np.random.Generator) -> Batch:
    """Puts forms made by analogy in the place of a share of the rows, each of its row's label.

    Args:
        rows: training rows.
        analogies: of the same rows.
        share: of the rows that give way.
        keep: the end of a longer form that stays.
        chance: where the randomness comes from.
    """
    ids, lengths = (torch.from_numpy(part) for part in analogies.draw(chance, rows.ids.shape[1], keep))
    device = rows.lengths.device
    chosen = torch.from_numpy(chance.random(len(rows)) < share).to(device)
    return Batch(
        torch.where(chosen[:, None], ids.to(device, rows.ids.dtype), rows.ids),
        torch.where(chosen, lengths.to(device), rows.lengths),
        rows.targets,
    )


def drawn(
    lengths: npt.NDArray[np.int64], how: config.Train, chance: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """The rows of each batch of an epoch, forms of like length together, so that little is padding.

    Args:
        lengths: (rows,) symbols.
        how: ``shuffle``, ``batch_size`` and ``pool``, over how many batches rows are sorted, are read.
        chance: where the randomness comes from.
    """
    order = chance.permutation(len(lengths)) if how.shuffle else np.arange(len(lengths))
    if how.pool > 1:
        pool = np.arange(len(lengths)) // (how.pool * how.batch_size)
        order = order[np.lexsort((lengths[order], pool))]
    batches = np.split(order, range(how.batch_size, len(order), how.batch_size))
    return [batches[place] for place in chance.permutation(len(batches))] if how.shuffle else batches


def _epoch(
    network: BiLSTM,
    rows: Batch,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None,
    how: config.Train,
    number: int,
) -> tuple[float, float]:
    """Trains once over all rows; returns the running loss and accuracy."""
    network.train()
    device = rows.lengths.device
    batches = drawn(rows.lengths.cpu().numpy(), how, np.random.default_rng([how.seed, _ORDER, number]))
    total, right = torch.zeros((), device=device), torch.zeros((), device=device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(_seed(how, _DROPOUT, number))
        for some in batches:
            batch = rows[torch.from_numpy(some).to(device)]
            logits, wanted = network(batch.ids, batch.lengths), heads.truth(batch.targets, network.head)
            loss = heads.losses(logits, wanted, network.head, how.label_smoothing).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if how.clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), how.clip)
            optimizer.step()
            if schedule is not None:
                schedule.step()
            with torch.no_grad():  # the curve shows the plain loss, to be compared with dev's
                total += heads.losses(logits, wanted, network.head).sum()
            right += heads.right(logits, batch.targets).sum()
    return float(total) / len(rows), float(right) / len(rows)


def _schedule(
    optimizer: torch.optim.Optimizer, how: config.Train, batches: int
) -> torch.optim.lr_scheduler.LRScheduler | None:
    if how.schedule == "constant":
        return None
    # Smith and Topin (2018), Super-Convergence: up to the learning rate, then down to nothing.
    steps = max(batches * how.epochs, 2)
    rise = max(RISE, 1.5 / steps)  # PyTorch divides by the length of the rise less one
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, how.learning_rate, total_steps=steps, pct_start=rise
    )


def _seed(how: config.Train, *stream: int) -> int:
    return int(np.random.SeedSequence([how.seed, *stream]).generate_state(1)[0])
