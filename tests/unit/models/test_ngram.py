from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from esetrag.core import config
from esetrag.models.ngram import (
    ABSENT,
    NgramClassifier,
    SuffixClassifier,
    hashes,
    spans,
)
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary

LABELS = 5
LONGEST = 6
FORMS = ["ház", "házban", "kertben", "a", "", "kertekben", "ban", "elszalaszt"]
VOCABULARY = Vocabulary.build(["".join(map(chr, range(ord("a"), ord("z") + 1))) + "áőű"], ["X"])

pytestmark = pytest.mark.usefixtures("single_thread")


def encoded(forms: list[str], width: int | None = None) -> tuple[Tensor, Tensor]:
    column = pa.chunked_array([forms], pa.string())
    ids, lengths = encoding.encode(column, VOCABULARY, width or encoding.width_of(column, None), "end")
    return torch.from_numpy(ids), torch.from_numpy(lengths.astype(np.int64))


def ngrams(form: str, longest: int) -> set[tuple[str, str]]:
    """Kind and text of every n-gram at the ends of a form, ``<`` the mark in front of it."""
    marked = f"<{form}"
    found = set()
    for size in range(1, longest + 1):
        if len(marked) >= size:
            found.add(("suffix", marked[-size:]))
        if 2 * size <= longest + 1 and len(marked) >= size + 2:
            found.add(("gapped", f"{marked[-size - 2]}_{marked[-size:]}"))
        if size <= longest // 2 and len(form) >= size:
            found.add(("prefix", form[:size]))
    return found


def found(forms: list[str], longest: int) -> list[list[int]]:
    """Hashes of the n-grams of each form."""
    return [
        [number for number in row if number != ABSENT] for row in hashes(*encoded(forms), longest).tolist()
    ]


def groups(kinds: list[Any]) -> Counter[frozenset[int]]:
    """The sets of forms that have something in common, whatever it is called."""
    having = defaultdict(set)
    for form, names in enumerate(kinds):
        for name in names:
            having[name].add(form)
    return Counter(map(frozenset, having.values()))


def shape(longest: int) -> config.Model:
    return config.Model(
        kind="ngram",
        lemmas=0.0,
        head="softmax",
        longest=longest,
        embedding=1,
        hidden=1,
        layers=1,
        bidirectional=True,
        dropout=0.0,
    )


def classifier(forms: list[str], seed: int = 1, longest: int = LONGEST) -> NgramClassifier:
    """Weighs the n-grams of some forms at random."""
    grams = torch.unique(hashes(*encoded(forms), longest))
    network = NgramClassifier(grams[grams != ABSENT], LABELS, shape(longest))
    chance = torch.Generator().manual_seed(seed)
    network.load_state_dict(
        {"grams": network.grams}
        | {name: torch.randn(weight.shape, generator=chance) for name, weight in network.named_parameters()}
    )
    return network.eval()


@given(forms=st.lists(st.text("abő", max_size=7), min_size=1, max_size=40), longest=st.integers(1, 9))
def test_n_grams_are_told_apart_as_their_texts_are(forms: list[str], longest: int) -> None:
    by_text = [ngrams(form, longest) for form in forms]
    assert groups(found(forms, longest)) == groups(by_text)
    assert [len(row) for row in found(forms, longest)] == [len(names) for names in by_text]


@pytest.mark.parametrize("longest", [8, 32])
def test_no_two_n_grams_of_many_forms_have_one_hash(longest: int) -> None:
    chance = np.random.default_rng(1)
    letters = np.array(sorted(VOCABULARY.characters))
    forms = ["".join(chance.choice(letters, size)) for size in chance.integers(0, 40, 4000)]
    names = {name for form in forms for name in ngrams(form, longest)}
    assert len({number for row in found(forms, longest) for number in row}) == len(names)


def test_an_n_gram_has_one_hash_in_every_form_and_beside_any_other() -> None:
    shared = set.intersection(*(set(found([form], 3)[0]) for form in ("ban", "házban", "kertelbban")))
    assert len(shared) == 4, "n, an, ban and b_n"


@pytest.mark.parametrize(("form", "known"), [("", 1), ("a", 2 + 1), ("ab", 3 + 1 + 2), ("abc", 4 + 2 + 3)])
def test_a_form_too_short_for_an_n_gram_lacks_it(form: str, known: int) -> None:
    row = hashes(*encoded([form, "elszalaszt"]), LONGEST)[0]
    assert int((row != ABSENT).sum()) == known == len(ngrams(form, LONGEST))


@pytest.mark.parametrize("wider", [1, 7])
def test_padding_is_without_influence(wider: int) -> None:
    network = classifier(FORMS)
    ids, lengths = encoded(FORMS)
    padded, _ = encoded(FORMS, ids.shape[1] + wider)
    filled = padded.masked_fill(torch.arange(padded.shape[1]) >= lengths[:, None], 9)
    assert torch.equal(network(padded, lengths), network(ids, lengths))
    assert torch.equal(network(filled, lengths), network(ids, lengths))


def test_the_other_rows_of_a_batch_are_without_influence() -> None:
    network = classifier(FORMS)
    alone = [network(*encoded([form]))[0] for form in FORMS]
    assert torch.equal(network(*encoded(FORMS)), torch.stack(alone))


def test_the_type_of_the_ids_is_without_influence() -> None:
    ids, lengths = encoded(FORMS)
    for other in (torch.int32, torch.int64):
        assert torch.equal(hashes(ids.to(other), lengths, LONGEST), hashes(ids, lengths, LONGEST))


