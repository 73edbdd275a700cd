"""The figures of a test of words that are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from esetrag.core import config, tables
from esetrag.core.layout import Layout
from esetrag.scoring.calibration import Calibration
from esetrag.symbols.batch import Batch
from esetrag.tasks import base, transduce_evaluation
from esetrag.tasks.transduce_evaluation import Ranked, baselines
from tests import writing
from tests.samples import CPU
from tests.writing import asked

TRAIN = asked(
    ("kana", "N;PL", "kanák"), ("fa", "N;PL", "fák"), ("bor", "N;PL", "borok"), ("kana", "N;SG", "kana"),
)  # fmt: skip
ROWS = asked(
    ("alma", "N;PL", "almák"),
    ("alma", "N;SG", "alma"),
    ("tor", "N;PL", "torok|torak"),
    ("tor", "N;DU", "tor"),
    ("meggy", "N;PL", "meggyez"),
)
WORDS = np.array([["almák", "alma"], ["alma", ""], ["torak", "torok"], ["torq", "tor"], ["meggyok", "xx"]])
SHARES = np.array([[0.9, 0.1], [1.0, 0.0], [0.6, 0.4], [0.5, 0.5], [0.8, 0.2]], np.float32)


@pytest.fixture
def tested(params: config.Params) -> base.Tested:
    return evaluated(params, Ranked(WORDS, SHARES, Calibration(ratio=0.5, threshold=0.55)))


def evaluated(params: config.Params, own: Ranked, seeds: tuple[Ranked, ...] = ()) -> base.Tested:
    options = params.evaluate.model_copy(update={"resamples": 200})
    parts = {"train": TRAIN, "dev": TRAIN, "test": ROWS}
    data = writing.data(TRAIN, ROWS, writing.task())
    nothing: Any = None
    start = base.Test(
        Layout("toy"),
        parts,
        data.dev,
        [],
        writing.model(),
        config.Compared(),
        writing.options(),
        options,
        nothing,
    )
    forms = np.array(ROWS["form"].to_pylist())
    models = {"seq2seq": own, **baselines(TRAIN, data.train, Batch.of(data.dev, CPU), forms, data.vocabulary)}
    return transduce_evaluation.evaluate(ROWS, models, list(seeds), data.vocabulary, start)


def test_the_figures_by_hand(tested: base.Tested) -> None:
    found = tested.figures
    own = found["models"]["seq2seq"]
    assert own["accuracy"] == own["any_correct"] == pytest.approx(3 / 5)
    assert own["edit_distance"] == pytest.approx((0 + 0 + 0 + 1 + 2) / 5)
    assert own["in_candidates"] == pytest.approx(4 / 5)
    assert own["low"] <= own["accuracy"] <= own["high"]
    assert (found["rows"], found["lemmas"], found["ambiguous_forms"]) == (5, 3, 1)
    # DU is a value, and e and z are letters of an output, that no training row has.
    assert found["upper_bound"]["accuracy"] == pytest.approx(3 / 5)
    assert found["seeds"] == {"count": 1, "mean": pytest.approx(3 / 5)}


def test_the_baselines_copy_the_word_and_do_what_training_does_most(tested: base.Tested) -> None:
    models = tested.figures["models"]
    assert list(models) == ["seq2seq", "edit_rules", "copy"]
    assert models["copy"]["accuracy"] == pytest.approx(2 / 5)
    # almák by fák, alma by kana, torok by borok, tor as it is: a bundle without a rule
    assert models["edit_rules"]["accuracy"] == pytest.approx(4 / 5)
    lead = tested.figures["lead"]
    assert (lead["on"], lead["value"]) == ("edit_rules", pytest.approx(-1 / 5))


def test_the_predictions_are_the_rows_with_candidates_and_sets(tested: base.Tested) -> None:
    found = tested.predictions
    assert found.schema.equals(tables.TRANSDUCTIONS)
    assert found["predicted"].to_pylist() == WORDS[:, 0].tolist()
    assert found["predicted_set"].to_pylist() == ["almák", "alma", "torak/torok", "", "meggyok"]
    assert found["candidates"].to_pylist()[1] == ["alma"]
    assert found["probabilities"].to_pylist()[2] == pytest.approx([0.6, 0.4])
    assert found.select(tables.ROWS.names).equals(ROWS.select(tables.ROWS.names).cast(tables.ROWS))


def test_values_of_features_have_a_share_of_right_words(tested: base.Tested) -> None:
    found = tested.classes.set_index("label")
    assert found["support"].to_dict() == {"DU": 1, "N": 5, "PL": 3, "SG": 1}
    assert found["recall"].to_dict() == pytest.approx({"DU": 0, "N": 3 / 5, "PL": 2 / 3, "SG": 1})
    assert tested.coverage["risk"].iloc[-1] == pytest.approx(2 / 5)
    assert tested.confusion.iloc[0].tolist() == ["-1 +ák", "-1 +ák"]


def test_other_seeds_give_mean_and_deviation(params: config.Params) -> None:
    own = Ranked(WORDS, SHARES)
    worse = Ranked(np.full((5, 1), "x"), np.ones((5, 1), np.float32))
    found = evaluated(params, own, (worse,)).figures["seeds"]
    assert found == pytest.approx({"count": 2, "mean": 0.3, "deviation": np.std([0.6, 0.0], ddof=1)})


def test_where_letters_are_written_the_rules_are_edits_nevertheless() -> None:
    kind = writing.task(output="letters")
    data = writing.data(TRAIN, ROWS, kind)
    forms = np.array(ROWS["form"].to_pylist())
    found = baselines(TRAIN, data.train, Batch.of(data.dev, CPU), forms, data.vocabulary)
    assert found["edit_rules"].words[:, 0].tolist()[:3] == ["almák", "alma", "torok"]


def test_without_features_values_have_no_table() -> None:
    rows: pa.Table = asked(("házak", None, "ház"))
    assert transduce_evaluation.by_value(rows, np.array([True])).empty


def test_a_word_that_two_scripts_write_is_listed_once_with_both_probabilities() -> None:
    words, shares = transduce_evaluation.once(
        np.array([["a", "b", "b", ""]]), np.array([[0.4, 0.35, 0.25, 0.0]], np.float32)
    )
    assert words.tolist() == [["b", "a", "", ""]]
    np.testing.assert_allclose(shares, [[0.6, 0.4, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize(("threshold", "chosen"), [(0.5, "a"), (0.501, "")])
def test_what_is_as_probable_as_the_threshold_is_answered(threshold: float, chosen: str) -> None:
    ranked = Ranked(
        np.array([["a", "b"]]), np.array([[0.5, 0.25]], np.float32), Calibration(threshold=threshold)
    )
    assert ranked.chosen == [chosen]


def test_a_word_that_no_script_can_change_is_beyond_the_upper_bound() -> None:
    rows: pa.Table = asked(
        ("x" * 498, "N;SG", "fa"), ("x" * 499, "N;SG", "fa"), ("x" * 499, "N;SG", "x" * 499)
    )
    vocabulary = writing.data(rows, rows, writing.task()).vocabulary
    assert transduce_evaluation.expressible(rows, vocabulary).tolist() == [True, False, True]
