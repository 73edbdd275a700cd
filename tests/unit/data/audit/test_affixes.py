from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from esetrag.data.audit.affixes import Change, Words, ids


def change(*pairs: tuple[str, str]) -> Change:
    lemmas, forms = (pa.chunked_array([pa.array(words)]) for words in zip(*pairs, strict=True))
    return Change.of(pa.table({"lemma": lemmas, "form": forms}))


def alike(found: Change, context: int, others: list[int] | None = None) -> list[int]:
    """Rows of equal context have equal numbers."""
    contexts = found.contexts(np.array(others or [0] * len(found.stem)))
    numbers: list[int] = ids(contexts[context]).tolist()
    return numbers


@pytest.mark.parametrize(
    ("pair", "shown"),
    [
        (("ház", "házban"), "+ban"),
        (("alma", "almának"), "-a +ának"),
        (("ló", "ló"), "no ending"),
        (("maður", "menn"), "-aður +enn"),
        (("қала", "қаланың"), "+ның"),
        (("ló", "𐲖𐳀"), "-ló +𐲖𐳀"),
    ],
)
def test_a_change_is_what_the_lemma_loses_and_takes(pair: tuple[str, str], shown: str) -> None:
    assert change(("kutya", "kutyák"), pair, ("szék", "székek")).shown(1) == shown


def test_a_table_that_inflects_in_front_is_read_backwards() -> None:
    found = change(("tabu", "kitabu"), ("toto", "watoto"), ("tu", "mtu"))
    assert found.backwards
    assert [found.shown(row) for row in range(3)] == ["+ki", "+wa", "+m"]


def test_contexts_tell_apart_what_differs_and_join_what_does_not() -> None:
    found = change(
        ("ház", "házban"), ("láb", "lábban"), ("mez", "mezben"), ("mező", "mezőn"), ("kacsa", "kacsán")
    )
    assert alike(found, 0) == [0] * 5, "the last symbol"
    assert alike(found, 1) == [0, 0, 1, 2, 3], "the last two: an, an, en, őn, án"
    assert alike(found, 3) == [0, 0, 1, 2, 3], "the ending: ban, ban, ben, n, án"
    assert alike(found, 4) == [0, 0, 1, 2, 3], "the change"
    assert alike(found, 5, [1, 2, 1, 1, 1]) == [0, 1, 2, 3, 4], "and the other features"
    assert alike(found, 6) == [0, 1, 2, 3, 4], "and the symbol before: z, b"


def test_an_ending_is_told_from_the_same_letters_with_a_loss() -> None:
    found = change(("ka", "kan"), ("kal", "kan"))
    assert alike(found, 3) == [0, 0]
    assert alike(found, 4) == [0, 1]


def test_turned_words_end_where_they_began() -> None:
    words = Words.of(pa.chunked_array([["ab", ""], ["cde"]]))
    again = words.turned().turned()
    assert [words.shared(again).tolist(), words.turned().lengths.tolist()] == [[2, 0, 3], [2, 0, 3]]
    assert words.shared(Words.of(pa.chunked_array([["ax", "y", "cde"]]))).tolist() == [1, 0, 3]
    assert words[np.array([2])].shared(Words.of(pa.chunked_array([["cd"]]))).tolist() == [2]


def test_ids_are_numbered_by_first_appearance() -> None:
    assert ids(np.array([7, 3, 7, 9])).tolist() == [0, 1, 0, 2]
    assert ids(pa.chunked_array([["b"], ["a", "b"]])).tolist() == [0, 1, 0]
