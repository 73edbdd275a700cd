"""How much the lemmas count beside the n-grams: the weight at which both together fit dev best.

Where lemmas help differs from task to task: *-ok* may end a plural or a lemma. A few hundred words
tell little of the best weight, so leaving the one that is usual has its price, and what is judged are
calibrated probabilities: a weight must not win or lose by the confidence that it brings along.
"""

from __future__ import annotations

import math

import torch

from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.ngram import NgramClassifier
from esetrag.scoring import calibration
from esetrag.symbols.batch import Batch, score

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Times the usual weight."""
PRICE = 5.0
"""In nats, of a weight whose root is 1 away from the root of the usual one."""
MOST = 2000
"""Rows of dev that are looked at: more tell hardly more."""


def choose(network: NgramClassifier, dev: Batch) -> None:
    """Sets the weight of what the lemmas say; at a weight of 0 they are forgotten.

    Args:
        network: trained; its inflection has the usual weight.
        dev: rows that neither learnt from.
    """
    inflection = network.inflection
    if not isinstance(inflection, LemmaPrior) or not float(inflection.weight):
        network.inflection = None
        return
    some = torch.linspace(0, max(len(dev) - 1, 0), min(len(dev), MOST)).long()
    dev = Batch(dev.ids[some], dev.lengths[some], dev.targets[some])
    both = score(network, dev).double().numpy()
    network.inflection = None
    alone = score(network, dev).double().numpy()
    targets, usual = dev.targets.numpy(), float(inflection.weight)

    def cost(step: float) -> float:
        fit = calibration.cost(alone + step * (both - alone), targets, network.head)
        return fit + PRICE * usual * (math.sqrt(step) - 1) ** 2

    best = min(STEPS, key=lambda step: (cost(step), -step))
    if best:
        inflection.weight.mul_(best)
        network.inflection = inflection
