from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import text

PAIRS = ["\u0301\u0327", "\u064e\u0651", "\u05b0\u05bc", "\u0e38\u0e48", "\U0001d165\U0001d167"]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pile_of_marks_of_any_script_is_found_and_left_as_it_is(pair: str) -> None:
    assert text.pile("…„ab" + pair * 15 + "b" + pair) == -1
    piled = "…" * 50 + "b" + pair * 100_000
    assert text.pile(piled) == 51
    assert text.compose(piled) == piled


@given(st.text(max_size=30))
def test_any_other_text_is_composed(plain: str) -> None:
    assert text.compose(plain) == unicodedata.normalize("NFC", plain)
