"""What a task of each kind does at each stage, its baselines and its evaluation."""

from __future__ import annotations

from esetrag.core import config
from esetrag.tasks.base import Task
from esetrag.tasks.classify import Classify

KINDS: dict[str, Task] = {"classify": Classify()}
"""By ``kind`` of the task's entry in params.yaml."""


def of(entry: config.ClassifyTask) -> Task:
    """What a task's kind does."""
    return KINDS[entry.kind]
