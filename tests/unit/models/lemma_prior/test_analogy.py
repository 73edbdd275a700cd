from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import tables
from esetrag.models.lemma_prior import analogy
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.symbols import encoding
from esetrag.symbols.encoding import MARKS, Keep
from esetrag.symbols.vocabulary import UNK, Vocabulary

Rows = list[tuple[str, str]]  # lemmas and forms
WORDS = st.text("abő", max_size=5)
ROWS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=9)
HOUSES = [("ház", "házban"), ("kert", "kertben"), ("kép", "képet"), ("híd", "hídról")]


def table(rows: Rows) -> pa.Table:
    columns = [
        [lemma for lemma, _ in rows],
        [form for _, form in rows],
        ["N;X"] * len(rows),
        ["X"] * len(rows),
    ]
    return tables.sample(*columns)


def knowing(rows: Rows, but: str = "") -> Vocabulary:
    """All symbols of some rows have ids, but a few."""
    return Vocabulary.build(("".join(set("".join(row)) - set(but)) for row in rows), ["X"])


def drawn(
    rows: Rows,
    vocabulary: Vocabulary | None = None,
    seed: int = 1,
    width: int | None = None,
    keep: Keep = "end",
) -> list[str]:
    """One form made of each row, an unknown symbol as a question mark."""
    words = vocabulary or knowing(rows)
    widest = max(len(lemma) for lemma, _ in rows) + max(len(form) for _, form in rows) + MARKS + 1
    analogies = Analogies.of(table(rows), words)
    ids, lengths = analogies.draw(np.random.default_rng(seed), width or widest, keep)
    symbols = [*words.symbols[:UNK], "?", *words.symbols[UNK + 1 :]]
    pairs = zip(ids.tolist(), lengths.tolist(), strict=True)
    return ["".join(symbols[i] for i in row[1 : length - 1]) for row, length in pairs]


def all_drawn(rows: Rows, row: int, vocabulary: Vocabulary | None = None) -> set[str]:
    """What a row's forms are over many draws."""
    return {drawn(rows, vocabulary, seed)[row] for seed in range(150)}


def made(rows: Rows, row: int) -> set[str]:
    """What forms a row can give, in plain Python on text."""

    def shared(one: str, other: str) -> int:
        return next(
            (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
        )

    turned = [(lemma[::-1], form[::-1]) for lemma, form in rows]
    backwards = sum(shared(*pair) for pair in turned) > sum(shared(*pair) for pair in rows)
    read = turned if backwards else rows
    lemma, form = read[row]
    stem = shared(lemma, form)
    dropped, ending = lemma[stem:], form[stem:]
    found = {other.removesuffix(dropped) + ending for other, _ in read if other.endswith(dropped)}
    return {word[::-1] for word in found} if backwards else found


@given(rows=ROWS, seed=st.integers(0, 2**32))
def test_a_form_is_the_stem_of_a_lemma_and_the_ending_of_its_row(rows: Rows, seed: int) -> None:
    for row, form in enumerate(drawn(rows, seed=seed)):
        assert form in made(rows, row)


@given(rows=ROWS, seed=st.integers(0, 2**32), unknown=st.sampled_from(["a", "ab", "abő"]))
def test_symbols_without_an_id_are_one_symbol(rows: Rows, seed: int, unknown: str) -> None:
    blurred = [tuple("".join("?" if s in unknown else s for s in word) for word in row) for row in rows]
    for row, form in enumerate(drawn(rows, knowing(rows, but=unknown), seed)):
        assert form in made([(lemma, read) for lemma, read in blurred], row)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (HOUSES, {"házban", "kertban", "képban", "hídban"}),
        ([("soma", "tusoma"), ("cheka", "mcheka"), ("lala", "walala")], {"tusoma", "tucheka", "tulala"}),
        ([("go", "went"), ("undergo", "undergoes"), ("see", "sees")], {"went", "underwent"}),
        ([("ház", "ház"), ("kert", "kertben"), ("kép", "képet")], {"ház", "kert", "kép"}),
        ([("házak", "ház"), ("kertek", "kert"), ("falak", "fal")], {"ház", "fal"}),
        ([("ad", "adogatnátok"), ("elszalaszt", "elszalasztott")], {"adogatnátok", "elszalasztogatnátok"}),
        ([("a", "bc"), ("", "a"), ("cca", "cc")], {"bc", "ccbc"}),
        ([("ház", "házban")], {"házban"}),
        ([("ház", "kert")], {"kert"}),
    ],
    ids=[
        "suffix",
        "prefix",
        "suppletion",
        "bare",
        "shorter",
        "longer",
        "no stem",
        "one row",
        "nothing alike",
    ],
)
def test_a_row_gives_every_form_its_rule_can_make(rows: Rows, expected: set[str]) -> None:
    assert made(rows, 0) == expected
    assert all_drawn(rows, 0) == expected


def test_a_lemma_with_an_unseen_symbol_lends_its_stem() -> None:
    rows = [("ház", "házban"), ("xérc", "ércben"), ("kert", "kertben")]
    vocabulary = Vocabulary.build((form for _, form in rows), ["X"])
    assert all_drawn(rows, 0, vocabulary) == {"házban", "?ércban", "kertban"}
    assert all_drawn(rows, 1, vocabulary) == {"ércben"}  # drops the whole of its lemma