def test_a_score_is_the_sum_of_the_weights_of_its_n_grams() -> None:
    network = classifier(FORMS)
    row_of = {number: row for row, number in enumerate(network.grams.tolist(), 1)}
    for form, logits in zip(FORMS, network(*encoded(FORMS)), strict=True):
        rows = [row_of[number] for number in found([form], LONGEST)[0]]
        torch.testing.assert_close(logits, network.weight[rows].sum(0) + network.bias, rtol=1e-5, atol=1e-5)


def test_n_grams_never_seen_weigh_nothing() -> None:
    network = classifier(["kertben"])
    with torch.no_grad():
        network.weight[0] = 1000.0
    logits = network(*encoded(["ggggg", "pqben", "kertben"]))
    assert torch.equal(logits[0], network.bias)
    assert not torch.equal(logits[1], network.bias)
    assert bool((logits.abs() < 1000).all())


def test_a_reader_without_n_grams_knows_its_bias_alone() -> None:
    network = NgramClassifier(torch.zeros(0, dtype=torch.int64), LABELS, shape(4))
    torch.nn.init.normal_(network.bias)
    assert torch.equal(network(*encoded(FORMS)), network.bias.expand(len(FORMS), LABELS))


def test_hashes_beyond_all_known_ones_are_unseen() -> None:
    network = classifier(FORMS)
    network.grams = network.grams[:3]  # most of the others sort behind
    places = network.places(*encoded(FORMS))
    assert set(places.unique().tolist()) <= {0, 1, 2, 3}
    assert (places > 0).sum() == torch.isin(hashes(*encoded(FORMS), LONGEST), network.grams).sum()


def test_reading_is_looking_up_and_adding_up() -> None:
    network = classifier(FORMS)
    ids, lengths = encoded(FORMS)
    assert torch.equal(network(ids, lengths), network.score(network.places(ids, lengths)))


@pytest.mark.parametrize("forms", [[""], ["a"], FORMS])
def test_the_shapes_told_are_those_of_the_weights(forms: list[str]) -> None:
    network = classifier(forms)
    told = NgramClassifier.shapes(len(network.grams), LABELS)
    assert {name: tuple(weight.shape) for name, weight in network.state_dict().items()} == told


def test_an_untrained_reader_prefers_no_label() -> None:
    network = NgramClassifier(torch.arange(1, 9), LABELS, shape(LONGEST))
    assert torch.equal(network(*encoded(FORMS)), torch.zeros(len(FORMS), LABELS))


def test_an_ngram_changes_with_the_symbols_of_its_span_and_with_no_other() -> None:
    ids, lengths = encoded(FORMS)
    before, places = hashes(ids, lengths, LONGEST), spans(lengths, ids.shape[1], LONGEST)
    assert places.shape == (*before.shape, ids.shape[1])
    for place in range(ids.shape[1]):
        other = ids.clone()
        other[:, place] += 1
        assert torch.equal(hashes(other, lengths, LONGEST) != before, places[:, :, place])


def test_an_ngram_that_a_form_is_too_short_for_spans_nothing() -> None:
    ids, lengths = encoded(FORMS)
    absent = hashes(ids, lengths, LONGEST) == ABSENT
    assert torch.equal(spans(lengths, ids.shape[1], LONGEST).any(2), ~absent)


@given(forms=st.lists(st.text("abő", max_size=7), min_size=1, max_size=40), longest=st.integers(1, 9))
def test_suffixes_alone_are_those_of_all_n_grams(forms: list[str], longest: int) -> None:
    alone = hashes(*encoded(forms), longest, suffixes_only=True)
    assert alone.shape == (len(forms), longest)
    by_text = [{name for name in ngrams(form, longest) if name[0] == "suffix"} for form in forms]
    known = [[number for number in row if number != ABSENT] for row in alone.tolist()]
    assert groups(known) == groups(by_text)
    for some, everything in zip(known, found(forms, longest), strict=True):
        assert set(some) <= set(everything), "a suffix has the same hash in both"


def test_a_suffix_classifier_weighs_suffixes_and_nothing_else() -> None:
    grams = torch.unique(hashes(*encoded(FORMS), LONGEST))
    network = SuffixClassifier(grams[grams != ABSENT], LABELS, shape(LONGEST))
    torch.nn.init.normal_(network.weight)
    row_of = {number: row for row, number in enumerate(network.grams.tolist(), 1)}
    suffixes = hashes(*encoded(FORMS), LONGEST, suffixes_only=True).tolist()
    for numbers, logits in zip(suffixes, network(*encoded(FORMS)), strict=True):
        rows = [row_of[number] for number in numbers if number != ABSENT]
        torch.testing.assert_close(logits, network.weight[rows].sum(0), rtol=1e-5, atol=1e-5)
    one, other = network(*encoded(["asztalkertben", "borkertben"]))
    assert torch.equal(one, other), "the beginning of a form is without influence"


def test_hashes_stay_what_stored_readers_know() -> None:
    ids, lengths = torch.tensor([[1, 5, 6, 7, 2]]), torch.tensor([5])
    assert hashes(ids, lengths, 4)[0].tolist() == [
        6656486893129144333,
        167379152032901111,
        4671792370738492043,
        -7665876411217289845,
        6588666381234000540,
        387692638714749865,
        2002346020654807823,
        -1709021291286295535,
    ]
