"""Fits the n-gram classifier: softmax regression with a squared penalty, by L-BFGS over all rows."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import OptimizeResult, minimize
from threadpoolctl import threadpool_limits
from torch import Tensor

from esetrag.core import runtime
from esetrag.core.config import NgramModel, Train
from esetrag.models.network import Network
from esetrag.models.ngram import ABSENT, NgramClassifier, hashes
from esetrag.symbols.batch import Batch, Sequences
from esetrag.training.augmentation import Analogies
from esetrag.training.data import Data
from esetrag.training.loop import Loop

FEWEST = 0.05
"""An n-gram gets a weight if the rows that have it count as much: rarer ones only make the model larger."""
BYTES_A_ROW = 5_400
"""Of memory, at the most, that n-grams, their weights and the steps remembered take."""
MEND = "lower sample.train, or do without n-grams: train.analogies: 0, evaluate.compare: [], model: bilstm"
REMEMBERED = 5
"""Steps whose curvature is remembered; Liu and Nocedal (1989) find 3 to 20 alike."""
TOLERANCE = 1e-5
"""Relative decrease of the objective below which the fit ends."""


def fit(data: Data, model: NgramModel, options: Train, analogies: Analogies | None, loop: Loop) -> Network:
    """Fits all weights; each iteration of L-BFGS is an epoch. The bias is not penalised.

    It takes seconds, so a fit that was stopped begins anew, to the same bytes.

    Args:
        data: training rows and vocabulary.
        model: which n-grams, iterations and penalty.
        options: ``seed`` and ``analogies``, how many forms are made, are used.
        analogies: of the training rows.
        loop: records the epochs.
    """
    rows = augmented(Batch.of(data.train, torch.device("cpu")), analogies, options)
    runtime.check_room(len(rows), BYTES_A_ROW, MEND)
    network = untrained(rows, len(data.vocabulary.labels), model)
    loop.begin(network, rows)
    objective = Objective(network, rows, model.penalty)

    def record(intermediate_result: OptimizeResult) -> None:
        objective.put(intermediate_result.x)
        loop.record(*objective.last, 1.0)
        if loop.is_over:
            raise StopIteration

    limits = {"maxiter": model.iterations, "maxcor": REMEMBERED, "ftol": TOLERANCE, "gtol": 0}
    with threadpool_limits(1, "blas"):  # sums in another order differ in their last bits
        start = np.zeros(network.weight.numel() + network.labels)
        fitted = minimize(objective, start, jac=True, method="L-BFGS-B", callback=record, options=limits)
    if not np.isfinite(fitted.jac).all():
        loop.record(math.nan, 0.0, 1.0)  # which says what to lower
    loop.end()
    return network


def augmented(rows: Batch, analogies: Analogies | None, options: Train) -> Batch:
    """The training rows and forms made by analogy, which weigh as much together as the rows do."""
    rounds = options.analogies // max(len(rows), 1)
    if analogies is None or rounds == 0:
        return rows
    drawn = [
        analogies.draw(np.random.default_rng([options.seed, number]), rows.source.ids.shape[1])
        for number in range(rounds)
    ]
    ids = torch.cat([rows.source.ids, *(torch.from_numpy(ids).to(rows.source.ids.dtype) for ids, _ in drawn)])
    lengths = torch.cat([rows.source.lengths, *(torch.from_numpy(lengths) for _, lengths in drawn)])
    weight = torch.cat([rows.weight, (rows.weight / rounds).repeat(rounds)])
    return Batch(Sequences(ids, lengths), rows.target.repeat(1 + rounds, 1), weight)


def untrained(rows: Batch, labels: int, model: NgramModel) -> NgramClassifier:
    """A classifier that gives all labels the same score, with room for the n-grams of some rows."""
    hashed = hashes(rows.source, model.longest, model.prefixes)  # (n, n-grams)
    grams, which = torch.unique(hashed, return_inverse=True)
    seen = torch.bincount(which.ravel(), rows.weight.repeat_interleave(hashed.shape[1]))
    return NgramClassifier(grams[(grams != ABSENT) & (seen >= FEWEST)], labels, model)


class Objective:
    """Penalised loss and its gradient.

    The gradient is written out: ``X' (softmax - truth)``, two sparse products an evaluation, takes a
    twentieth of the time that autograd takes over bags of n-grams.
    """

    def __init__(self, network: NgramClassifier, rows: Batch, penalty: float) -> None:
        """Counts the n-grams of the rows.

        Args:
            network: its weights are changed in place.
            rows: training rows.
            penalty: of the squared weights.
        """
        self.network, self.rows = network, rows
        self.counts, self.turned = _counts(network.places(rows.source), len(network.weight))
        self.share = (rows.weight / rows.weight.sum())[:, None]  # (n, 1)
        self.penalty = penalty / float(rows.weight.sum())
        self.wanted = network.distribution(rows.target)  # (n, labels)
        self.last = (0.0, 0.0)
        """Loss and accuracy at the point evaluated last."""

    def put(self, point: npt.NDArray[np.float64]) -> None:
        """Gives the network the weights and the bias that a point holds."""
        values, network = torch.from_numpy(point).float(), self.network
        network.weight.data = values[: network.weight.numel()].view(network.weight.shape)
        network.bias.data = values[network.weight.numel() :]

    @torch.no_grad()
    def __call__(self, point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        """The objective at a point (n,), and its gradient (n,)."""
        self.put(point)
        network, weight = self.network, self.network.weight
        logits = self.counts @ weight + network.bias
        loss = float((self.share[:, 0] * network.loss(logits, self.rows.target)).sum())
        self.last = (loss, float(self.share[self.network.correct(logits, self.rows.target)].sum()))
        error = self.share * (network.probabilities(logits) - self.wanted)
        slope = torch.cat([(self.turned @ error + self.penalty * weight).ravel(), error.sum(0)])
        return loss + self.penalty / 2 * float(weight.square().sum()), slope.double().numpy()


def _counts(places: Tensor, grams: int) -> tuple[Tensor, Tensor]:
    """How often each n-gram is in each row: a sparse matrix (n, grams), and its transpose."""
    row, column = torch.nonzero(places, as_tuple=True)
    at = torch.stack([row, places[row, column]])  # (2, n-grams present)
    ones = torch.ones(at.shape[1])

    def compressed(index: Tensor, size: tuple[int, int]) -> Tensor:
        return torch.sparse_coo_tensor(index, ones, size, check_invariants=False).coalesce().to_sparse_csr()

    with warnings.catch_warnings():  # torch calls its compressed rows a beta
        warnings.simplefilter("ignore", UserWarning)
        return compressed(at, (len(places), grams)), compressed(at.flip(0), (grams, len(places)))
