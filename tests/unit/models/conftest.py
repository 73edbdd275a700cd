"""Fixtures of the tests of checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from esetrag.core.config import Params
from esetrag.models import checkpoint
from esetrag.models.blend import Blend
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.network import Network
from esetrag.symbols.batch import Batch
from esetrag.training import gradient, linear
from esetrag.training.data import Data
from tests.samples import CPU
from tests.unit.models.stored import (
    BLENDS,
    FITTED,
    TRAINING,
)


@pytest.fixture(scope="module")
def experts(params: Params, tiny_data: Data) -> dict[str, tuple[Network, Any]]:
    """A network of each kind with its shape."""
    rows = Batch.of(tiny_data.train, CPU)
    shapes: dict[str, Any] = dict(params.models) | {"lemmas": checkpoint.LemmaPriorModel(head="softmax")}
    ngram = linear.untrained(rows, 7, shapes["ngram"])
    ngram.weight.data.normal_(generator=torch.Generator().manual_seed(1))
    assert tiny_data.split
    prior = LemmaPrior.fit(tiny_data.split, rows.target, "softmax")
    assert prior
    bilstm = gradient.untrained(tiny_data, shapes["bilstm"], seed=1)
    return {
        kind: (network, shapes[kind])
        for kind, network in (("bilstm", bilstm), ("ngram", ngram), ("lemmas", prior))
    }


@pytest.fixture
def saved(
    tmp_path: Path, tiny_data: Data, experts: dict[str, tuple[Network, Any]]
) -> Callable[..., tuple[Path, Blend]]:
    """Saves a blend of some kinds; its folder and the blend."""

    def save(kinds: list[str], name: str = "model") -> tuple[Path, Blend]:
        networks, shapes = zip(*(experts[kind] for kind in kinds), strict=True)
        blend = Blend(networks, torch.linspace(0.5, 1, len(kinds)))
        args = (tiny_data.vocabulary, tiny_data.train, TRAINING, FITTED)
        checkpoint.save(tmp_path / name, blend, shapes, *args)
        return tmp_path / name, blend

    return save


@pytest.fixture
def folder(saved: Callable[..., tuple[Path, Blend]]) -> Path:
    return saved(BLENDS["blend"])[0]
