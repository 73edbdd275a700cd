from __future__ import annotations

import pyarrow as pa
import pytest

from esetrag.data.direction import inflects_at_end, turn


def column(*words: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(words, pa.string())])


@pytest.mark.parametrize(
    ("lemmas", "forms", "at_end"),
    [
        (("ház", "kert"), ("házban", "kertben"), True),
        (("mtoto", "mtu"), ("watoto", "watu"), False),
        (("könig", "haus"), ("könig", "haus"), True),
        ((), (), True),
    ],
)
def test_a_table_inflects_where_forms_differ_from_their_lemmas(
    lemmas: tuple[str, ...], forms: tuple[str, ...], at_end: bool
) -> None:
    assert inflects_at_end(column(*lemmas), column(*forms)) is at_end


def test_a_few_odd_rows_do_not_turn_a_table() -> None:
    lemmas, forms = ["ház"] * 99 + ["mtoto"], ["házban"] * 99 + ["watoto"]
    assert inflects_at_end(column(*lemmas * 200), column(*forms * 200))


def test_words_are_turned_symbol_by_symbol() -> None:
    assert turn(column("ház", "\U0001f600a"), at_end=False).to_pylist() == ["záh", "a\U0001f600"]
    assert turn(column("ház"), at_end=True).to_pylist() == ["ház"]
