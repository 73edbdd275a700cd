from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from esetrag import evaluation, params, tables

LABELS = ("ACC", "IN+ESS", "NOM")


def sample(rows: list[tuple[str, str, str]]) -> pa.Table:
    """Rows of lemma, form and label."""
    columns = zip(*[(lemma, form, f"N;{label};SG", label) for lemma, form, label in rows], strict=True)
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=tables.SAMPLE)


TRAIN = sample(
    [("kana", "kana", "NOM"), ("kana", "kanat", "ACC"), ("kana", "kanaban", "IN+ESS"), ("bor", "bort", "ACC")]
)
TEST = sample(
    [
        ("fa", "fa", "NOM"),
        ("fa", "fat", "ACC"),
        ("fa", "faban", "IN+ESS"),
        ("öt", "öt", "NOM"),
        ("öt", "ötnek", "DAT"),
    ]
)
SHARES = np.array(
    [[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0]], np.float32
)


@pytest.fixture
def how(given: params.Params) -> params.Evaluate:
    return given.evaluate.model_copy(update={"resamples": 200})


def figures(how: params.Evaluate, shares: npt.NDArray[np.float32] = SHARES) -> dict[str, Any]:
    return evaluation.evaluate(TRAIN, TEST, shares, LABELS, how).figures


def test_the_figures_by_hand(how: params.Evaluate) -> None:
    found = figures(how)
    assert (found["rows"], found["lemmas"], found["unseen_labels"]) == (5, 2, 1)
    assert found["reader"]["accuracy"] == pytest.approx(3 / 5)
    assert found["reader"]["loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.8, 0.4, 0.5))) / 4)
    assert found["suffix"]["accuracy"] == pytest.approx(3 / 5)
    assert found["majority"]["accuracy"] == pytest.approx(1 / 5)
    assert found["ceiling"]["accuracy"] == 1.0


def test_every_reader_has_an_interval_and_macro_f1(how: params.Evaluate) -> None:
    found = figures(how)
    for reader in ("reader", "suffix", "majority"):
        assert {"accuracy", "low", "high", "macro_f1"} <= set(found[reader])
        assert found[reader]["low"] <= found[reader]["accuracy"] <= found[reader]["high"]


def test_the_reader_is_compared_on_the_same_resamples(how: params.Evaluate) -> None:
    assert figures(how) == figures(how)
    other = figures(how, np.roll(SHARES, 1, axis=1))
    assert other["suffix"] == figures(how)["suffix"]


def test_the_suffix_baseline_is_as_long_as_wanted(how: params.Evaluate) -> None:
    short = figures(how.model_copy(update={"suffix_length": 1}))
    assert short["suffix"]["accuracy"] == pytest.approx(3 / 5)
    train = sample([("a", "xxban", "IN+ESS"), ("b", "xxxan", "NOM"), ("c", "xxxxn", "NOM")])
    test = sample([("d", "qqban", "IN+ESS"), ("e", "ban", "IN+ESS"), ("f", "xan", "NOM")])
    shares = np.full((3, 3), 1 / 3, np.float32)
    for length, right in ((1, 1), (2, 2), (3, 3)):
        wanted = how.model_copy(update={"suffix_length": length})
        found = evaluation.evaluate(train, test, shares, LABELS, wanted).figures
        assert found["suffix"]["accuracy"] == pytest.approx(right / 3)


def test_the_predictions_are_the_test_rows_with_what_was_read(how: params.Evaluate) -> None:
    table = evaluation.evaluate(TRAIN, TEST, SHARES, LABELS, how).predictions
    assert table.schema.equals(tables.predictions(list(LABELS)), check_metadata=True)
    assert table.select(tables.SAMPLE.names).cast(tables.SAMPLE).equals(TEST)
    assert table["predicted"].to_pylist() == ["NOM", "ACC", "ACC", "NOM", "NOM"]
    assert table["probability"].to_pylist() == pytest.approx([0.7, 0.8, 0.5, 0.5, 1.0])
    assert np.array(table["probabilities"].to_pylist(), np.float32).tolist() == SHARES.tolist()


def test_of_equal_shares_the_first_label_is_read(how: params.Evaluate) -> None:
    shares = np.full((5, 3), 1 / 3, np.float32)
    found = evaluation.evaluate(TRAIN, TEST, shares, LABELS, how)
    assert found.predictions["predicted"].to_pylist() == ["ACC"] * 5


def test_the_classes_are_the_labels_borne_or_read(how: params.Evaluate) -> None:
    classes = evaluation.evaluate(TRAIN, TEST, SHARES, LABELS, how).classes
    assert classes["label"].tolist() == ["ACC", "DAT", "IN+ESS", "NOM"]
    assert classes["support"].tolist() == [1, 1, 1, 2]
    assert classes["recall"].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_the_loss_is_finite_where_the_true_label_got_nothing() -> None:
    gold = pa.chunked_array([["ACC", "NOM"]])
    shares = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]], np.float32)
    loss = evaluation.loss(gold, shares, LABELS)
    assert loss is not None
    assert math.isfinite(loss)
    assert loss > 10


def test_there_is_no_loss_where_no_label_is_known() -> None:
    assert evaluation.loss(pa.chunked_array([["ESS"]]), SHARES[:1], LABELS) is None
