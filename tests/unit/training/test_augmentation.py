from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from esetrag.models.lemma_prior.decomposition import Decomposition
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import MARKS, Keep
from esetrag.symbols.vocabulary import UNK, Vocabulary
from esetrag.training.augmentation import Analogies
from esetrag.training.data import Data
from tests.samples import CPU, column, table

Rows = list[tuple[str, str]]  # lemmas and forms
WORDS = st.text("abő", max_size=5)
ROWS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=9)
HOUSES = [("ház", "házban"), ("kert", "kertben"), ("kép", "képet"), ("híd", "hídról")]


def vocabulary_of(rows: Rows, but: str = "") -> Vocabulary:
    """All symbols of some rows have ids, but a few."""
    return Vocabulary.build(("".join(set("".join(row)) - set(but)) for row in rows), ["X"])


def analogies_of(rows: Rows, vocabulary: Vocabulary | None = None, keep: Keep = "end") -> Analogies:
    vocabulary = vocabulary or vocabulary_of(rows)
    split = Decomposition.of(table((lemma, form, "X") for lemma, form in rows), vocabulary)
    assert split
    return Analogies(split, vocabulary, keep)


def drawn(rows: Rows, vocabulary: Vocabulary | None = None, seed: int = 1) -> list[str]:
    """One form made of each row, an unknown symbol as a question mark."""
    widest = max(len(lemma) for lemma, _ in rows) + max(len(form) for _, form in rows) + MARKS + 1
    analogies = analogies_of(rows, vocabulary)
    ids, lengths = analogies.draw(np.random.default_rng(seed), widest)
    known = analogies.vocabulary.symbols
    symbols = [*known[:UNK], "?", *known[UNK + 1 :]]
    pairs = zip(ids.tolist(), lengths.tolist(), strict=True)
    return ["".join(symbols[symbol] for symbol in row[1 : length - 1]) for row, length in pairs]


def all_drawn(rows: Rows, row: int, vocabulary: Vocabulary | None = None) -> set[str]:
    """What a row's forms are over many draws."""
    return {drawn(rows, vocabulary, seed)[row] for seed in range(150)}


def shared(word: str, other: str) -> int:
    pairs = enumerate(zip(word, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(word), len(other)))


def possible(rows: Rows, row: int) -> set[str]:
    """What forms a row can give, in plain Python on text."""
    turned = [(lemma[::-1], form[::-1]) for lemma, form in rows]
    backwards = sum(shared(*pair) for pair in turned) > sum(shared(*pair) for pair in rows)
    pairs = turned if backwards else rows
    lemma, form = pairs[row]
    stem = shared(lemma, form)
    dropped, ending = lemma[stem:], form[stem:]
    forms = {other.removesuffix(dropped) + ending for other, _ in pairs if other.endswith(dropped)}
    return {word[::-1] for word in forms} if backwards else forms


@given(rows=ROWS, seed=st.integers(0, 2**32), unknown=st.sampled_from(["", "a", "ab", "abő"]))
def test_a_form_is_the_stem_of_a_lemma_and_the_ending_of_its_row(rows: Rows, seed: int, unknown: str) -> None:
    blurred = [tuple("".join("?" if s in unknown else s for s in word) for word in row) for row in rows]
    for row, form in enumerate(drawn(rows, vocabulary_of(rows, but=unknown), seed)):
        assert form in possible([(lemma, form) for lemma, form in blurred], row)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (HOUSES, {"házban", "kertban", "képban", "hídban"}),
        ([("soma", "tusoma"), ("cheka", "mcheka"), ("lala", "walala")], {"tusoma", "tucheka", "tulala"}),
        ([("go", "went"), ("undergo", "undergoes"), ("see", "sees")], {"went", "underwent"}),
        ([("ház", "ház"), ("kert", "kertben"), ("kép", "képet")], {"ház", "kert", "kép"}),
        ([("házak", "ház"), ("kertek", "kert"), ("falak", "fal")], {"ház", "fal"}),
        ([("a", "bc"), ("", "a"), ("cca", "cc")], {"bc", "ccbc"}),
        ([("ház", "házban")], {"házban"}),
    ],
    ids=["suffix", "prefix", "suppletion", "bare", "shorter", "no stem", "one row"],
)
def test_a_row_gives_every_form_its_change_can_make(rows: Rows, expected: set[str]) -> None:
    assert possible(rows, 0) == expected
    assert all_drawn(rows, 0) == expected


