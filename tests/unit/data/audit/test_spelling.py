from __future__ import annotations

import pyarrow as pa
import pytest

from esetrag.data.audit import spelling


@pytest.mark.parametrize(
    ("bundles", "expected"),
    [
        ({"N;INS;SG": 5, "N;INST;SG": 2, "N;INST;PL": 1}, [("tag", "INST", "INS", 3, 5)]),
        ({"N;INST;SG": 2}, [("tag", "INST", "INS", 2, 0)]),
        ({"N;SG;LGSPEC1": 5, "N;SG;LGSPEC01": 2}, [("tag", "LGSPEC01", "LGSPEC1", 2, 5)]),
        ({"N;SG;LGSPEC01": 2}, []),
        ({"N;sg;ACC": 1, "N;SG;DAT": 4}, [("tag", "sg", "SG", 1, 4)]),
        ({"N;dövri": 1}, [("unknown tag", "dövri", "", 1, 0)]),
        ({"N;ACC;SG": 9, "N;SG;ACC": 2}, [("bundle", "N;SG;ACC", "N;ACC;SG", 2, 9)]),
        ({"N;ACC;SG": 1, "N;ACC(SG)": 7}, [("bundle", "N;ACC;SG", "N;ACC(SG)", 1, 7)]),
        ({"N;ACC;SG": 3, "V;ACC;SG": 3, "N;IN+ESS;PL": 1, "N;NOM/ACC;PL": 2, "V;V.PTCP": 1}, []),
    ],
)
def test_drifting_spellings(bundles: dict[str, int], expected: list[tuple[str, str, str, int, int]]) -> None:
    assert [tuple(drift.values()) for drift in spelling.drifts(bundles)] == expected


def test_a_bundle_with_a_drifting_tag_is_no_second_finding() -> None:
    found = spelling.drifts({"N;INS;SG": 5, "N;INST;SG": 2})
    assert [drift["kind"] for drift in found] == ["tag"]


def test_the_commonest_drift_comes_first() -> None:
    found = spelling.drifts({"N;INST;SG": 2, "N;XX;SG": 7, "N;YY;SG": 7})
    assert [drift["found"] for drift in found] == ["XX", "YY", "INST"]


@pytest.mark.parametrize(
    ("word", "mixes"),
    [
        ("темір", False),
        ("тeмір", True),  # a Latin e
        ("hаz", True),  # a Cyrillic а
        ("α-részecske", False),
        ("24.hu-hoz", False),
        ("5µm", False),
        ("食べる", False),
        ("", False),
    ],
)
def test_scripts_that_mix_within_a_word(word: str, mixes: bool) -> None:
    found = spelling.mixed(pa.chunked_array([["ház", "дом", word], ["дом", "ház"]]))
    assert found.tolist() == [False, False, mixes, False, False]


def test_words_of_one_script_mix_none() -> None:
    assert spelling.mixed(pa.chunked_array([["ház", ""]])).tolist() == [False, False]


def test_invisible_characters_are_found_and_joiners_at_ends_only() -> None:
    lemmas = ["ház", "کتاب", "kert", "ház", "hét", "a", "b"]
    forms = [
        "házból\u200b",
        "کتاب\u200cها\u200cی",
        "kert\u00a0ben",
        "ház\u200cban\u200c",
        "hé\u00adtig",
        "a b",
        "b\x0bc",
    ]
    found = spelling.hidden(pa.table({"lemma": lemmas, "form": forms}))
    rows = {name: mask.to_pylist().index(True) for name, mask in found.items() if any(mask.to_pylist())}
    assert rows == {"U+200B": 0, "U+00A0": 2, "U+200C": 3, "U+00AD": 4, "U+000B": 6}
    assert sum(sum(mask.to_pylist()) for mask in found.values()) == 5


@pytest.mark.parametrize(
    ("lemma", "form", "is_gloss"),
    [
        ("hanyatlik", "the verb has no subjunctive forms", True),
        ("singen", "ich werde gesungen haben", False),  # nothing but the tense has more words
        ("Singen", "sie haben oft gesungen", False),
        ("kap", "has no plural", False),
        ("New York City", "New York Citys", False),
    ],
)
def test_a_sentence_that_stands_for_a_form(lemma: str, form: str, is_gloss: bool) -> None:
    rows = pa.table({"lemma": pa.chunked_array([[lemma]]), "form": pa.chunked_array([[form]])})
    assert spelling.glosses(rows).tolist() == [is_gloss]
