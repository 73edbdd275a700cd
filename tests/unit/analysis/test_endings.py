"""Endings that are evidence of a label."""

from __future__ import annotations

import pyarrow as pa

from esetrag.analysis.endings import Endings
from tests.unit.showing import sample


def column(*forms: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(forms, pa.string())])


STEMS = ("kana", "lomta", "dara", "mosza", "kana", "vero")
TRAIN = sample(
    *((stem, stem, "NOM") for stem in STEMS),
    *((stem, stem + "k", "NOM") for stem in STEMS),
    *((stem, stem + "ban", "IN+ESS") for stem in STEMS),
    *((stem, stem + "t", "ACC/NOM" if stem == "vero" else "ACC") for stem in STEMS),
    ("só", "sava", "ACC"),
)


def test_the_citation_label_is_that_of_forms_equal_to_their_lemma() -> None:
    assert Endings(TRAIN).citation == "NOM"
    assert Endings(sample(("ház", "házban", "IN+ESS"))).citation is None


def test_evidence_is_frequent_and_not_of_the_citation_label() -> None:
    assert Endings(TRAIN).evidence == ("ban", "t")
    more = sample(*((f"{a}{b}t", f"{a}{b}t", "NOM") for a in "bdfg" for b in "aeio"))
    assert Endings(pa.concat_tables([TRAIN, more])).evidence == ("ban",), "more nominatives end in t"
    as_many = pa.concat_tables([TRAIN, more.slice(0, 5)])
    assert Endings(as_many).evidence == ("ban",), "as many nominatives as accusatives"


def test_a_form_looks_inflected_if_something_stands_before_an_ending() -> None:
    found = Endings(TRAIN).looks_inflected(column("nemzet", "turban", "ban", "kanak", "t", "fa"))
    assert found.tolist() == [True, True, False, False, False, False]
    assert Endings(sample(("a", "a", "NOM"))).looks_inflected(column("at")).tolist() == [False]


def test_a_form_of_several_labels_counts_for_each() -> None:
    endings = Endings(TRAIN)
    labels = pa.chunked_array([["NOM", "ACC/NOM", "ACC"]])
    assert endings.has_citation(labels).tolist() == [True, True, False]
    counts = [endings.counts[0, "t", label] for label in ("ACC", "NOM")]
    assert counts == [6, 1]


def test_where_words_inflect_at_the_beginning_endings_stand_there() -> None:
    stems = ("toto", "zee", "limu", "geni")
    rows = [
        (f"m{stem}", f"{prefix}{stem}", number)
        for stem in stems
        for prefix, number in (("m", "SG"), ("wa", "PL"))
    ]
    endings = Endings(sample(*rows))
    assert (endings.at_end, endings.citation, endings.evidence) == (False, "SG", ("aw",))
    assert endings.looks_inflected(column("wali", "mali")).tolist() == [True, False]
