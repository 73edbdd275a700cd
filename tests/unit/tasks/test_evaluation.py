from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from esetrag.core import config, tables
from esetrag.scoring.calibration import Calibration, Read
from esetrag.tasks import evaluation
from esetrag.tasks.evaluation import Evaluation

LABELS = ("ACC", "IN+ESS", "NOM")


def sample(rows: list[tuple[str, str, str]]) -> pa.Table:
    """Rows of lemma, form and label."""
    columns = zip(*[(lemma, form, f"N;{label};SG", label) for lemma, form, label in rows], strict=True)
    return tables.sample(*columns)


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
def how(given: config.Params) -> config.Evaluate:
    return given.evaluate.model_copy(update={"resamples": 200})


PARTS = {"train": TRAIN, "dev": TRAIN, "test": TEST}


def evaluate(
    how: config.Evaluate,
    shares: npt.NDArray[np.float32] = SHARES,
    parts: dict[str, pa.Table] = PARTS,
    more: tuple[npt.NDArray[np.float32], ...] = (),
    ratio: float = 1.0,
) -> Evaluation:
    reads = [Read(some, Calibration(ratio=ratio)) for some in (shares, *more)]
    return evaluation.evaluate(parts, reads, LABELS, how, config.Calibration(temperature=True, risk=0.1))


def figures(how: config.Evaluate, shares: npt.NDArray[np.float32] = SHARES) -> dict[str, Any]:
    return evaluate(how, shares).figures


def test_the_figures_by_hand(how: config.Evaluate) -> None:
    found = figures(how)
    assert (found["rows"], found["pairs"], found["lemmas"], found["unseen_labels"]) == (5, 5, 2, 1)
    assert found["several_values"] == 0
    assert found["reader"]["accuracy"] == found["reader"]["any_gold"] == pytest.approx(3 / 5)
    assert found["reader"]["loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.8, 0.4, 0.5))) / 4)
    assert found["suffix"]["accuracy"] == pytest.approx(3 / 5)
    assert found["majority"]["accuracy"] == pytest.approx(1 / 5)
    assert found["ceiling"]["accuracy"] == 1.0


def test_every_reader_has_all_figures(how: config.Evaluate) -> None:
    found = figures(how)
    for reader in ("reader", "ngram", "suffix", "majority"):
        assert set(found[reader]) == set(found["reader"])
        assert found[reader]["low"] <= found[reader]["accuracy"] <= found[reader]["high"]
        assert 0 <= found[reader]["ece"] <= 1
    assert {"set_f1", "brier", "risk_area", "macro_f1", "temperature", "ratio"} <= set(found["reader"])


SYNCRETIC = sample([("ház", "ház", "ACC/NOM"), ("kéz", "kézt", "ACC"), ("láb", "láb", "IN+ESS/NOM")])
"""Five pairs of form and value."""


def test_a_form_of_several_values_counts_strictly_once_each_and_is_right_if_one_is_read(
    how: config.Evaluate,
) -> None:
    shares = np.array([[0.5, 0.1, 0.4], [0.9, 0.1, 0.0], [0.6, 0.2, 0.2]], np.float32)
    found = evaluate(how, shares, {**PARTS, "test": SYNCRETIC}, ratio=0.5)
    reader = found.figures["reader"]
    assert (found.figures["pairs"], found.figures["several_values"]) == (5, 2)
    assert reader["accuracy"] == pytest.approx(2 / 5)
    assert reader["any_gold"] == pytest.approx(2 / 3)
    assert found.figures["ceiling"]["accuracy"] == pytest.approx(3 / 5)
    assert found.predictions["predicted_set"].to_pylist() == ["ACC/NOM", "ACC", "ACC"]
    assert (reader["set_precision"], reader["set_recall"]) == pytest.approx((3 / 4, 3 / 5))
    assert reader["set_f1"] == pytest.approx(6 / 9)
    assert evaluation.confusion(found.predictions).to_dict("list") == {
        "label": ["ACC", "ACC", "IN+ESS"],
        "predicted": ["ACC", "ACC", "ACC"],
    }


def test_the_lead_is_on_the_best_baseline_and_paired(how: config.Evaluate) -> None:
    perfect = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)
    lead = figures(how, perfect)["lead"]
    best = max(figures(how)[name]["any_gold"] for name in ("ngram", "suffix", "majority"))
    assert lead["value"] == pytest.approx(4 / 5 - best)
    assert lead["low"] <= lead["value"] <= lead["high"]
    assert figures(how)[lead["on"]]["any_gold"] == best


