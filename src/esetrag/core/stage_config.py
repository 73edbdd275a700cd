"""The sections of ``params.yaml`` that stages read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from esetrag.core.section import Count, Name, Section, Seed


class Sample(Section):
    """What the parts may share, and sampling."""

    suspicious: Literal["keep", "drop", "stop"]
    split: Literal["lemma", "family", "form", "notebook"]
    seed: Seed
    train: Count | None
    dev: Count | None
    test: Count | None


class BuildVocab(Section):
    """Symbols and labels."""

    unit: Literal["char", "bpe", "word"]
    merges: Annotated[int, Field(ge=0, le=100_000)]
    """Of ``bpe``: pairs that become one symbol."""
    min_count: Count


class EncodePad(Section):
    """Symbols to ids of one width."""

    max_symbols: Count | None
    keep: Literal["end", "start"]


class Evaluate(Section):
    """Intervals, baselines and stress sets."""

    seed: Seed
    resamples: Annotated[int, Field(ge=100, le=100_000)]
    confidence: Annotated[float, Field(gt=0, lt=1)]
    suffix_length: Annotated[int, Field(ge=1, le=100)]
    stress: Annotated[int, Field(ge=1, le=10**6)]
    """Forms of each stress set, as far as there are so many."""
    compare: list[Name]
    """Keys of ``models``: trained on the same rows, and shown beside the task's own model."""


class ErrorAnalysis(Section):
    """How much the error report shows."""

    examples: Count
    confusions: Count


class Tracking(Section):
    """Where runs are logged. No stage depends on it: it changes no result."""

    enabled: bool
    required: bool
    """Whether a store that cannot be used is an error, raised before the training."""
    experiment: Annotated[str, Field(min_length=1)]
    """The runs of a task are in the MLflow experiment ``<experiment>/<task>``."""
