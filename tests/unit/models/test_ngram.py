from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core.config import NgramModel
from esetrag.models.hashing import BASE, Hashing, look_up, mixed
from esetrag.models.ngram import ABSENT, NgramClassifier, hashes, spans
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import Vocabulary
from tests.samples import words

LABELS, LONGEST = 5, 6
FORMS = ["ház", "házban", "kertben", "a", "", "kertekben", "ban", "elszalaszt"]
VOCABULARY = Vocabulary.build(["abcdefghijklmnopqrstuvwxyzáőű"], [f"L{label}" for label in range(LABELS)])
WORDS = st.lists(st.text("abő", max_size=7), min_size=1, max_size=40)

pytestmark = pytest.mark.usefixtures("single_thread")


def shape(longest: int, prefixes: bool = True) -> NgramModel:
    return NgramModel(
        kind="ngram",
        head="softmax",
        longest=longest,
        prefixes=prefixes,
        iterations=1,
        penalty=0.2,
        lemmas=False,
    )


def texts(form: str, longest: int, prefixes: bool) -> set[tuple[str, str]]:
    """Kind and text of every n-gram at the ends of a form, ``<`` the mark in front of it."""
    marked = f"<{form}"
    found = set()
    for size in range(1, longest + 1):
        if len(marked) >= size:
            found.add(("suffix", marked[-size:]))
        if prefixes and 2 * size <= longest + 1 and len(marked) >= size + 2:
            found.add(("gapped", f"{marked[-size - 2]}_{marked[-size:]}"))
        if prefixes and size <= longest // 2 and len(form) >= size:
            found.add(("prefix", form[:size]))
    return found


def known(forms: list[str], longest: int, prefixes: bool = True) -> list[list[int]]:
    """Hashes of the n-grams of each form."""
    hashed = hashes(words(forms, VOCABULARY).source, longest, prefixes).tolist()
    return [[number for number in row if number != ABSENT] for row in hashed]


def groups(names_of_forms: Iterable[Iterable[Hashable]]) -> Counter[frozenset[int]]:
    """The sets of forms that have something in common, whatever its name."""
    having = defaultdict(set)
    for form, names in enumerate(names_of_forms):
        for name in names:
            having[name].add(form)
    return Counter(map(frozenset, having.values()))


def classifier(forms: list[str], longest: int = LONGEST, prefixes: bool = True) -> NgramClassifier:
    """Has random weights for the n-grams of some forms."""
    grams = torch.tensor(
        sorted({number for row in known(forms, longest, prefixes) for number in row}), dtype=torch.int64
    )
    network = NgramClassifier(grams, LABELS, shape(longest, prefixes))
    generator = torch.Generator().manual_seed(1)
    for weight in network.parameters():
        weight.data.normal_(generator=generator)
    return network.eval()


@given(forms=WORDS, longest=st.integers(1, 9), prefixes=st.booleans())
def test_two_n_grams_have_one_hash_if_they_have_one_text(
    forms: list[str], longest: int, prefixes: bool
) -> None:
    by_text = [texts(form, longest, prefixes) for form in forms]
    by_hash = known(forms, longest, prefixes)
    assert groups(by_hash) == groups(by_text)
    assert [len(row) for row in by_hash] == [len(names) for names in by_text]


@pytest.mark.parametrize("longest", [8, 32])
def test_no_two_n_grams_of_thousands_of_forms_have_one_hash(longest: int) -> None:
    rng = np.random.default_rng(1)
    letters = np.array(sorted(VOCABULARY.characters))
    forms = ["".join(rng.choice(letters, size)) for size in rng.integers(0, 40, 2000)]
    names = {name for form in forms for name in texts(form, longest, True)}
    assert len({number for row in known(forms, longest) for number in row}) == len(names)


def test_hashes_are_those_of_stored_checkpoints() -> None:
    source = Sequences(torch.tensor([[1, 5, 6, 7, 2]]), torch.tensor([5]))
    assert hashes(source, 4, prefixes=True)[0].tolist() == [
        6656486893129144333,
        167379152032901111,
        4671792370738492043,
        -7665876411217289845,
        6588666381234000540,
        387692638714749865,
        2002346020654807823,
        -1709021291286295535,
    ]


@pytest.mark.parametrize("prefixes", [True, False])
def test_the_logits_are_the_sum_of_the_weights_of_known_n_grams(prefixes: bool) -> None:
    network = classifier(FORMS[:5], prefixes=prefixes)
    network.weight.data[0] = 1000.0  # of no n-gram
    row_of = {number: row for row, number in enumerate(network.grams.tolist(), 1)}
    for form, logits in zip(FORMS, network(words(FORMS, VOCABULARY)), strict=True):
        rows = [row_of[number] for number in known([form], LONGEST, prefixes)[0] if number in row_of]
        torch.testing.assert_close(logits, network.weight[rows].sum(0) + network.bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("forms", [[""], ["kertben"]])
def test_a_word_of_unknown_n_grams_has_the_bias(forms: list[str]) -> None:
    network = classifier(forms)
    assert torch.equal(network(words(["ggggg"], VOCABULARY))[0], network.bias)


def test_padding_and_the_other_rows_of_a_batch_change_nothing() -> None:
    network, rows = classifier(FORMS), words(FORMS, VOCABULARY)
    logits = network(rows)
    wider = words(FORMS, VOCABULARY, 20)
    ids = wider.source.ids.masked_fill(
        torch.arange(wider.source.ids.shape[1]) >= rows.source.lengths[:, None], 9
    )
    filled = Batch(Sequences(ids.long(), rows.source.lengths), rows.target, rows.weight)
    assert torch.equal(network(filled), logits)
    alone = [network(words([form], VOCABULARY))[0] for form in FORMS]
    assert torch.equal(torch.stack(alone), logits)


def test_an_n_gram_changes_with_the_symbols_of_its_span_alone() -> None:
    source = words(FORMS, VOCABULARY).source
    before, of_ngram = hashes(source, LONGEST, True), spans(source, LONGEST, True)
    for place in range(source.ids.shape[1]):
        ids = source.ids.clone()
        ids[:, place] += 1
        after = hashes(Sequences(ids, source.lengths), LONGEST, True)
        assert torch.equal(after != before, of_ngram[:, :, place])
    assert torch.equal(of_ngram.any(2), before != ABSENT)


@given(
    places=st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=4),
    symbols=st.lists(st.integers(0, 2**31), min_size=4, max_size=4),
)
def test_strings_are_hashed_at_once_as_symbol_by_symbol(places: list[list[int]], symbols: list[int]) -> None:
    hashing = Hashing.of([(string, kind) for kind, string in enumerate(places)], 4)
    rolled = []
    for kind, string in enumerate(places):
        hashed = np.zeros(1, np.int64)
        for place in string:
            hashed = hashed * BASE + symbols[place] + 1
        rolled.append(int(mixed(hashed, kind)[0]))
    assert hashing(np.array([symbols])).tolist() == [rolled]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [([-7, 2, 9], [[3, 0], [0, 1], [0, 2]]), ([-7], [[0, 0], [0, 1], [0, 0]]), ([], [[0, 0]] * 3)],
)
def test_numbers_are_looked_up_in_a_sorted_list(keys: list[int], expected: list[list[int]]) -> None:
    wanted = np.array([[9, 3], [-8, -7], [10, 2]])
    assert look_up(torch.tensor(keys, dtype=torch.int64), wanted).tolist() == expected
