"""What a task of each kind does at each stage, its baselines and its evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esetrag.core import config
from esetrag.tasks.base import Task
from esetrag.tasks.classify import Classify
from esetrag.tasks.pair import Pair
from esetrag.tasks.tag import Tag
from esetrag.tasks.tag_words import TagWords
from esetrag.tasks.transduce import Transduce

KINDS: dict[str, Callable[[Any], Task]] = {
    "classify": Classify,
    "pair": Pair,
    "tag": Tag,
    "tag_words": TagWords,
    "transduce": Transduce,
}
"""By ``config.kind_key`` of the task's entry in params.yaml."""


def of(entry: config.AnyTask) -> Task:
    """What a task's kind does."""
    return KINDS[config.kind_key(entry)](entry)
