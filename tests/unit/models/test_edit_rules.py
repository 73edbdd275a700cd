"""Longest-suffix edit rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from esetrag.models.edit_rules import LEAST, EditRules
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks.transduce import Transduce, written
from tests import writing
from tests.samples import CPU
from tests.writing import asked, encoded

Row = tuple[str, str | None, str]


def fitted(*rows: Row) -> tuple[EditRules, Transduce, Vocabulary]:
    kind = writing.task()
    train = asked(*rows)
    vocabulary = kind.vocabulary([train], writing.BUILD)
    return EditRules.of_rows(Batch.of(encoded(kind, train, vocabulary), CPU), vocabulary), kind, vocabulary


def proposed(made: tuple[EditRules, Transduce, Vocabulary], word: str, bundle: str) -> list[str]:
    rules, kind, vocabulary = made
    batch = Batch.of(encoded(kind, asked((word, bundle, word)), vocabulary, 20), CPU)
    words = written(rules.propose(batch.source).numpy(), np.array([word]), vocabulary)[0].tolist()
    assert len(words) <= rules.most
    listed = list(filter(None, words))
    assert len({*listed}) == len(listed), "each once"
    return listed


def probability(made: tuple[EditRules, Transduce, Vocabulary], word: str, bundle: str, right: str) -> float:
    rules, kind, vocabulary = made
    batch = Batch.of(encoded(kind, asked((word, bundle, right)), vocabulary, 20), CPU)
    return math.exp(float(rules.score(batch.source, torch.tensor([0]), batch.target)[0]))


def test_the_longest_suffix_wins() -> None:
    rows: list[Row] = [
        ("ba", "N;PL", "bak"),
        ("da", "N;PL", "dak"),
        ("ka", "N;PL", "kax"),
        ("ro", "N;PL", "roy"),
    ]
    made = fitted(*rows)
    assert proposed(made, "zza", "N;PL")[0] == "zzak", "two of three in -a"
    assert proposed(made, "zka", "N;PL")[0] == "zkax", "the only one in -ka"
    assert proposed(made, "ka", "N;PL")[0] == "kax"
    assert set(proposed(made, "zzo", "N;PL")) == {"zzoy", "zzok", "zzox"}, "then those of a shorter suffix"


def test_of_many_scripts_the_most_frequent_are_proposed() -> None:
    rows: list[Row] = []
    for frequency, end in enumerate("klmnop", 1):
        rows += [(f"{letter}a", "N", f"{letter}a{end}") for letter in "bdfghj"[:frequency]]
    assert proposed(fitted(*rows), "zza", "N") == ["zzap", "zzao", "zzan", "zzam"]


def test_features_are_kept_apart_in_any_order() -> None:
    made = fitted(("ba", "N;SG", "bas"), ("ba", "N;PL", "bap"), ("ba", "N;PL;DU", "bad"))
    assert [proposed(made, "xa", bundle) for bundle in ("N;SG", "N;PL", "N;DU;PL")] == [
        ["xas"],
        ["xap"],
        ["xad"],
    ]
    assert proposed(made, "xa", "N") == [], "a bundle that training does not have has no rule"


def test_bundles_whose_ids_have_one_sum_are_not_mixed_up() -> None:
    # The values are sorted: the ids of B and C, and those of A and D, add up to one number.
    made = fitted(("ba", "A;D", "bax"), ("ba", "B;C", "bay"))
    assert (proposed(made, "ba", "A;D"), proposed(made, "ba", "B;C")) == (["bax"], ["bay"])


def test_suffixes_are_interpolated_with_shorter_ones() -> None:
    made = fitted(("ba", "N", "bak"), ("da", "N", "dak"), ("da", "N", "dax"), ("ro", "N", "roy"))
    # Witten and Bell: (rows of the script + kinds · shorter) / (rows + kinds)
    nothing = (2 + 3 * LEAST) / (4 + 3)
    of_a = (2 + 2 * nothing) / (3 + 2)
    assert probability(made, "za", "N", "zak") == pytest.approx(of_a, rel=1e-5)
    assert probability(made, "zda", "N", "zdak") == pytest.approx((1 + 2 * of_a) / (2 + 2), rel=1e-5)
    of_word = (1 + 2 * (1 + 2 * of_a) / 4) / (2 + 2)
    assert probability(made, "da", "N", "dak") == pytest.approx(of_word, rel=1e-5), (
        "the beginning is a letter"
    )
    unseen = 3 * LEAST / 7
    assert probability(made, "zzu", "N", "z") == pytest.approx(unseen, rel=1e-4)
    assert probability(made, "zzu", "", "zzuk") == pytest.approx(LEAST, rel=1e-4), "an unseen bundle"


def test_a_table_that_is_not_as_it_should_be_is_not_sound() -> None:
    rules, *_ = fitted(("ba", "N", "bak"), ("do", "N", "dox"))
    assert rules.is_sound()
    changes = {
        "keys": rules.keys.flip(0), "pairs": rules.pairs.flip(0), "top": rules.top + 99,
        "totals": rules.totals[:-1], "kinds": rules.kinds[1:], "counts": rules.counts[:1],
        "scripts": rules.scripts + 99,
    }  # fmt: skip
    for name, value in changes.items():
        usual = getattr(rules, name)
        setattr(rules, name, value)
        assert not rules.is_sound(), name
        setattr(rules, name, usual)
    assert rules.is_sound()


def test_the_vowels_of_a_word_say_what_its_ending_does_not() -> None:
    stems = [f"{a}{vowel}{b}" for vowel in "aouei" for a in "bdkp" for b in "lmnr"]
    rows: list[Row] = [
        (stem, "N;PL", stem + ("ek" if stem[1] in "ei" else "ok")) for stem in stems if stem[2] != "n"
    ]
    rules, kind, vocabulary = fitted(*rows)
    class_of = dict(zip(vocabulary.symbols, rules.classes.tolist(), strict=True))
    back, front = ({class_of[letter] for letter in letters} for letters in ("aou", "ei"))
    assert (len(back), len(front), len(back | front | {0})) == (1, 1, 3)
    assert not {class_of[letter] for letter in "bdkplmr"} - {0}
    made = rules, kind, vocabulary
    assert proposed(made, "bon", "N;PL")[0] == "bonok", "no word of training ends in -n"
    assert proposed(made, "den", "N;PL")[0] == "denek"


def test_without_harmony_there_are_no_classes() -> None:
    stems = [f"{a}{vowel}{b}" for vowel in "aouei" for a in "bdkp" for b in "lmnr"]
    rules, *_ = fitted(*((stem, "N;PL", stem + "ok") for stem in stems))
    assert not rules.classes.any()
