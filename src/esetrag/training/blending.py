"""How much each expert counts: weights >= 0 of the least loss on dev, near those that are usual.

Classifiers trained on the same rows are averaged; the lemma prior is evidence of another kind, so it
counts in full beside them. A few hundred words say little about the best weights, so leaving the usual
ones has its price. The loss is taken at the best temperature: no expert may win or lose by the
confidence it brings along. An expert whose weight becomes 0 is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits
from torch import Tensor

from esetrag.models.blend import Blend
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.network import Network, score
from esetrag.symbols.batch import Batch

PRICE = 10.0
"""In nats, of a weight that is 1 away from the usual one."""
MOST = 2000
"""Rows of dev that are used: more say hardly more."""


def blend(classifiers: Sequence[Network], prior: LemmaPrior | None, dev: Batch) -> tuple[Blend, list[int]]:
    """Joins trained networks.

    Args:
        classifiers: one or more.
        prior: of the same training rows; None leaves it out.
        dev: rows that none of them was trained on.

    Returns:
        The blend; which of the networks are in it, the prior being the last.
    """
    networks = [*classifiers, *([prior] if prior else [])]
    usual = np.array([1 / len(classifiers)] * len(classifiers) + [1.0] * (prior is not None))
    weights = usual
    if len(networks) > 1 and len(dev):
        rows = dev[torch.linspace(0, len(dev) - 1, min(len(dev), MOST)).long()]
        logits = torch.stack([score(network, rows).double() for network in networks])  # (k, n, labels)
        weights = fit(logits, usual, rows.target, networks[0])
    used = [number for number, weight in enumerate(weights) if weight > 0]
    chosen = torch.from_numpy(weights[used]).float()
    return Blend([networks[number] for number in used], chosen), used


def fit(
    logits: Tensor, usual: npt.NDArray[np.float64], target: Tensor, head: Network
) -> npt.NDArray[np.float64]:
    """The weights of experts.

    Args:
        logits: (k, n, labels) of dev.
        usual: (k,) weights that it costs to leave.
        target: (n, labels) bool.
        head: a classifier that knows what logits mean.
    """
    start = torch.from_numpy(usual)

    def objective(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        values = torch.from_numpy(point).requires_grad_()
        weights, sharpness = values[:-1], (-values[-1]).exp()
        blended = torch.tensordot(weights, logits, 1) * sharpness  # (n, labels)
        price = PRICE * (weights - start).square().sum()
        cost = head.loss(blended, target).sum() + price
        (slope,) = torch.autograd.grad(cost, values)
        return cost.item(), slope.numpy()

    bounds = [(0.0, None)] * len(usual) + [(-3.0, 3.0)]  # the last is the logarithm of the temperature
    with threadpool_limits(1, "blas"):  # sums in another order differ in their last bits
        fitted = minimize(objective, [*usual, 0.0], jac=True, method="L-BFGS-B", bounds=bounds)
    # The last digits are noise; without them weights are the same on more machines.
    weights: npt.NDArray[np.float64] = np.round(fitted.x[:-1], 4)
    return weights
