"""Invented words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from esetrag.analysis.endings import Endings
from esetrag.analysis.nonce import invent
from tests.unit.showing import sample

ENDINGS = {"NOM": "", "IN+ESS": "ban", "ACC": "t"}
BEGINNINGS = [a + b + c for a in "bdk" for b in "ao" for c in "lmr"]
STEMS = [beginning + ("ata", "oga")[number % 2] for number, beginning in enumerate(BEGINNINGS)]


def paradigm(stems: list[str]) -> pa.Table:
    return sample(*((stem, stem + ending, value) for stem in stems for value, ending in ENDINGS.items()))


TRAIN, TEST = paradigm(STEMS), paradigm(["vízata", "kéroga"])


def invented(
    train: pa.Table = TRAIN, test: pa.Table = TEST, wanted: int = 40, lemmas: pa.ChunkedArray | None = None
) -> list[tuple[str, int]]:
    known = pa.chunked_array([*train["lemma"].chunks, *test["lemma"].chunks]) if lemmas is None else lemmas
    forms, rows = invent(train, test, known, Endings(train), wanted, np.random.default_rng(5))
    return list(zip(forms.to_pylist(), rows.tolist(), strict=True))


def test_invented_forms_have_the_ending_of_their_row_and_a_new_stem() -> None:
    found = invented()
    assert len(found) > 5
    labels = TEST["label"].to_pylist()
    known = {*TRAIN["lemma"].to_pylist(), *TEST["lemma"].to_pylist()}
    for form, row in found:
        stem = form.removesuffix(ENDINGS[labels[row]])
        assert form == stem + ENDINGS[labels[row]]
        assert stem not in known
        beginning, end = stem[: len(stem) // 2], stem[len(stem) // 2 :]
        assert any(lemma.startswith(beginning) for lemma in STEMS)
        assert any(lemma.endswith(end) for lemma in STEMS)


def test_no_form_is_invented_twice_nor_known_and_no_more_than_wanted() -> None:
    forms = [form for form, _ in invented()]
    assert len(set(forms)) == len(forms)
    assert not set(forms) & {*TRAIN["form"].to_pylist(), *TEST["form"].to_pylist()}
    assert len(invented(wanted=3)) == 3


def test_no_known_lemma_is_invented() -> None:
    nominatives = {form for form, row in invented() if TEST["label"][row].as_py() == "NOM"}
    assert nominatives
    lemmas = pa.chunked_array([*TRAIN["lemma"].chunks, pa.array(sorted(nominatives))])
    stems = {form.removesuffix(ENDINGS[TEST["label"][row].as_py()]) for form, row in invented(lemmas=lemmas)}
    assert not stems & nominatives


def test_a_stem_that_changes_keeps_what_changes() -> None:
    test = sample(("alma", "almát", "ACC"), ("vízoga", "vízogát", "ACC"))
    found = invented(test=test)
    assert found
    assert all(form.endswith("át") for form, _ in found)


def test_where_words_inflect_at_the_beginning_so_do_invented_ones() -> None:
    stems = ["totoka", "zeeliko", "limupata", "genirobo", "tokazeli", "zelimupo"]
    rows = [
        ("m" + stem, prefix + stem, value) for stem in stems for prefix, value in (("m", "SG"), ("wa", "PL"))
    ]
    test = sample(("mtosaki", "watosaki", "PL"), ("mzesaki", "wazesaki", "PL"))
    found = invented(sample(*rows), test)
    assert found
    assert all(form.startswith("wa") for form, _ in found)


@pytest.mark.parametrize("train", [sample(("a", "at", "ACC")), sample(("ab", "abt", "ACC"))])
def test_lemmas_too_short_to_be_taken_apart_give_nothing(train: pa.Table) -> None:
    assert invented(train) == []
    assert invented(test=TEST.slice(0, 0)) == []
