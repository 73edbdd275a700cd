"""Stress sets."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest

from esetrag.analysis import stress
from esetrag.analysis.examine import Examined
from esetrag.core import config, tables
from tests.unit.showing import sample, without_lemmas

STEMS = ("kana", "lomtá", "dara", "moszá", "vero", "birse")
ENDINGS = {"NOM": "", "IN+ESS": "ban", "ACC": "t"}
TRAIN = sample(*((stem, stem + ending, value) for stem in STEMS for value, ending in ENDINGS.items()))
TEST = sample(
    ("nemzet", "nemzet", "NOM"),
    ("turban", "turban", "NOM"),
    ("fala", "fala", "NOM"),
    ("fala", "falat", "ACC"),
    ("fála", "fálaban", "IN+ESS"),
    ("Bécs", "Bécsban", "IN+ESS"),
    ("bús", "bús", "NOM"),
)


@pytest.fixture
def options(given: config.Params) -> config.Evaluate:
    return given.evaluate.model_copy(update={"stress": 50})


def made(options: config.Evaluate, test: pa.Table = TEST) -> dict[str, stress.Set]:
    return {some.name: some for some in stress.sets(TRAIN, test, test["lemma"], options)}


def forms(made_set: stress.Set) -> list[str]:
    found: list[str] = made_set.forms.to_pylist()
    return found


def test_look_alikes_are_citation_forms_that_end_like_another_label(options: config.Evaluate) -> None:
    found = made(options)["look-alikes"]
    assert forms(found) == ["nemzet", "turban"]
    assert found.counterparts.tolist() == [2, 6]


def test_capitals_accents_and_punctuation_change_forms_and_keep_rows(
    options: config.Evaluate,
) -> None:
    found = made(options)
    assert forms(found["first letter capital"])[4:] == ["Fálaban", "Bús"], "Bécs has its capital"
    assert found["first letter capital"].rows.tolist() == [0, 1, 2, 3, 4, 6]
    assert forms(found["all letters capital"])[5] == "BÉCSBAN"
    assert forms(found["accents missing"]) == ["falaban"], "training has á and a, but no é, no ú"
    assert found["accents missing"].rows.tolist() == [4]
    for name, mark in stress.MARKS.items():
        assert forms(found[f"trailing {name}"]) == [form + mark for form in TEST["form"].to_pylist()]


def test_vowel_signs_and_letters_without_a_bare_one_stay(options: config.Evaluate) -> None:
    train = sample(("कि", "कि", "NOM"), ("йод", "йодт", "ACC"), ("한", "한", "NOM"))
    found = {some.name: some for some in stress.sets(train, train, train["lemma"], options)}
    assert forms(found["accents missing"]) == []
    assert forms(found["first letter capital"]) == ["Йодт"]


def test_a_set_is_no_larger_than_wanted_and_drawn_by_the_seed(options: config.Evaluate) -> None:
    test = sample(*((f"bor{i}", f"bor{i}t", "ACC") for i in range(60)))
    few = options.model_copy(update={"stress": 7})
    one, again = (made(few, test)["trailing comma"] for _ in range(2))
    assert len(forms(one)) == 7
    assert forms(one) == forms(again)
    other = made(few.model_copy(update={"seed": few.seed + 1}), test)["trailing comma"]
    assert forms(one) != forms(other)


def by_last_symbol(column: pa.ChunkedArray) -> pa.Table:
    """A model that knows three endings and no capital."""
    labels = [{"t": "ACC", "n": "IN+ESS"}.get(form[-1:], "NOM") for form in column.to_pylist()]
    return pa.table({"label": pa.array(labels, pa.string())})


def examined(options: config.Evaluate, test: pa.Table = TEST, train: pa.Table = TRAIN) -> pd.DataFrame:
    predictions = test.append_column("predicted", by_last_symbol(test["form"])["label"])
    return stress.examine(train, predictions, test["lemma"], by_last_symbol, options)


def test_each_set_has_accuracies_and_examples_of_errors(options: config.Evaluate) -> None:
    found = examined(options).set_index("set")
    alike = found.loc["look-alikes"]
    assert (alike["forms"], alike["accuracy"], alike["untouched"]) == (2, 0.0, 1.0)
    assert alike["examples"] == "nemzet (NOM → ACC), turban (NOM → IN+ESS)"
    capitals = found.loc["all letters capital"]
    assert (capitals["accuracy"], capitals["untouched"]) == pytest.approx((4 / 7, 5 / 7))
    first = found.loc["first letter capital"]
    assert first["accuracy"] == first["untouched"] == pytest.approx(4 / 6)
    assert found.loc["trailing full stop", "longest_suffix"] == pytest.approx(1 / 7), "ACC for all"


def test_the_figures_are_json(options: config.Evaluate) -> None:
    sets = examined(options, TEST.slice(2, 2))
    figures = Examined(sets, pd.DataFrame(), tables.ATTRIBUTIONS.empty_table()).figures
    content = json.loads(json.dumps(figures, allow_nan=False))
    nothing = {"forms": 0, "accuracy": None, "longest_suffix": None, "untouched": 1.0}
    assert content["look-alikes"] == nothing
    assert content["trailing comma"]["forms"] == 2


def test_without_lemmas_no_set_needs_them(options: config.Evaluate) -> None:
    found = examined(options, without_lemmas(TEST), without_lemmas(TRAIN))
    assert found["set"].tolist()[:2] == ["first letter capital", "all letters capital"]
