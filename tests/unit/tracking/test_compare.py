from __future__ import annotations

import json
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.tracking import compare
from esetrag.tracking.compare import Comparison, mcnemar
from esetrag.tracking.run_state import State
from tests.unit.tracking.conftest import FORMS, LEMMAS, predictions

HOW = config.Evaluate(seed=1, resamples=300, confidence=0.95, suffix_length=6, stress=9, compare=[])
A_ALONE, B_ALONE = (3, 7, 11), tuple(range(20, 80, FORMS))


def state(name: str, wrong: set[int], rows: range = range(FORMS * LEMMAS), **others: Any) -> State:
    """A run that misclassifies the rows of these numbers."""
    table = predictions(wrong, rows)
    given = {"sample.seed": 1, "train.epochs": 3, **others.get("params", {})}
    return State(name, given, {"rows": len(rows), **others.get("metrics", {})}, table)


def compared(**others: Any) -> Comparison:
    """A misclassifies 20 of 200 rows, B 11: 12 that A misclassifies it does not, 3 it alone does."""
    both = {150, 151, 152, 153, 160, 161, 162, 163}
    a, b = state("old", both | set(B_ALONE)), state("new", both | set(A_ALONE), **others)
    return compare.compare(a, b, HOW)


@for_all(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_sum_of_the_binomials_tails(lost: int, gained: int) -> None:
    count, least = lost + gained, min(lost, gained)
    exact = min(1.0, 2 * sum(comb(count, k) for k in range(least + 1)) / 2**count)
    assert mcnemar(lost, gained) == pytest.approx(exact)


def test_what_only_one_of_them_has_correct_is_counted_and_listed() -> None:
    found = compared()
    assert found.shared == 200
    assert found.accuracy == (0.9, 0.945)
    assert [word["form"] for word in found.lost] == [f"l{i // 5:02}x{i % 5}" for i in A_ALONE]
    assert [word["form"] for word in found.gained] == [f"l{i // 5:02}x{i % 5}" for i in B_ALONE]
    assert found.lost[0] == {
        "lemma": "l00",
        "form": "l00x3",
        "features": "N;C3",
        "label": "C3",
        "predicted": "C4",
    }
    assert found.gained[0]["predicted"] == "C1"
    assert found.p == mcnemar(3, 12)
    assert not found.relabelled
    assert not compare.notices(found)


def test_forms_misclassified_together_make_the_interval_doubt_what_mcnemar_does_not() -> None:
    together = [*range(20, 24), *range(60, 64), *range(100, 104)]
    found = compare.compare(state("a", set(together)), state("b", set(A_ALONE)), HOW)
    assert found.p == compared().p
    assert found.p < 0.05
    assert found.gain.low < 0 < compared().gain.low
    assert compare.sentence(found).endswith("p = 0.035; not statistically significant.")


def test_the_order_of_the_rows_is_without_influence() -> None:
    a, b = state("a", set(B_ALONE)), state("b", set(A_ALONE))
    order = np.random.default_rng(1).permutation(FORMS * LEMMAS)
    shuffled = State(b.name, b.params, b.metrics, b.predictions.take(order))
    assert compare.compare(a, shuffled, HOW) == compare.compare(a, b, HOW)


def test_rows_that_stand_several_times_are_each_compared_with_their_like() -> None:
    """Given parts are kept row by row: a word may stand twice, under one label or under two."""
    a, b = (state(name, wrong) for name, wrong in (("a", set(B_ALONE)), ("b", set(A_ALONE))))
    a, b = (replace(each, predictions=pa.concat_tables(2 * [each.predictions])) for each in (a, b))
    other = relabel(state("other", set()), 3).predictions.slice(0, 3)
    a, b = (
        replace(a, predictions=pa.concat_tables([a.predictions, other])),
        replace(b, predictions=pa.concat_tables([other, b.predictions])),
    )
    found = compare.compare(a, b, HOW)
    assert (found.shared, found.rows, found.relabelled) == (403, (403, 403), [])
    assert (len(found.lost), len(found.gained)) == (2 * len(A_ALONE), 2 * len(B_ALONE))


def test_the_mirrored_comparison_is_the_mirror() -> None:
    a, b = state("a", set(B_ALONE)), state("b", set(A_ALONE))
    there, back = compare.compare(a, b, HOW), compare.compare(b, a, HOW)
    assert back.gain.value == -there.gain.value
    assert (back.lost, back.gained) == (there.gained, there.lost)
    assert back.p == pytest.approx(there.p)


def test_parameters_and_figures_that_differ_are_named() -> None:
    found = compared(params={"train.epochs": 2, "train.clip": None}, metrics={"rows": 201, "x": 0.5})
    assert found.params == {"train.epochs": (3, 2)}
    assert found.metrics == {"rows": (200, 201), "x": (None, 0.5)}


def test_other_test_rows_are_named_and_the_shared_ones_compared() -> None:
    a = state("a", {0, 120}, range(150))
    b = state("b", {100, 199}, range(100, 200))
    found = compare.compare(a, b, HOW)
    assert (found.rows, found.shared) == ((150, 100), 50)
    assert ([word["form"] for word in found.lost], [word["form"] for word in found.gained]) == (
        ["l20x0"],
        ["l24x0"],
    )
    (notice,) = compare.notices(found)
    assert notice == "The test rows differ: a has 150, b 100, both have 50; only these are compared."
    assert notice in compare.text(found)


def test_runs_that_share_no_row_are_an_error() -> None:
    a, b = state("a", set(), range(100)), state("b", set(), range(100, 200), params={"sample.seed": 2})
    with pytest.raises(DataError) as caught:
        compare.compare(a, b, HOW)
    assert "a and b share no test row" in str(caught.value)
    assert "sample.seed=1" in str(caught.value)
    assert "sample.seed=2" in str(caught.value)
    assert "\n" not in str(caught.value)


def relabel(before: State, rows: int) -> State:
    """The first rows get another true label."""
    old = before.predictions["label"].to_pylist()
    labels = pa.array([f"{x}'" if i < rows else x for i, x in enumerate(old)])
    table = before.predictions.set_column(before.predictions.column_names.index("label"), "label", labels)
    return State(before.name, before.params, before.metrics, table)


def test_rows_of_another_true_label_are_named_and_left_out() -> None:
    a, b = state("a", {50}), relabel(state("b", set()), 3)
    found = compare.compare(a, b, HOW)
    assert (found.shared, len(found.relabelled)) == (197, 3)
    assert found.accuracy == (196 / 197, 1.0)
    (notice,) = compare.notices(found)
    assert notice.startswith("3 rows that both have are labelled differently and left out: ")
    assert "l00x0 is C0 in the one, C0' in the other" in notice


def test_a_row_of_several_values_is_correct_where_one_of_them_is_predicted() -> None:
    columns = ("lemma", "form", "features", "label")
    rows = {name: ["a", "b", "c"] for name in columns} | {"label": ["ACC/NOM", "ACC/NOM", "ACC"]}
    a, b = (
        State(name, {}, {}, pa.table(rows | {"predicted": predicted}))
        for name, predicted in (("a", ["ACC", "DAT", "ACC"]), ("b", ["NOM", "NOM", "NOM"]))
    )
    found = compare.compare(a, b, HOW)
    assert list(found.accuracy) == pytest.approx([2 / 3, 2 / 3])
    assert [row["form"] for row in found.gained] == ["b"]
    assert [row["form"] for row in found.lost] == ["c"]


def test_runs_without_one_true_label_in_common_are_an_error() -> None:
    with pytest.raises(DataError, match=r"200 test rows, none with the same true label.*the same feature"):
        compare.compare(state("a", set()), relabel(state("b", set()), 200), HOW)


def test_the_sentence_says_how_much_and_how_surely() -> None:
    found = compared()
    low, high = f"{100 * found.gain.low:+.2f}", f"{100 * found.gain.high:+.2f}"
    assert found.gain.low > 0
    assert compare.sentence(found) == (
        "new is correct on 9 more of 200 forms than old: "
        f"+4.50 points (95 % interval {low} to {high}), p = 0.035."
    )


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (set(), {1, 2}, "b is correct on 2 fewer of 200 forms than a: -1.00 points"),
        ({1, 2}, {1, 2}, "b and a are correct on the same 198 of 200 forms."),
        ({1, 10}, {2, 11}, "b is correct on as many of 200 forms as a: +0.00 points"),
        (set(range(0, 200, 2)), set(), "p < 0.001."),
        ({1}, set(), "p = 1.000; not statistically significant."),
    ],
)
def test_the_sentence_of_other_outcomes(a: set[int], b: set[int], said: str) -> None:
    assert said in compare.sentence(compare.compare(state("a", a), state("b", b), HOW))


