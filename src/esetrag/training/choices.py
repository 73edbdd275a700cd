"""What dev decides before the training: whether forms made by analogy, and prefixes, are used at all."""

from __future__ import annotations

from typing import NamedTuple

import torch

from esetrag.core.config import NgramModel, Train
from esetrag.models.network import score
from esetrag.scoring import calibration
from esetrag.symbols.batch import Batch
from esetrag.training import linear
from esetrag.training.augmentation import Analogies
from esetrag.training.data import Data
from esetrag.training.loop import Loop

PROBE = {"kind": "ngram", "longest": 6, "iterations": 20, "penalty": 0.2, "lemmas": False}
EVIDENCE = 2.0
"""Nats by which the loss of all dev rows must be lower without what is usual."""
FORMS = 10_000
"""Forms made by analogy for the probe; more change the choice rarely."""


class Choices(NamedTuple):
    """What is used."""

    analogies: bool
    prefixes: bool


def choose(data: Data, head: str, options: Train, analogies: Analogies | None, prefixes: bool) -> Choices:
    """Fits small n-gram models with and without, in under a second, and takes what suits dev.

    Usually analogies are used and prefixes are not; dev must speak clearly against that.

    Args:
        data: training rows and dev.
        head: meaning of the scores.
        options: seed and number of the forms made by analogy.
        analogies: of the training rows; None where there are none.
        prefixes: whether any model has them.
    """
    few = options.model_copy(update={"analogies": min(options.analogies, FORMS)})
    dev = Batch.of(data.dev, torch.device("cpu"))
    candidates = [
        Choices(with_analogies, with_prefixes)
        for with_analogies in ([True, False] if analogies and options.analogies else [False])
        for with_prefixes in ([False, True] if prefixes else [False])
    ]
    if len(candidates) == 1 or not len(dev):
        return candidates[0]

    def cost(choice: Choices) -> float:
        model = NgramModel.model_validate({**PROBE, "head": head, "prefixes": choice.prefixes})
        network = linear.fit(data, model, few, analogies if choice.analogies else None, Loop(dev))
        return calibration.cost(score(network, dev).numpy(), data.dev.targets, network.head)

    return min(candidates, key=lambda choice: cost(choice) + EVIDENCE * (choice != candidates[0]))