def test_a_lemma_of_several_rows_is_drawn_as_often_as_another() -> None:
    rows = [("ház", "ház" + ending) for ending in ("ban", "ból", "ra", "t", "nak", "ig")] + [
        ("kert", "kertet")
    ]
    counts = Counter(drawn(rows, seed=seed)[-1] for seed in range(200))
    assert set(counts) == {"házet", "kertet"}
    assert min(counts.values()) > 30


def test_lemmas_that_end_alike_are_drawn_most_often_and_remote_ones_too() -> None:
    lemmas = sorted(map("".join, product("aegkmt", repeat=3)), key=lambda word: word[::-1])
    forms = drawn([(lemma, lemma + "x") for lemma in lemmas])
    away = [abs(lemmas.index(form[:-1]) - row) for row, form in enumerate(forms)]
    near = sum(distance == 1 for distance in away) / len(away)
    assert near > 0.06, "a draw without preference would be a neighbour once in a hundred times"
    assert max(away) > len(lemmas) / 4


@given(
    rows=ROWS,
    seed=st.integers(0, 99),
    width=st.integers(MARKS + 1, 14),
    keep=st.sampled_from(["end", "start"]),
    merges=st.integers(0, 6),
)
def test_forms_are_encoded_as_those_of_a_table_in_characters_and_subwords(
    rows: Rows, seed: int, width: int, keep: Keep, merges: int
) -> None:
    words = ["".join(set(form) - {"b"}) for row in rows for form in row]
    vocabulary = Vocabulary.build(words, ["X"], unit="bpe" if merges else "char", merges=merges)
    ids, lengths = analogies_of(rows, vocabulary, keep).draw(np.random.default_rng(seed), width)
    forms = [form.replace("?", "\uffff") for form in drawn(rows, vocabulary.spelling, seed)]
    expected, expected_lengths = encoding.encode(column(forms), vocabulary, width, keep)
    assert ids.tolist() == expected.tolist()
    assert lengths.tolist() == expected_lengths.tolist()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_analogies_replace_a_share_of_the_rows_and_keep_their_labels(tiny_data: Data, share: float) -> None:
    assert tiny_data.split
    analogies = Analogies(tiny_data.split, tiny_data.vocabulary, "end")
    rows = Batch.of(tiny_data.train, CPU)
    before, replaced = rows.source.ids.clone(), 0
    for seed in range(30):
        mixed = analogies.replace(rows, share, np.random.default_rng(seed))
        made = analogies.draw(np.random.default_rng(seed), rows.source.ids.shape[1])
        ids, lengths = (torch.from_numpy(part) for part in made)
        own = (mixed.source.ids == rows.source.ids).all(1) & (mixed.source.lengths == rows.source.lengths)
        other = (mixed.source.ids == ids).all(1) & (mixed.source.lengths == lengths)
        assert bool((own | other).all())
        assert torch.equal(mixed.target, rows.target)
        replaced += int((~own).sum())
    assert torch.equal(rows.source.ids, before)
    assert 0.8 * share <= replaced / 30 / len(rows) <= share  # a form by analogy may be the row's own


def test_memory_grows_with_the_rows_and_not_with_their_square() -> None:
    def peak(count: int) -> int:
        words = ["".join("abcdefghij"[int(digit)] for digit in f"{number:06}") for number in range(count)]
        analogies = analogies_of(
            [(word, word + "ban") for word in words], Vocabulary.build(["abcdefghijn"], ["X"])
        )
        tracemalloc.start()
        analogies.draw(np.random.default_rng(1), 11)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)  # what is made once is made
    assert peak(20_000) < 8 * peak(5_000)


def test_some_of_the_forms_lack_their_accents_if_training_has_both_letters() -> None:
    rows = [("ház", "házban"), ("vár", "várban"), ("őz", "őzben")]
    analogies = analogies_of(rows)

    def forms(unaccented: float) -> str:
        ids, _ = replace(analogies, unaccented=unaccented).draw(np.random.default_rng(1), 12)
        return "".join(analogies.vocabulary.symbols[symbol] for symbol in ids.ravel() if symbol > UNK)

    assert {"á", "ő"} <= {*forms(0)}
    assert {"á", "ő"} & {*forms(1)} == {"ő"}, "training has no o"