def test_the_text_begins_with_the_sentence_and_shows_ten_rows_of_each_table() -> None:
    result = compared(params={"train.epochs": 2}, metrics={"test_ece": 0.25})
    lines = compare.text(result).splitlines()
    assert lines[0] == compare.sentence(result)
    cells = [line.split() for line in lines]
    assert ["accuracy", "90.00%", "94.50%", "+4.50"] in cells
    assert ["train.epochs", "3", "2"] in cells
    assert ["test_ece", "null", "0.25"] in cells
    start = lines.index(next(line for line in lines if line.startswith("12 where new alone is correct")))
    assert cells[start][-3:] == ["label", "old", "features"]
    assert cells[start + 1] == ["l04x0", "C0", "C1", "N;C0"]
    assert lines[start + 11] == "and 2 more: --all"
    assert len(compare.text(result, every=True).splitlines()) == len(lines) + 1
    assert all(line == line.rstrip() for line in lines)


def test_the_text_of_the_same_run_twice_is_short() -> None:
    shown = compare.text(compare.compare(state("a", {1}), state("a", {1}), HOW))
    assert shown.count("\n\n") == 1


def test_rows_without_lemmas_are_compared_form_by_form() -> None:
    def without(before: State) -> State:
        table = before.predictions
        for place, name in ((0, "lemma"), (2, "features")):
            table = table.set_column(place, name, pa.nulls(len(table), pa.string()))
        return State(before.name, before.params, before.metrics, table)

    together = {*range(20, 24), *range(60, 64), *range(100, 104)}
    a, b = state("a", together), state("b", set(A_ALONE))
    by_form = compare.compare(without(a), without(b), HOW)
    by_lemma = compare.compare(a, b, HOW)
    assert by_form.shared == 200
    assert by_form.gain.value == by_lemma.gain.value
    assert by_form.gain.high - by_form.gain.low < by_lemma.gain.high - by_lemma.gain.low
    assert "l04x0" in compare.text(by_form)


def test_the_json_holds_everything() -> None:
    found = compared(params={"train.epochs": 2})
    content = json.loads(json.dumps(compare.content(found), allow_nan=False))
    assert content["params"] == {"train.epochs": [3, 2]}
    assert len(content["gained"]) == 12
    assert content["gain"]["low"] == found.gain.low
    assert content["p"] == found.p
    assert content["sentence"] == compare.sentence(found)
