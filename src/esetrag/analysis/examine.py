"""What a tested model relies on, and where it fails: the second half of the stage ``evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import pyarrow as pa

from esetrag.analysis import attention, attribution, masking, partitions, stress, uncertainty
from esetrag.analysis.stress import Predict
from esetrag.core import tables
from esetrag.data import sentences
from esetrag.data.pairs import SEPARATOR
from esetrag.tasks import tag_evaluation
from esetrag.tasks.base import Test, Tested

if TYPE_CHECKING:
    from esetrag.models.transducer import Transducer


WRITTEN = 250
"""Words with hidden letters for which a word is written; that takes longer than classifying them."""


@dataclass(frozen=True)
class Examined:
    """The outcome."""

    sets: pd.DataFrame
    """Accuracy on forms that are hard, or have something in common."""
    masking: pd.DataFrame
    """Accuracy when symbols at the end of the forms, or all others, are hidden."""
    explained: pa.Table
    """What of a form the model uses."""

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """The accuracies by set, as JSON; None where there are none."""
        numbers = self.sets.select_dtypes("number").columns
        return {
            line["set"]: {str(name): None if pd.isna(line[name]) else line[name] for name in numbers}
            for line in self.sets.to_dict("records")
        }


def classifier(test: Test, tested: Tested, predict: Predict) -> Examined:
    """Stress sets, hidden symbols, the contributions of letters."""
    network, vocabulary = test.checkpoints[0].network, test.checkpoints[0].vocabulary
    lemmas, seed = tables.read(test.layout.families, tables.FAMILIES)["lemma"], test.options.seed
    return Examined(
        stress.examine(test.parts["train"], tested.predictions, lemmas, predict, test.options),
        masking.curve(network, test.encoded, vocabulary.size, seed),
        attribution.table(network, test.encoded, tested.predictions, vocabulary, seed),
    )


def pairs(test: Test, tested: Tested, _: Predict) -> Examined:
    """What training has of lemma and features, hidden symbols, the contributions of letters."""
    network, vocabulary = test.checkpoints[0].network, test.checkpoints[0].vocabulary
    seed, letters, mark = test.options.seed, len(vocabulary.symbols), vocabulary.ids[SEPARATOR]
    return Examined(
        partitions.table(test.parts["train"], tested.predictions, vocabulary),
        masking.curve(network, test.encoded, letters, seed, mark=mark),
        attribution.table(network, test.encoded, tested.predictions, vocabulary, seed),
    )


def transducer(test: Test, tested: Tested, _: Predict) -> Examined:
    """What training has of lemma and features, hidden symbols, what attention sees."""
    network = cast("Transducer", test.checkpoints[0].network)
    vocabulary = test.checkpoints[0].vocabulary
    return Examined(
        partitions.table(test.parts["train"], tested.predictions, vocabulary),
        masking.curve(network, test.encoded, len(vocabulary.symbols), test.options.seed, WRITTEN),
        attention.table(network, test.encoded, tested.predictions, vocabulary, test.options.seed),
    )


def tagger(test: Test, tested: Tested, _: Predict) -> Examined:
    """What training has of the lemma, hidden letters, which letters are doubtful."""
    network = cast("Transducer", test.checkpoints[0].network)
    vocabulary, made = test.checkpoints[0].vocabulary, tested.predictions
    scores = {"f1": tag_evaluation.f1(made["label"], made["predicted"])}
    return Examined(
        partitions.table(test.parts["train"], made, vocabulary, scores),
        masking.curve(network, test.encoded, vocabulary.size, test.options.seed, WRITTEN),
        uncertainty.table(network, made, vocabulary, test.options.seed),
    )


def word_tagger(test: Test, tested: Tested, _: Predict) -> Examined:
    """Which words training has."""
    train, none = sentences.word_rows(test.parts["train"]), pd.DataFrame(columns=["symbols", "only_last"])
    sets = partitions.table(train, tested.predictions, test.checkpoints[0].vocabulary)
    return Examined(sets, none, tables.ATTRIBUTIONS.empty_table())


KINDS: dict[str, Callable[[Test, Tested, Predict], Examined]] = {
    "classify": classifier,
    "pair": pairs,
    "tag": tagger,
    "tag_words": word_tagger,
    "transduce": transducer,
}
"""By ``config.kind_key`` of the task's entry in params.yaml."""
