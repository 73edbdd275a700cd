"""Small models and data of the tests of training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from esetrag.core import config
from esetrag.core.config import Params, Resolved, Train
from esetrag.symbols.vocabulary import Unit
from esetrag.training.data import Data
from esetrag.training.trainer import Trained

KINDS = ("bilstm", "ngram")
both = pytest.mark.parametrize("kind", KINDS)
SETTINGS = {"device": "cpu", "threads": 1, "epochs": 3, "min_steps": 0, "batch_size": 16, "analogies": 0}
WILD = {"learning_rate": 0.2, "schedule": "constant", "clip": None}
SIZES: dict[str, dict[str, Any]] = {
    "bilstm": {"embedding": 8, "hidden": 12},
    "ngram": {"longest": 6, "iterations": 6},
}
Fit = Callable[..., Trained]


def resolved(params: Params, *kinds: str, lemmas: bool = False, **shape: Any) -> Resolved:
    """Small models of some kinds."""
    usual = [params.models[kind] for kind in kinds]
    experts: list[Any] = [
        type(model).model_validate(model.model_dump() | SIZES[model.kind] | shape) for model in usual
    ]
    return Resolved("-".join(kinds), experts, lemmas)


def options_of(params: Params, **changed: Any) -> Train:
    return Train.model_validate(params.train.model_dump() | SETTINGS | changed)


def data_of(rows: Any, dev: Any = None, unit: Unit = "char") -> Data:
    """Rows (``tables.SAMPLE``) as training set, and others or the same as development set."""
    build = config.BuildVocab(unit=unit, merges=5, min_count=1)
    shape = config.EncodePad(max_symbols=None, keep="end")
    return Data.of(rows, rows if dev is None else dev, build, shape)
