from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.data import change
from esetrag.data.change import Changes, inflects_at_end, turn

WORDS = st.text("abő\U0001f600", max_size=5)


def column(*words: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(words, pa.string())])


def changes(*pairs: tuple[str, str]) -> Changes:
    lemmas, forms = zip(*pairs, strict=True)
    return Changes.of(pa.table({"lemma": column(*lemmas), "form": column(*forms)}))


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (("ház", "házban"), "+ban"),
        (("alma", "almának"), "-a +ának"),
        (("ló", "ló"), "no ending"),
        (("maður", "menn"), "-aður +enn"),
        (("қала", "қаланың"), "+ның"),
        (("ló", "𐲖𐳀"), "-ló +𐲖𐳀"),
        (("furuncul", "unui furuncule"), "+unui +e"),
        (("masă", "unor mese"), "+unor -asă +ese"),
        (("machen", "gemacht"), "+ge -en +t"),
        (("a", "ba"), "-a +ba"),
        (("мова", "мо́вы"), "-а +ы"),
    ],
)
def test_a_change_is_what_the_lemma_loses_and_the_form_gains(pair: tuple[str, str], text: str) -> None:
    assert changes(("kutya", "kutyák"), pair, ("szék", "székek")).text(1) == text


def test_a_table_that_inflects_in_front_is_turned() -> None:
    found = changes(("tabu", "kitabu"), ("toto", "watoto"), ("mtu", "watu"))
    assert not found.at_end
    assert [found.text(row) for row in range(3)] == ["+ki", "+wa", "-m +wa"]
    assert turn(column("ház", "\U0001f600a"), at_end=False).to_pylist() == ["záh", "a\U0001f600"]
    assert turn(column("ház"), at_end=True).to_pylist() == ["ház"]


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=9), st.sampled_from([1, 2, 100]))
def test_rows_are_split_alike_however_many_there_are(pairs: list[tuple[str, str]], at_once: int) -> None:
    before, change.AT_ONCE = change.AT_ONCE, at_once
    try:
        found = changes(*pairs)
    finally:
        change.AT_ONCE = before
    for row, (lemma, form) in enumerate(pairs):
        if not found.at_end:
            lemma, form = lemma[::-1], form[::-1]
        front = len(found.front[row].as_py())
        assert form[:front] == found.front[row].as_py()
        form, size = form[front:], int(found.stem[row])
        assert lemma[:size] == form[:size]
        assert len(lemma) == size or len(form) == size or lemma[size] != form[size]
        assert (found.dropped[row].as_py(), found.ending[row].as_py()) == (lemma[size:], form[size:])


def test_words_as_arrays_lose_and_gain_the_same() -> None:
    lost, endings = change.changes(
        change.words(column("madár", "ház", "")), change.words(column("madarat", "ház", "a"))
    )
    assert (lost.tolist(), endings.tolist()) == ([2, 0, 0], ["arat", "", "a"])


def test_padded_rows_share_a_prefix_that_ends_with_their_symbols() -> None:
    a, b = np.array([[5, 6, 0], [5, 6, 7], [0, 0, 0]]), np.array([[5, 6, 0], [5, 9, 7], [4, 0, 0]])
    assert change.shared_prefix(a, b).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("lemmas", "forms", "at_end"),
    [
        (["ház"] * 99 + ["mtoto"], ["házban"] * 99 + ["watoto"], True),
        (["mtoto", "mtu"], ["watoto", "watu"], False),
        (["haus"], ["haus"], True),
        ([], [], True),
    ],
)
def test_a_table_inflects_where_most_forms_differ(lemmas: list[str], forms: list[str], at_end: bool) -> None:
    assert inflects_at_end(column(*lemmas * 200), column(*forms * 200)) is at_end
