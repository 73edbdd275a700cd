"""The figures of a test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from esetrag.core import config, tables
from esetrag.scoring.calibration import Calibration, ModelOutput
from esetrag.tasks import base, evaluation
from esetrag.tasks.classify import Classify

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


PARTS = {"train": TRAIN, "dev": TRAIN, "test": TEST}
NAMES = ("logistic_regression", "longest_suffix", "majority")


@pytest.fixture
def options(given: config.Params) -> config.Evaluate:
    return given.evaluate.model_copy(update={"resamples": 200})


def output(shares: npt.NDArray[np.float32], ratio: float = 1.0) -> ModelOutput:
    return ModelOutput(shares, Calibration(ratio=ratio))


def evaluate(
    options: config.Evaluate,
    shares: npt.NDArray[np.float32] = SHARES,
    parts: dict[str, pa.Table] = PARTS,
    ratio: float = 1.0,
    seeds: tuple[ModelOutput, ...] = (),
    **others: ModelOutput,
) -> base.Tested:
    outputs = {"bilstm": output(shares, ratio), **others}
    calibrating = config.Calibration(temperature=True, risk=0.1, prior=None)
    return evaluation.evaluate(Classify(), parts, outputs, LABELS, options, calibrating, seeds)


def figures(options: config.Evaluate, shares: npt.NDArray[np.float32] = SHARES) -> dict[str, Any]:
    return evaluate(options, shares).figures


def test_the_figures_by_hand(options: config.Evaluate) -> None:
    found = figures(options)
    counts = ("rows", "pairs", "lemmas", "unseen_labels", "ambiguous_forms")
    assert [found[name] for name in counts] == [5, 5, 2, 1, 0]
    model = found["models"]["bilstm"]
    assert model["accuracy"] == model["any_correct"] == pytest.approx(3 / 5)
    assert model["loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.8, 0.4, 0.5))) / 4)
    assert found["models"]["longest_suffix"]["accuracy"] == pytest.approx(3 / 5)
    assert found["models"]["majority"]["accuracy"] == pytest.approx(1 / 5)
    assert found["upper_bound"]["accuracy"] == 1.0


def test_models_and_baselines_have_the_same_figures_on_the_same_draws(options: config.Evaluate) -> None:
    found = evaluate(options, ngram=output(np.roll(SHARES, 1, axis=1))).figures
    assert (found["model"], tuple(found["baselines"])) == ("bilstm", NAMES)
    assert list(found["models"]) == ["bilstm", "ngram", *NAMES]
    for entry in found["models"].values():
        assert set(entry) == set(found["models"]["bilstm"])
        assert entry["low"] <= entry["accuracy"] <= entry["high"]
        assert 0 <= entry["ece"] <= 1
    wanted = {"set_f1", "brier", "risk_area", "macro_f1", "temperature", "ratio", "threshold"}
    assert wanted <= set(found["models"]["bilstm"])
    alone = figures(options)
    assert all(found["models"][name] == alone["models"][name] for name in ("bilstm", *NAMES))


SYNCRETIC = sample([("ház", "ház", "ACC/NOM"), ("kéz", "kézt", "ACC"), ("láb", "láb", "IN+ESS/NOM")])
"""Five pairs of form and label."""


def test_a_form_of_several_labels_counts_strictly_once_each_and_is_correct_with_any(
    options: config.Evaluate,
) -> None:
    shares = np.array([[0.5, 0.1, 0.4], [0.9, 0.1, 0.0], [0.6, 0.2, 0.2]], np.float32)
    found = evaluate(options, shares, {**PARTS, "test": SYNCRETIC}, ratio=0.5)
    model = found.figures["models"]["bilstm"]
    assert (found.figures["pairs"], found.figures["ambiguous_forms"]) == (5, 2)
    assert model["accuracy"] == pytest.approx(2 / 5)
    assert model["any_correct"] == pytest.approx(2 / 3)
    assert found.figures["upper_bound"]["accuracy"] == pytest.approx(3 / 5)
    assert found.predictions["predicted_set"].to_pylist() == ["ACC/NOM", "ACC", "ACC"]
    assert (model["set_precision"], model["set_recall"]) == pytest.approx((3 / 4, 3 / 5))
    assert model["set_f1"] == pytest.approx(6 / 9)
    assert evaluation.confusion(found.predictions).to_dict("list") == {
        "label": ["ACC", "ACC", "IN+ESS"],
        "predicted": ["ACC", "ACC", "ACC"],
    }


def test_the_lead_is_on_the_best_baseline(options: config.Evaluate) -> None:
    perfect = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)
    found = figures(options, perfect)
    lead, models = found["lead"], found["models"]
    best = max(models[name]["any_correct"] for name in NAMES)
    assert models[lead["on"]]["any_correct"] == best
    assert lead["value"] == pytest.approx(4 / 5 - best)
    assert lead["low"] <= lead["value"] <= lead["high"]
    own = models["bilstm"]["any_correct_high"] - models["bilstm"]["any_correct_low"]
    assert found["resolution"] == pytest.approx(own / math.sqrt(2))


def test_other_seeds_give_mean_and_deviation(options: config.Evaluate) -> None:
    assert figures(options)["seeds"] == {"count": 1, "mean": pytest.approx(3 / 5)}
    worse = output(np.tile(np.array([[0, 0, 1]], np.float32), (5, 1)))
    spread = evaluate(options, seeds=(worse,)).figures["seeds"]
    assert spread["count"] == 2
    assert spread["mean"] == pytest.approx((3 / 5 + 2 / 5) / 2)
    assert spread["deviation"] == pytest.approx(np.std([3 / 5, 2 / 5], ddof=1))


@pytest.mark.parametrize(("length", "correct"), [(1, 1), (2, 2), (3, 3)])
def test_the_suffix_baseline_is_as_long_as_wanted(
    options: config.Evaluate, length: int, correct: int
) -> None:
    train = sample([("a", "xxban", "IN+ESS"), ("b", "xxxan", "NOM"), ("c", "xxxxn", "NOM")])
    test = sample([("d", "qqban", "IN+ESS"), ("e", "ban", "IN+ESS"), ("f", "xan", "NOM")])
    parts, shares = {"train": train, "dev": train, "test": test}, np.full((3, 3), 1 / 3, np.float32)
    found = evaluate(options.model_copy(update={"suffix_length": length}), shares, parts).figures
    assert found["models"]["longest_suffix"]["accuracy"] == pytest.approx(correct / 3)


def test_baselines_are_calibrated_on_dev_alone(options: config.Evaluate) -> None:
    whole = figures(options)["models"]
    part = evaluate(options, SHARES[:2], {**PARTS, "test": TEST.slice(0, 2)}).figures["models"]
    for name in NAMES:
        fitted = (
            [models[name][key] for key in ("temperature", "ratio", "threshold")] for models in (whole, part)
        )
        assert next(fitted) == next(fitted)
    empty = evaluate(options, parts={**PARTS, "dev": TRAIN.slice(0, 0)}).figures["models"]
    assert empty["longest_suffix"]["temperature"] == 1


def test_without_lemmas_forms_are_drawn_and_without_known_labels_there_is_no_loss(
    options: config.Evaluate,
) -> None:
    nullable = pa.array([None] * 5, pa.string())
    bare = TEST.set_column(0, "lemma", nullable)
    assert evaluation.clusters_of(bare).tolist() == TEST["form"].to_pylist()
    unseen = TEST.slice(4)
    model = evaluate(options, SHARES[4:], {**PARTS, "test": unseen}).figures["models"]["bilstm"]
    assert (model["loss"], model["accuracy"]) == (None, 0.0)


def test_the_predictions_are_the_test_rows_with_label_set_and_probabilities(options: config.Evaluate) -> None:
    table = evaluate(options).predictions
    assert table.schema.equals(tables.predictions(list(LABELS)), check_metadata=True)
    assert table.select(tables.ROWS.names).cast(tables.ROWS).equals(TEST.select(tables.ROWS.names))
    assert table["predicted"].to_pylist() == ["NOM", "ACC", "ACC", "NOM", "NOM"]
    assert table["probability"].to_pylist() == pytest.approx([0.7, 0.8, 0.5, 0.5, 1.0])
    assert np.array(table["probabilities"].to_pylist(), np.float32).tolist() == SHARES.tolist()
    ties = evaluate(options, np.full((5, 3), 1 / 3, np.float32)).predictions
    assert ties["predicted"].to_pylist() == ties["predicted_set"].to_pylist() == ["ACC"] * 5


def test_the_tables_are_of_every_label_and_every_form(options: config.Evaluate) -> None:
    found = evaluate(options)
    assert found.classes["label"].tolist() == ["ACC", "DAT", "IN+ESS", "NOM"]
    assert found.classes["support"].tolist() == [1, 1, 1, 2]
    assert found.classes["recall"].tolist() == [1.0, 0.0, 0.0, 1.0]
    forms = found.reliability.groupby("model")["forms"].sum().to_dict()
    assert forms == dict.fromkeys(("bilstm", *NAMES), 5)
    assert found.coverage["coverage"].iloc[-1] == 1
    assert found.coverage["risk"].iloc[-1] == pytest.approx(2 / 5)


def test_each_feature_of_bundles_has_its_own_scores(options: config.Evaluate) -> None:
    rows = sample([("fa", "fa", "NOM;SG"), ("fa", "fák", "NOM;PL"), ("fa", "fát", "ACC;SG/NOM;PL")])
    labels = ("ACC;SG", "NOM;PL", "NOM;SG")
    shares = np.array([[0.4, 0.35, 0.25], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]], np.float32)
    parts = dict.fromkeys(("train", "dev", "test"), rows)
    outputs, calibrating = (
        {"bilstm": output(shares)},
        config.Calibration(temperature=True, risk=0.1, prior=None),
    )
    asked = ("Case", "Number")
    tested = evaluation.evaluate(Classify(), parts, outputs, labels, options, calibrating, (), asked)
    scores = tested.figures["features"]
    assert tested.figures["models"]["bilstm"]["any_correct"] == pytest.approx(1 / 3)
    assert scores["Case"]["bilstm"]["accuracy"] == 1  # of fa 0.6 is NOM, though ACC;SG is its top bundle
    assert scores["Number"]["bilstm"]["accuracy"] == 1
    assert {*scores["Case"]} == {"bilstm", *NAMES}


def test_with_a_prior_an_accuracy_counts_labels_as_often_as_texts_have_them() -> None:
    """One of two nominatives is found, and the only accusative; the others are not."""
    prior = Calibration(prior=tuple({"NOM": 0.6, "ACC": 0.3}.get(label, 0.05) for label in LABELS))
    shares = np.array(
        [[label == wanted for label in LABELS] for wanted in ("NOM", "ACC", "NOM", "ACC", "NOM")]
    )
    scores = Classify().scores(TEST, ModelOutput(shares.astype(np.float32), prior), LABELS)
    known = [label for label in ("NOM", "ACC", "IN+ESS", "DAT") if label in LABELS]
    total = sum(dict(zip(LABELS, prior.prior, strict=True))[label] for label in known)
    assert scores["text_accuracy"].value == pytest.approx((0.3 + 0.3) / total)
    assert "text_accuracy" not in Classify().scores(TEST, output(SHARES), LABELS)
