"""What a task that classifies words does before training."""

from __future__ import annotations

from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks.classify import Classify
from tests.samples import table


def test_rows_of_labels_that_training_does_not_have_are_counted() -> None:
    rows = table([("a", "at", "ACC"), ("a", "an", "DAT"), ("b", "bn", "DAT"), ("c", "cn", "ACC/DAT/INS")])
    assert Classify().unseen(rows, Vocabulary.build(["at"], ["ACC"])) == {"DAT": 3, "INS": 1}
