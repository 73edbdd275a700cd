"""Fixtures of the tests of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from esetrag.core.config import Params
from esetrag.training import trainer
from esetrag.training.data import Data
from esetrag.training.trainer import Trained
from tests.samples import NO_LEMMAS, subset
from tests.unit.training.small import Fit, options_of, resolved


@pytest.fixture
def split(tiny_data: Data) -> Data:
    """The tiny rows without their lemmas, the last fourteen as development set."""
    rows = tiny_data.train
    return Data(subset(rows, range(70)), subset(rows, range(70, 84)), tiny_data.vocabulary, NO_LEMMAS)


@pytest.fixture
def shifted(split: Data) -> Data:
    """A development set of other labels: in the end, what training learns makes the loss on them higher."""
    labels = np.concatenate([split.dev.targets[:7], np.roll(split.dev.targets[7:], -1, 0)])
    return Data(split.train, subset(split.dev, range(14), labels), split.vocabulary, NO_LEMMAS)


@pytest.fixture
def fit(params: Params, split: Data) -> Fit:
    """Trains a kind of model with some options changed."""

    def run(
        kind: str,
        data: Data = split,
        shape: dict[str, Any] | None = None,
        listeners: Any = (),
        **changed: Any,
    ) -> Trained:
        options = options_of(params, **changed)
        return trainer.fit(data, resolved(params, kind, **(shape or {})), options, listeners)

    return run
