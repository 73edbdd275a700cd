"""Edit scripts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esetrag.core import tables
from esetrag.data import edits
from tests.samples import column

LETTERS = "abcáőßABÁ\u0301\u0328ñ語\U0001f600\U00010400 -"
TEXT = st.text(LETTERS, max_size=12)


def script(source: str, target: str) -> str:
    made: str = edits.scripts(column([source]), column([target]))[0].as_py()
    return made


def named(source: str, target: str) -> list[str]:
    return [edits.name_of(symbol) for symbol in script(source, target)]


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_a_script_makes_the_target_of_its_source_and_has_one_cut(pairs: list[tuple[str, str]]) -> None:
    sources, targets = map(list, zip(*pairs, strict=True))
    made = edits.scripts(column(sources), column(targets)).to_pylist()
    assert edits.applied(np.array(made), np.array(sources)).tolist() == targets
    assert [sum(map(edits.is_cut, text)) for text in made] == [1] * len(pairs)
    assert made == [script(*pair) for pair in pairs], "in any company"


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("alma", "almának", ["cut(0,1)", *"ának"]),
        ("ház", "ház", ["cut(0,0)"]),
        ("", "ab", ["cut(0,0)", "a", "b"]),
        ("ab", "", ["cut(0,2)"]),
        ("ab", "cd", ["cut(0,2)", "c", "d"]),
        ("látni", "meglát", [*"meg", "cut(0,2)"]),
        ("mtoto", "watoto", ["w", "a", "cut(1,0)"]),
        ("abcd", "bxcd", ["b", "x", "cut(2,0)"]),
        ("abxab", "ab", ["cut(0,3)"]),  # the first of several
    ],
)
def test_what_stays_is_the_longest_common_substring(source: str, target: str, expected: list[str]) -> None:
    assert named(source, target) == expected
    assert edits.applied(np.array([script(source, target)]), np.array([source])).tolist() == [target]


@pytest.mark.parametrize("length", [249, 250, 251, 300, 498])
def test_of_a_long_word_all_is_cut_off_where_too_much_would_be(length: int) -> None:
    for source in ("x" * length, "x" * (length - 1) + "a", "x" * 9 + "a" + "x" * (length - 10)):
        made = script(source, "házakban")
        assert edits.applied(np.array([made]), np.array([source])).tolist() == ["házakban"]


def test_rows_are_of_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "AT_ONCE", 3)
    sources = column([f"szó{'x' * n}" for n in range(8)])
    assert len(edits.scripts(sources, sources)) == 8
    assert len(edits.scripts(column([]), column([]))) == 0
    assert edits.applied(np.array([], dtype=np.str_), np.array([], dtype=np.str_)).tolist() == []


@pytest.mark.parametrize("name", ["cut(0,0)", "cut(12,3)", "a", "(", "\U0001f600"])
def test_a_symbol_has_a_name_for_people(name: str) -> None:
    symbol = edits.symbol_of(name)
    assert len(symbol) == 1
    assert edits.name_of(symbol) == name
    assert edits.is_cut(symbol) == (len(name) > 1)


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("alma", "almának", "-1 +ának"),
        ("ház", "ház", "unchanged"),
        ("go", "lego", "le+"),
        ("mtoto", "watoto", "wa+ 1-"),
    ],
)
def test_a_script_as_people_read_it(source: str, target: str, text: str) -> None:
    assert edits.shown(script(source, target)) == text


def test_a_script_without_a_cut_leaves_nothing_of_the_word_and_a_cut_too_long_no_letter() -> None:
    scripts = np.array(["xy", *(edits.symbol_of(f"cut(0,{size})") + "a" for size in (3, 4, 9))])
    assert edits.applied(scripts, np.array(["ház"] * 4)).tolist() == ["xy", "a", "a", "a"]


def test_the_confusion_is_of_changes_and_a_right_word_is_none() -> None:
    rows: list[tuple[Any, ...]] = [("N", "alma", None, "almát/almának", "almát", "", 1.0, [], []),
            ("N", "alma", None, "almát", "almat", "", 1.0, [], [])]  # fmt: skip
    columns = [list(values) for values in zip(*rows, strict=True)]
    found = edits.confusion(pa.table(columns, schema=tables.TRANSDUCTIONS))
    assert found.to_dict("list") == {"label": ["-1 +át", "-1 +át"], "predicted": ["-1 +át", "+t"]}