def test_a_lemma_of_many_rows_is_one_lemma() -> None:
    rows = [("ház", "ház" + ending) for ending in ("ban", "ból", "ra", "t", "nak", "ig")] + [
        ("kert", "kertet")
    ]
    counts = Counter(drawn(rows, seed=seed)[-1] for seed in range(200))
    assert set(counts) == {"házet", "kertet"}
    assert min(counts.values()) > 30


def test_lemmas_that_end_alike_are_drawn_most_often_and_remote_ones_too() -> None:
    lemmas = sorted(
        ("".join(letters) for letters in product("aegkmt", repeat=3)), key=lambda word: word[::-1]
    )
    found = drawn([(lemma, lemma + "x") for lemma in lemmas])
    away = [abs(lemmas.index(form[:-1]) - row) for row, form in enumerate(found)]
    near = sum(distance == 1 for distance in away) / len(away)
    assert near > 0.06, "a draw without preference would be a neighbour once in a hundred times"
    assert max(away) > len(lemmas) / 4


@given(
    rows=ROWS,
    seed=st.integers(0, 2**32),
    width=st.integers(MARKS + 1, 14),
    keep=st.sampled_from(["end", "start"]),
)
def test_forms_are_encoded_as_those_of_a_table(rows: Rows, seed: int, width: int, keep: Keep) -> None:
    vocabulary = knowing(rows, but="b")
    ids, lengths = Analogies.of(table(rows), vocabulary).draw(np.random.default_rng(seed), width, keep)
    whole = pa.chunked_array([drawn(rows, vocabulary, seed)], pa.string())
    expected, expected_lengths = encoding.encode(whole, vocabulary, width, keep)
    assert ids.tolist() == expected.tolist()
    assert lengths.tolist() == expected_lengths.tolist()


def test_rows_in_many_chunks_are_the_same_rows() -> None:
    whole = table(HOUSES)
    chunks = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 0), whole.slice(1)])
    one, other = (
        Analogies.of(rows, knowing(HOUSES)).draw(np.random.default_rng(1), 12, "end")[0]
        for rows in (whole, chunks)
    )
    assert np.array_equal(one, other)


def test_no_rows_give_no_forms() -> None:
    ids, lengths = Analogies.of(table([]), knowing([])).draw(np.random.default_rng(1), 5, "end")
    assert ids.shape == (0, 5)
    assert lengths.shape == (0,)


def test_the_same_chance_gives_the_same_forms_and_goes_on_to_others() -> None:
    chance, again = np.random.default_rng(5), np.random.default_rng(5)
    analogies, twin = (Analogies.of(table(HOUSES * 9), knowing(HOUSES)) for _ in range(2))
    first, second = (analogies.draw(chance, 12, "end")[0] for _ in range(2))
    assert np.array_equal(first, twin.draw(again, 12, "end")[0])
    assert np.array_equal(second, twin.draw(again, 12, "end")[0])
    assert not np.array_equal(first, second)


def test_the_hash_seed_is_without_influence() -> None:
    code = "from tests.unit.reading.test_analogy import HOUSES, drawn; print(ascii(drawn(HOUSES * 20)))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "4711")
    }
    assert printed == {f"{drawn(HOUSES * 20)!a}\n".encode()}


def test_memory_grows_with_the_rows_and_not_with_their_square() -> None:
    def peak(count: int) -> int:
        words = ["".join("abcdefghij"[int(digit)] for digit in f"{number:06}") for number in range(count)]
        rows = table([(word, word + "ban") for word in words])
        vocabulary = Vocabulary.build(["abcdefghijn"], ["X"])
        tracemalloc.start()
        Analogies.of(rows, vocabulary).draw(np.random.default_rng(1), 11, "end")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)  # what is made once is made
    assert peak(40_000) < 8 * peak(10_000)


@given(rows=ROWS, merges=st.integers(1, 8), seed=st.integers(0, 99))
def test_subwords_read_the_same_forms_made_of_characters(rows: Rows, merges: int, seed: int) -> None:
    forms = [text for row in rows for text in row]
    whole = Vocabulary.build(forms, ["X"], unit="bpe", merges=merges)
    assert drawn(rows, whole, seed) == drawn(rows, whole.spelling, seed)
    ids, lengths = Analogies.of(table(rows), whole).draw(np.random.default_rng(seed), 30, "end")
    made = pa.chunked_array([pa.array(drawn(rows, whole.spelling, seed), pa.string())])
    expected = encoding.encode(made, whole, 30, "end")
    assert ids.tolist() == expected[0].tolist()
    assert lengths.tolist() == expected[1].tolist()


def test_an_unknown_character_stays_one_among_subwords() -> None:
    whole = Vocabulary.build(["kertban", "ban", "hzban"], ["X"], unit="bpe", merges=2)  # no á
    assert "h?z" in {form[:3] for seed in range(30) for form in drawn([*HOUSES[:1]] * 2, whole, seed)}


def test_whole_forms_have_no_analogies() -> None:
    rows = table(HOUSES)
    assert analogy.found(rows, Vocabulary.build(["ház"], ["X"], unit="word")) is None
    assert analogy.found(rows, Vocabulary.build(["ház"], ["X"])) is not None
