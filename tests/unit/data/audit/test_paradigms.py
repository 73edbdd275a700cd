from __future__ import annotations

import pyarrow as pa

from esetrag.data.audit.paradigms import Paradigms
from esetrag.data.change import Changes, Ints

Row = tuple[str, str, str]
CASES = {"NOM": "", "ACC": "t", "DAT": "nak"}
STEMS = [a + b + "r" for a in "bdfgklmn" for b in "aou"]
GOOD = [(stem, stem + ending, f"N;{case};SG") for stem in STEMS for case, ending in CASES.items()]


def table(rows: list[Row]) -> pa.Table:
    return pa.table(dict(zip(("lemma", "form", "features"), map(list, zip(*rows, strict=True)), strict=True)))


def paradigms(*more: Row) -> Paradigms:
    return Paradigms.of(table([*GOOD, *more]))


def forms(found: Paradigms, places: Ints) -> list[str]:
    return [found.forms[place].as_py() for place in places.tolist()]


def test_the_citation_cell_is_that_of_the_lemmas_if_they_are_forms() -> None:
    found = paradigms()
    assert found.bundles[found.cited[0]].as_py() == "N;NOM;SG"
    found = Paradigms.of(table([("am-", "amo", "V;1;SG"), ("am-", "amas", "V;2;SG")]))
    assert found.cited[0] == -1
    assert len(found.otherwise_cited()) == len(found.inflected_lemmas()) == 0


def test_a_lemma_whose_citation_cell_holds_another_word_is_found() -> None:
    found = paradigms(("gyalogjaim", "gyalog", "N;NOM;SG"), ("gyalogjaim", "gyalogot", "N;ACC;SG"))
    assert forms(found, found.otherwise_cited()) == ["gyalog"]


def test_a_second_word_beside_the_lemma_is_no_finding() -> None:
    found = paradigms(("bar", "baar", "N;NOM;SG"))
    assert len(found.otherwise_cited()) == 0


def test_where_lemmas_are_seldom_cited_so_none_is_remarkable() -> None:
    found = paradigms(*((f"x{stem}", f"y{stem}", "N;NOM;SG") for stem in STEMS))
    assert len(found.otherwise_cited()) == 0


def test_a_lemma_that_is_a_form_of_another_is_found() -> None:
    found = paradigms(("bart", "bart", "N;NOM;SG"))
    assert forms(found, found.inflected_lemmas()) == ["bart"]
    assert len(paradigms().inflected_lemmas()) == 0


def test_a_mark_under_many_lemmas_is_a_heading() -> None:
    rows = [*GOOD, *((stem, "—", "N;GEN;SG") for stem in STEMS[:5])]
    found = Paradigms.of(table(rows)).headings(Changes.of(table(rows)))
    assert [rows[place][1] for place in found] == ["—"] * 5


def test_suppletion_and_rare_marks_are_no_headings() -> None:
    rows = [
        *GOOD,
        *((stem, "—", "N;GEN;SG") for stem in STEMS[:4]),
        ("go", "went", "V;PST"),
        ("bar", "xr", "N;GEN;SG"),
    ]
    assert len(Paradigms.of(table(rows)).headings(Changes.of(table(rows)))) == 0


def test_cells_that_most_lemmas_have_are_missed_at_the_others_and_rare_ones_are_not() -> None:
    more = [("zur", "zur", "N;NOM;SG"), ("zar", "zart", "N;ACC;SG"), ("zar", "zar", "N;NOM;SG")]
    figures = paradigms(*more, ("bar", "barul", "N;FRML;SG"), ("bar", "barot", "N;ACC;SG")).figures()
    assert figures == {
        "lemmas": len(STEMS) + 2,
        "usual_cells": 3,
        "lacking_some": 2,
        "smallest": 1,
        "median": 3.0,
        "largest": 4,
        "missing": {"N;ACC;SG": 1, "N;DAT;SG": 2},
    }


def test_a_sample_of_cells_has_none_that_is_usual() -> None:
    figures = Paradigms.of(table([(f"l{i}", f"l{i}", f"N;{i};SG") for i in range(5)])).figures()
    assert (figures["usual_cells"], figures["lacking_some"], figures["missing"]) == (0, 0, {})
