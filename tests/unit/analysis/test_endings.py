from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from esetrag.analysis.endings import Endings, changes, words
from tests.unit.showing import sample


def column(*forms: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(forms, pa.string())])


@pytest.mark.parametrize(
    ("lemma", "form", "lost", "ending"),
    [
        ("ház", "házban", 0, "ban"),
        ("madár", "madarat", 2, "arat"),
        ("ház", "ház", 0, ""),
        ("házak", "ház", 2, ""),
        ("jó", "szép", 2, "szép"),
        ("\U0001f600a", "\U0001f600b", 1, "b"),
    ],
)
def test_a_change_is_what_a_lemma_loses_and_gains(lemma: str, form: str, lost: int, ending: str) -> None:
    found = changes(words(column(lemma, "x")), words(column(form, "xyz")))
    assert (found[0].tolist(), found[1].tolist()) == ([lost, 0], [ending, "yz"])


STEMS = ("kana", "lomta", "dara", "mosza", "kana", "vero")
TRAIN = sample(
    *((stem, stem, "NOM") for stem in STEMS),
    *((stem, stem + "k", "NOM") for stem in STEMS),
    *((stem, stem + "ban", "IN+ESS") for stem in STEMS),
    *((stem, stem + "t", "ACC/NOM" if stem == "vero" else "ACC") for stem in STEMS),
    ("só", "sava", "ACC"),
)


def test_the_citation_value_is_that_of_forms_equal_to_their_lemma() -> None:
    assert Endings(TRAIN).citation == "NOM"
    assert Endings(sample(("ház", "házban", "IN+ESS"))).citation is None


def test_telling_endings_are_frequent_and_not_of_the_citation_value() -> None:
    assert Endings(TRAIN).telling == ("ban", "t")
    many = [(f"{a}{b}t", f"{a}{b}t", "NOM") for a in "bdfg" for b in "aeio"]
    more = sample(*many)
    assert Endings(pa.concat_tables([TRAIN, more])).telling == ("ban",), "more nominatives end in t"


def test_a_form_looks_inflected_if_something_stands_before_a_telling_ending() -> None:
    learnt = Endings(TRAIN)
    found = learnt.looks_inflected(column("nemzet", "turban", "ban", "kanak", "t", "fa"))
    assert found.tolist() == [True, True, False, False, False, False]


def test_a_label_of_several_values_bears_each() -> None:
    learnt = Endings(TRAIN)
    assert learnt.bears_citation(pa.chunked_array([["NOM", "ACC/NOM", "ACC"]])).tolist() == [
        True,
        True,
        False,
    ]
    of_t = learnt.counts[learnt.counts["ending"] == "t"]
    assert dict(zip(of_t["value"], of_t["rows"], strict=True)) == {"ACC": 6, "NOM": 1}


def test_where_words_inflect_at_the_beginning_endings_stand_there() -> None:
    stems = ("toto", "zee", "limu", "geni")
    rows = [
        (f"m{stem}", f"{prefix}{stem}", number)
        for stem in stems
        for prefix, number in (("m", "SG"), ("wa", "PL"))
    ]
    learnt = Endings(sample(*rows))
    assert (learnt.at_end, learnt.citation, learnt.telling) == (False, "SG", ("aw",))
    assert learnt.looks_inflected(column("wali", "mali")).tolist() == [True, False]


def test_forms_end_as_the_citation_value_by_their_last_two_symbols() -> None:
    assert np.array_equal(
        Endings(TRAIN).ends_as_citation(column("bika", "mama", "fara")), [False, False, True]
    )
