"""Accuracy by what training has of a row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from esetrag.analysis import partitions
from esetrag.core import tables
from esetrag.scoring.ratios import Ratio
from esetrag.symbols.vocabulary import Vocabulary
from tests.unit.showing import without_lemmas
from tests.writing import asked

VOCABULARY = Vocabulary((), (), features=("N", "PL", "SG"), bundles=("N;PL", "N;SG"))
TRAIN = asked(("ház", "N;PL", "házak"), ("kert", "N;SG", "kert"))
TEST = asked(
    ("ház", "N;PL", "házak"), ("ház", "N;PL;SG", "házx"), ("fa", "N;SG", "fa"), ("fa", "N;DU", "fal"),
    ("kert", "N;PL", "kertek|kertok"),
)  # fmt: skip
WRITTEN = ["házak", "ház", "fa", "fax", "kertok"]


Sets = dict[str, tuple[int, float]]


def found(rows: pa.Table = TEST, train: pa.Table = TRAIN, vocabulary: Vocabulary = VOCABULARY) -> Sets:
    predictions = rows.append_column("predicted", pa.array(WRITTEN))
    table = partitions.table(train, predictions, vocabulary)
    return {line["set"]: (line["forms"], line["accuracy"]) for line in table.to_dict("records")}


def test_lemma_and_bundle_may_be_seen_or_new() -> None:
    assert found() == {
        "seen lemma, seen bundle": (2, 1.0),
        "seen lemma, new bundle": (1, 0.0),
        "new lemma, seen bundle": (1, 1.0),
        "new lemma, new bundle": (1, 0.0),
        "value of a feature not in training": (1, 0.0),
        "predicted: the word as it is": (2, 0.5),
    }


def test_errors_are_examples() -> None:
    predictions = TEST.append_column("predicted", pa.array(WRITTEN))
    shown = partitions.table(TRAIN, predictions, VOCABULARY).set_index("set")["examples"]
    assert shown["seen lemma, new bundle"] == "ház (→ házx, not ház)"
    assert shown["new lemma, seen bundle"] == ""


def test_without_features_or_lemmas_words_alone_are_compared() -> None:
    plain = Vocabulary((), ())
    assert found(vocabulary=plain)["seen lemma"] == (3, 2 / 3)
    bare, train = (without_lemmas(rows) for rows in (TEST, TRAIN))
    assert bare.schema.names == tables.SAMPLE.names
    assert list(found(bare, train, plain)) == ["seen word", "new word", "predicted: the word as it is"]


def test_other_scores_stand_beside_each_set() -> None:
    predictions = TEST.append_column("predicted", pa.array(WRITTEN))
    score = Ratio(np.array([2, 0, 1, 0, 1]), np.array([2, 2, 2, 2, 2]))
    shown = partitions.table(TRAIN, predictions, Vocabulary((), ()), {"f1": score}).set_index("set")["f1"]
    assert shown[["seen lemma", "new lemma"]].tolist() == [0.5, 0.25]
