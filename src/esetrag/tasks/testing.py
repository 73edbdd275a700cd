"""The test of a model beside baselines and the upper bound: the first half of the stage ``evaluate``."""

from __future__ import annotations

from collections.abc import Callable

from esetrag.tasks import evaluation, tag_evaluation, tag_words_evaluation, transduce_evaluation
from esetrag.tasks.base import Test, Tested
from esetrag.tasks.pair import Pair

KINDS: dict[str, Callable[[Test], Tested]] = {
    "classify": evaluation.test,
    "pair": lambda test: evaluation.tested(test, Pair()),
    "tag": tag_evaluation.test,
    "tag_words": tag_words_evaluation.test,
    "transduce": transduce_evaluation.test,
}
"""By ``config.kind_key`` of the task's entry in params.yaml."""