def test_what_the_test_can_resolve_is_wider_than_one_reader_s_own_doubt(how: config.Evaluate) -> None:
    found = figures(how)
    own = found["reader"]["any_gold_high"] - found["reader"]["any_gold_low"]
    assert found["resolution"] == pytest.approx(own / math.sqrt(2))


def test_repetitions_give_mean_and_deviation(how: config.Evaluate) -> None:
    assert figures(how)["seeds"] == {"count": 1, "mean": pytest.approx(3 / 5)}
    worse = np.tile(np.array([[0, 0, 1]], np.float32), (5, 1))
    spread = evaluate(how, more=(worse,)).figures["seeds"]
    assert spread["count"] == 2
    assert spread["mean"] == pytest.approx((3 / 5 + 2 / 5) / 2)
    assert spread["deviation"] == pytest.approx(np.std([3 / 5, 2 / 5], ddof=1))


def test_the_reader_is_compared_on_the_same_resamples(how: config.Evaluate) -> None:
    assert figures(how) == figures(how)
    other = figures(how, np.roll(SHARES, 1, axis=1))
    assert other["suffix"] == figures(how)["suffix"]


def test_the_suffix_baseline_is_as_long_as_wanted(how: config.Evaluate) -> None:
    short = figures(how.model_copy(update={"suffix_length": 1}))
    assert short["suffix"]["accuracy"] == pytest.approx(3 / 5)
    train = sample([("a", "xxban", "IN+ESS"), ("b", "xxxan", "NOM"), ("c", "xxxxn", "NOM")])
    test = sample([("d", "qqban", "IN+ESS"), ("e", "ban", "IN+ESS"), ("f", "xan", "NOM")])
    shares = np.full((3, 3), 1 / 3, np.float32)
    for length, right in ((1, 1), (2, 2), (3, 3)):
        wanted = how.model_copy(update={"suffix_length": length})
        found = evaluate(wanted, shares, {"train": train, "dev": train, "test": test}).figures
        assert found["suffix"]["accuracy"] == pytest.approx(right / 3)


def test_baselines_are_calibrated_without_a_look_at_the_test_part(how: config.Evaluate) -> None:
    parts = {**PARTS, "test": TEST.slice(0, 2)}
    kept = ("temperature", "ratio", "least")
    whole, part = figures(how), evaluate(how, SHARES[:2], parts).figures
    for name in ("ngram", "suffix", "majority"):
        assert [whole[name][key] for key in kept] == [part[name][key] for key in kept]


def test_an_empty_dev_part_calibrates_nothing(how: config.Evaluate) -> None:
    found = evaluate(how, parts={**PARTS, "dev": TRAIN.slice(0, 0)}).figures
    assert found["suffix"]["temperature"] == 1


def test_the_predictions_are_the_test_rows_with_what_was_read(how: config.Evaluate) -> None:
    table = evaluate(how).predictions
    assert table.schema.equals(tables.predictions(list(LABELS)), check_metadata=True)
    assert table.select(tables.SAMPLE.names).cast(tables.SAMPLE).equals(TEST)
    assert table["predicted"].to_pylist() == ["NOM", "ACC", "ACC", "NOM", "NOM"]
    assert table["probability"].to_pylist() == pytest.approx([0.7, 0.8, 0.5, 0.5, 1.0])
    assert np.array(table["probabilities"].to_pylist(), np.float32).tolist() == SHARES.tolist()


def test_of_equal_shares_the_first_label_is_read(how: config.Evaluate) -> None:
    found = evaluate(how, np.full((5, 3), 1 / 3, np.float32))
    assert found.predictions["predicted"].to_pylist() == ["ACC"] * 5
    assert found.predictions["predicted_set"].to_pylist() == ["ACC"] * 5


def test_the_classes_are_the_values_borne_or_read(how: config.Evaluate) -> None:
    classes = evaluate(how).classes
    assert classes["label"].tolist() == ["ACC", "DAT", "IN+ESS", "NOM"]
    assert classes["support"].tolist() == [1, 1, 1, 2]
    assert classes["recall"].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_reliability_and_coverage_are_told_of_every_form(how: config.Evaluate) -> None:
    found = evaluate(how)
    assert found.reliability.groupby("reader")["forms"].sum().to_dict() == dict.fromkeys(
        ("majority", "ngram", "reader", "suffix"), 5
    )
    assert found.coverage["coverage"].iloc[-1] == 1
    assert found.coverage["risk"].iloc[-1] == pytest.approx(1 - found.figures["reader"]["any_gold"])
