"""Fits the linear reader: a softmax regression with a squared penalty, by L-BFGS over all rows."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from esetrag.core import config
from esetrag.models import heads
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.ngram import ABSENT, NgramClassifier, hashes
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Keep
from esetrag.training.epochs import Epochs, Tensors
from esetrag.training.lbfgs import Lbfgs

SEEN = 0.05
"""An n-gram gets a weight if the rows that show it count as much: rarer ones only make the reader larger."""


def shown(rows: Batch, analogies: Analogies | None, keep: Keep, how: config.Train) -> tuple[Batch, Tensor]:
    """The training rows and forms made by analogy, which weigh as much together as the rows do.

    Args:
        rows: training rows, n.
        analogies: of the same rows.
        keep: the end of a longer form that is read.
        how: ``seed`` and ``analogies``, how many forms are to be made, are read.

    Returns:
        (m,) rows and their weights, m >= n.
    """
    rounds = how.analogies // max(len(rows), 1)
    if analogies is None or rounds == 0:
        return rows, torch.ones(len(rows), device=rows.lengths.device)
    ids, lengths = [rows.ids], [rows.lengths]
    for number in range(rounds):
        drawn = analogies.draw(np.random.default_rng([how.seed, number]), rows.ids.shape[1], keep)
        made = [torch.from_numpy(part).to(rows.lengths.device) for part in drawn]
        ids.append(made[0].to(rows.ids.dtype))
        lengths.append(made[1])
    weights = torch.ones((1 + rounds, len(rows)), device=rows.lengths.device)
    weights[1:] /= rounds
    return Batch(torch.cat(ids), torch.cat(lengths), rows.targets.repeat(1 + rounds, 1)), weights.ravel()


def network(
    rows: Batch,
    weights: Tensor,
    labels: int,
    model: config.Model,
    kind: type[NgramClassifier] = NgramClassifier,
) -> NgramClassifier:
    """A reader that gives all labels the same score, with room for the n-grams of some rows.

    Args:
        rows: whose n-grams get weights.
        weights: (rows,) how much each counts.
        labels: number of labels.
        model: its shape.
        kind: which n-grams.
    """
    found = hashes(rows.ids, rows.lengths, model.longest, kind.suffixes_only)
    grams, which = torch.unique(found, return_inverse=True)
    seen = torch.bincount(which.ravel(), weights.repeat_interleave(found.shape[1]))
    return kind(grams[(grams != ABSENT) & (seen >= SEEN)], labels, model)


class LinearFit(Epochs):
    """Fits, one step of L-BFGS after another until nothing lower is found; the bias is not penalised.

    The gradient is written out: ``X' (softmax - truth)``, two sparse products a step, takes a
    twentieth of the time that autograd takes over bags of n-grams.
    """

    def __init__(self, network: NgramClassifier, rows: Batch, weights: Tensor, how: config.Train) -> None:
        """Stands before the first step.

        Args:
            network: is changed in place.
            rows: training rows.
            weights: (rows,) how much each counts.
            how: ``iterations`` and ``penalty`` are read.
        """
        network.train()
        self.head, self.targets = network.head, rows.targets
        self.counts, self.turned = _counts(network.places(rows.ids, rows.lengths), len(network.weight))
        self.share = (weights / weights.sum())[:, None]  # (n, 1)
        self.penalty = how.penalty / float(weights.sum())
        self.truth = heads.truth(rows.targets, self.head)  # (n, labels)
        self.shape, size = network.weight.shape, network.weight.numel()
        point = torch.cat([network.weight.detach().ravel(), network.bias.detach()])
        network.weight.data, network.bias.data = point[:size].view(self.shape), point[size:]  # share it
        self.seen = [0.0, 0.0]  # loss and accuracy at the point looked at last
        self.left = how.iterations
        self.minimiser = Lbfgs(self._objective, point)

    def __next__(self) -> tuple[float, float, float]:
        loss, accuracy = self.seen
        if self.left == 0:
            raise StopIteration
        if not math.isfinite(float(self.minimiser.gradient.sum())):
            loss = math.nan
        elif not self.minimiser.step():
            self.left = 0
            raise StopIteration
        self.left -= 1
        return loss, accuracy, 1.0

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """The point, which the network's weights are, and all that L-BFGS knows of the way to it."""
        by = self.minimiser
        scalars = torch.tensor([by.value, *self.seen], dtype=torch.float64)
        tensors = {"point": by.point, "gradient": by.gradient, "scalars": scalars}
        for place, (step, change) in enumerate(zip(by.steps, by.changes, strict=True)):
            tensors |= {f"step.{place}": step, f"change.{place}": change}
        return tensors, {"left": self.left, "steps": len(by.steps)}

    def restore(self, tensors: Tensors, account: dict[str, Any]) -> None:
        """Goes back to a state."""
        by = self.minimiser
        by.point.copy_(tensors["point"])
        by.gradient = tensors["gradient"]
        by.value, *self.seen = tensors["scalars"].tolist()
        by.steps = [tensors[f"step.{place}"] for place in range(account["steps"])]
        by.changes = [tensors[f"change.{place}"] for place in range(account["steps"])]
        self.left = account["left"]

    @torch.no_grad()
    def _objective(self, point: Tensor) -> tuple[float, Tensor]:
        size = self.shape.numel()
        weight, bias = point[:size].view(self.shape), point[size:]
        logits = self.counts @ weight + bias
        loss = (self.share[:, 0] * heads.losses(logits, self.truth, self.head)).sum()
        self.seen = [float(loss), float(self.share[heads.right(logits, self.targets)].sum())]
        error = self.share * (heads.probabilities(logits, self.head) - self.truth)
        slope = torch.cat([(self.turned @ error + self.penalty * weight).ravel(), error.sum(0)])
        return float(loss + self.penalty / 2 * weight.square().sum()), slope


def _counts(places: Tensor, grams: int) -> tuple[Tensor, Tensor]:
    """How often each n-gram is in each row: a sparse matrix (n, grams), and its transpose."""
    row, column = torch.nonzero(places, as_tuple=True)
    at = torch.stack([row, places[row, column]])  # (2, n-grams present)
    ones = torch.ones(at.shape[1], device=places.device)

    def compressed(index: Tensor, size: tuple[int, int]) -> Tensor:
        return torch.sparse_coo_tensor(index, ones, size, check_invariants=False).coalesce().to_sparse_csr()

    with warnings.catch_warnings():  # torch calls its compressed rows a beta
        warnings.simplefilter("ignore", UserWarning)
        return compressed(at, (len(places), grams)), compressed(at.flip(0), (grams, len(places)))
