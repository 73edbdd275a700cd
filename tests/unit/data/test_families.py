from __future__ import annotations

from itertools import combinations

import pyarrow as pa
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from esetrag.core import tables
from esetrag.data import families
from esetrag.data.families import Families, heads_of
from tests.unit.showing import sample


def of(*lemmas: str) -> Families:
    return Families.of(sample(*((lemma, lemma + "ban", "IN+ESS") for lemma in lemmas)))


def heads(found: Families) -> dict[str, str]:
    return dict(zip(*(column.to_pylist() for column in found.table.columns), strict=True))


def components(lemmas: list[str], shortest: int) -> set[frozenset[str]]:
    """The connected components of *one ends in the other*, the slow way."""
    groups = [{lemma} for lemma in lemmas]
    for one, other in combinations(sorted(lemmas, key=len), 2):
        if len(one) >= shortest and other.endswith(one):
            joined = [group for group in groups if one in group or other in group]
            groups = [group for group in groups if group not in joined] + [set.union(*joined)]
    return {frozenset(group) for group in groups}


def test_compounds_and_their_head_are_a_family() -> None:
    found = of("legény", "agglegény", "vőlegény", "kutya", "alma")
    expected = {
        "agglegény": "legény",
        "alma": "alma",
        "kutya": "kutya",
        "legény": "legény",
        "vőlegény": "legény",
    }
    assert heads(found) == expected
    column = pa.chunked_array([["agglegény"], ["mén", None]])
    assert heads_of(column, found.table).to_pylist() == ["legény", "mén", None], "an unknown one is its own"


@settings(max_examples=150)
@for_all(lemmas=st.lists(st.text("ab", min_size=1, max_size=7), min_size=1, max_size=9, unique=True))
def test_families_are_the_connected_components(lemmas: list[str]) -> None:
    found = of(*lemmas)
    assert found.passed_over == ()
    grouped: dict[str, set[str]] = {}
    for lemma, head in heads(found).items():
        grouped.setdefault(head, set()).add(lemma)
    assert {frozenset(group) for group in grouped.values()} == components(lemmas, found.shortest)


def test_a_head_is_half_as_long_as_the_usual_lemma_at_least() -> None:
    assert heads(of("ól", "kóla", "iskola", "óvoda", "akol", "iskolaól"))["iskolaól"] == "ól"
    longer = of("ól", "iskolaól", "szárazmalom", "kutyaól", "kiskocsma")
    assert (longer.shortest > 2, heads(longer)["kutyaól"]) == (True, "kutyaól")


def test_where_words_inflect_at_the_beginning_families_begin_alike() -> None:
    rows = [("mtoto", "watoto", "PL"), ("mtotowa", "watotowa", "PL"), ("kitoto", "vitoto", "PL")]
    found = Families.of(sample(*rows))
    assert not found.at_end
    assert heads(found) == {"kitoto": "kitoto", "mtoto": "mtoto", "mtotowa": "mtoto"}


def test_what_too_many_lemmas_end_in_is_passed_over_and_named() -> None:
    stems = [a + b + c for a in "bdfgk" for b in "aeio" for c in "lmnr"]
    lemmas = ["keit", *(stem + "keit" for stem in stems), "zeit", "mahlzeit", "bal" + "balkeit"]
    found = of(*lemmas)
    assert found.passed_over == ("keit",)
    assert heads(found)["balbalkeit"] == "balkeit", "the next longer head takes over"
    assert heads(found)["mahlzeit"] == "zeit"
    largest = max(map(list(heads(found).values()).count, heads(found).values()))
    assert largest <= max(families.FEW, families.LARGEST * len(lemmas))


def test_rows_without_lemmas_have_no_families() -> None:
    found = Families.of(tables.sample([None], ["a"], [None], ["x"]))
    assert (len(found.table), found.passed_over) == (0, ())
