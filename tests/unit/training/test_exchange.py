"""Beginnings of stems exchanged."""

from __future__ import annotations

import numpy as np

from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import BOS, EOS, PAD, Vocabulary
from esetrag.training.exchange import KEPT, Exchange
from tests import writing
from tests.samples import CPU
from tests.writing import asked

ROWS = asked(
    ("kecskebak", "N;PL", "kecskebakok"),
    ("almafa", "N;PL", "almafák"),
    ("asztalka", "N;ACC", "asztalkát"),
    ("kutya", "N;PL", "kutyák"),
    ("virágos", "N;NEG", "nevirágos"),
    ("barátok", "N;CUT", "ba"),
    ("ló", "N;PL", "lovak"),
    ("kutyus", "N;ACC;PL;SG", "kutyust"),  # with a long beginning it would be too long
)
UNTOUCHED = (4, 5, 6)  # a prefix; more cut off than what stays; too short


def replaced(share: float, seed: int = 1) -> tuple[Batch, Batch, Vocabulary]:
    data = writing.data(ROWS, ROWS, writing.task())
    batch = Batch.of(data.train, CPU)
    return batch, Exchange.of(data).replace(batch, share, np.random.default_rng(seed)), data.vocabulary


def read(batch: Batch, row: int, vocabulary: Vocabulary) -> tuple[list[str], str]:
    ids, names = batch.source.ids[row].tolist(), (*vocabulary.symbols, *vocabulary.features)
    size = int(batch.source.lengths[row])
    assert (ids[0], ids[size - 1], {*ids[size:]} - {PAD}) == (BOS, EOS, set())
    inner = ids[1 : size - 1]
    letters = len(vocabulary.symbols)
    assert sorted(inner, key=lambda i: i < letters) == inner, "the values of the features stand in front"
    return [names[i] for i in inner if i >= letters], "".join(names[i] for i in inner if i < letters)


def test_words_begin_as_others_and_end_as_before() -> None:
    changed, words = 0, ROWS["form"].to_pylist()
    for seed in range(9):
        before, after, vocabulary = replaced(1.0, seed)
        assert (after.target.equal(before.target), after.weight.equal(before.weight)) == (True, True)
        for row, word in enumerate(words):
            values, made = read(after, row, vocabulary)
            assert values == read(before, row, vocabulary)[0]
            if row in UNTOUCHED:
                assert made == word
            else:
                assert made[-KEPT:] == word[-KEPT:]
                assert made[:-KEPT] in {other[: max(len(other) - KEPT, 0)] for other in words}
            changed += made != word
    assert changed > 20


def test_without_a_share_nothing_changes() -> None:
    before, after, _ = replaced(0.0)
    assert after.source.ids.equal(before.source.ids)
    assert after.source.lengths.equal(before.source.lengths)
    assert after.source.ids.dtype == before.source.ids.dtype
