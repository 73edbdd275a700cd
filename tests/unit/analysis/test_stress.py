from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from esetrag.analysis import stress
from esetrag.core import config, files
from esetrag.core.errors import DataError
from tests.unit.showing import sample

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
def how(given: config.Params) -> config.Evaluate:
    return given.evaluate.model_copy(update={"stress": 50})


def made(how: config.Evaluate, test: pa.Table = TEST) -> dict[str, stress.Set]:
    return {some.name: some for some in stress.sets(TRAIN, test, test["lemma"], how)}


def forms(some: stress.Set) -> list[str]:
    found: list[str] = some.forms.to_pylist()
    return found


def test_look_alikes_are_citation_forms_that_end_like_another_value(how: config.Evaluate) -> None:
    found = made(how)["look-alikes"]
    assert forms(found) == ["nemzet", "turban"]
    assert found.counterparts.tolist() == [2, 6]


def test_capitals_accents_and_punctuation_change_the_forms_and_keep_their_rows(how: config.Evaluate) -> None:
    found = made(how)
    assert forms(found["first letter capital"])[4:] == ["Fálaban", "Bús"], "Bécs has its capital"
    assert found["first letter capital"].rows.tolist() == [0, 1, 2, 3, 4, 6]
    assert forms(found["all letters capital"])[5] == "BÉCSBAN"
    assert forms(found["accents missing"]) == ["falaban"], "training has á and a, but no é, no ú"
    assert found["accents missing"].rows.tolist() == [4]
    for name, mark in stress.MARKS.items():
        assert forms(found[f"{name} behind"]) == [form + mark for form in TEST["form"].to_pylist()]


def test_vowel_signs_and_letters_without_a_bare_one_stay(how: config.Evaluate) -> None:
    train = sample(("कि", "कि", "NOM"), ("йод", "йодт", "ACC"), ("한", "한", "NOM"))
    found = {some.name: some for some in stress.sets(train, train, train["lemma"], how)}
    assert forms(found["accents missing"]) == []
    assert forms(found["first letter capital"]) == ["Йодт"]


def test_a_set_is_no_larger_than_wanted_and_drawn_by_the_seed(how: config.Evaluate) -> None:
    test = sample(*((f"bor{i}", f"bor{i}t", "ACC") for i in range(60)))
    few = how.model_copy(update={"stress": 7})
    one, again = (made(few, test)["comma behind"] for _ in range(2))
    assert len(forms(one)) == 7
    assert forms(one) == forms(again)
    other = made(few.model_copy(update={"seed": few.seed + 1}), test)["comma behind"]
    assert forms(one) != forms(other)


def by_last_symbol(column: pa.ChunkedArray) -> pa.Table:
    """A reader that knows three endings and no capital."""
    labels = [{"t": "ACC", "n": "IN+ESS"}.get(form[-1:], "NOM") for form in column.to_pylist()]
    return pa.table({"label": labels})


def examined(how: config.Evaluate, test: pa.Table = TEST) -> pd.DataFrame:
    predictions = test.append_column("predicted", by_last_symbol(test["form"])["label"])
    return stress.examine(TRAIN, predictions, test["lemma"], by_last_symbol, how)


def test_each_set_is_told_with_accuracies_and_what_is_misread(how: config.Evaluate) -> None:
    found = examined(how).set_index("set")
    alike = found.loc["look-alikes"]
    assert (alike["forms"], alike["accuracy"], alike["untouched"]) == (2, 0.0, 1.0)
    assert alike["examples"] == "nemzet (NOM → ACC), turban (NOM → IN+ESS)"
    capitals = found.loc["all letters capital"]
    assert capitals["accuracy"] == pytest.approx(4 / 7)
    assert capitals["untouched"] == pytest.approx(5 / 7)
    first = found.loc["first letter capital"]
    assert first["accuracy"] == first["untouched"] == pytest.approx(4 / 6)
    assert found.loc["full stop behind", "suffix"] == pytest.approx(1 / 7), "no suffix is known: ACC for all"


def test_the_table_survives_its_file_and_sets_without_forms_are_not_shown(
    tmp_path: Path, how: config.Evaluate
) -> None:
    found = examined(how, TEST.slice(2, 2))
    assert found.loc[found["set"] == "look-alikes", "forms"].tolist() == [0]
    files.write_csv(tmp_path / "stress.csv", found)
    again = stress.read_csv(tmp_path / "stress.csv")
    pd.testing.assert_frame_equal(again, found, check_dtype=False)
    assert "look-alikes" not in stress.frame(again)["set"].tolist()
    assert math.isnan(again.loc[again["set"] == "look-alikes", "accuracy"].iloc[0])


def test_a_table_that_is_missing_or_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a table of stress sets .* make it anew: dvc repro"):
        stress.read_csv(tmp_path / "stress.csv")
    (tmp_path / "stress.csv").write_text("set,forms\na,many\n", "utf-8")
    with pytest.raises(DataError, match=r"not a table of stress sets"):
        stress.read_csv(tmp_path / "stress.csv")


def test_the_figures_are_json(how: config.Evaluate) -> None:
    content = json.loads(json.dumps(stress.figures(examined(how, TEST.slice(2, 2))), allow_nan=False))
    assert content["look-alikes"] == {"forms": 0, "accuracy": None, "suffix": None, "untouched": 1.0}
    assert content["comma behind"]["forms"] == 2
