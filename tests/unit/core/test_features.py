from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import features

VALUES = [(name, value) for name, values in features.DIMENSIONS.items() for value in sorted(values)]


@pytest.mark.parametrize(
    ("bundle", "dimension", "expected"),
    [
        ("N;DEF;GEN;PL", "Case", {"GEN"}),
        ("N;DEF;GEN;PL", "Definiteness", {"DEF"}),
        ("N;DEF;GEN;PL", "Number", {"PL"}),
        ("N;SG;PSS3P", "Case", set()),
        ("N;SG;PSS3P", "Possession", {"PSS3P"}),
        ("N;ACC(SG)", "Case", {"ACC"}),
        ("N;ACC(SG)", "Number", {"SG"}),
        ("V;PRS;ERG(3,SG)", "Case", {"ERG"}),
        ("V;PRS;ERG(3,SG)", "Person", {"3"}),
        ("V;PRS;ERG(3,SG)", "Number", {"SG"}),
        ("V:PST:3:PL", "Tense", {"PST"}),
        ("V:PST:3:PL", "Person", {"3"}),
        ("V:PST:3:PL", "Number", {"PL"}),
        ("V;IND;PRS;2SG", "Person", {"2"}),
        ("V;IND;PRS;2SG", "Number", {"SG"}),
        ("V;NO1PL;2SG", "Person", {"2"}),
        ("N;NOM/ACC;SG", "Case", {"NOM", "ACC"}),
        ("N;IN+ABL;SG", "Case", {"IN+ABL"}),
        ("N;AT+ESS/IN+ESS;SG", "Case", {"AT+ESS", "IN+ESS"}),
        ("N;nom;Sg;lgspec1", "Case", set()),
        ("N;nom;Sg;lgspec1", "Number", set()),
        ("N; ACC ; SG", "Case", {"ACC"}),
        ("N", "Case", set()),
        ("", "Case", set()),
    ],
)
def test_a_value_is_found_however_the_bundle_is_written(
    bundle: str, dimension: str, expected: set[str]
) -> None:
    assert features.values(bundle, dimension) == expected


@pytest.mark.parametrize("dimension", ["Case", "Number", "Person"])
def test_two_marked_arguments_give_every_value(dimension: str) -> None:
    bundle = "V;PRS;ERG(3,SG);ABS(1,PL)"
    expected = {"Case": {"ERG", "ABS"}, "Number": {"SG", "PL"}, "Person": {"3", "1"}}
    assert features.values(bundle, dimension) == expected[dimension]


@pytest.mark.parametrize(
    ("bundle", "dimension", "expected"),
    [
        ("N;NOM/ACC;SG", "Case", [{"NOM", "ACC"}]),
        ("N;NOM/ACC;SG", "Number", [{"SG"}]),
        ("N;NOM;ACC;SG", "Case", [{"NOM"}, {"ACC"}]),
        ("N;NOM/ACC;DAT/GEN", "Case", [{"NOM", "ACC"}, {"DAT", "GEN"}]),
        ("V;PRS;ERG(3,SG);ABS(1,PL)", "Number", [{"SG"}, {"PL"}]),
        ("V;2SG;3", "Person", [{"2"}, {"3"}]),
        ("N;PSS1S/ACC;SG", "Case", [{"ACC"}]),
        ("N;AT+ESS/IN+ESS;SG", "Case", [{"AT+ESS", "IN+ESS"}]),
        ("N;SG", "Case", []),
        ("", "Case", []),
    ],
)
def test_alternatives_of_one_tag_stay_together_and_those_of_two_apart(
    bundle: str, dimension: str, expected: list[set[str]]
) -> None:
    assert features.choices(bundle, dimension) == expected
    assert features.values(bundle, dimension) == set().union(*expected)


def test_both_spellings_of_the_instrumental_are_one_value() -> None:
    assert features.values("N;INST;SG", "Case") == features.values("N;INS;SG", "Case") == {"INS"}
    assert features.values("N;INS/INST;SG", "Case") == {"INS"}


def test_the_part_of_speech_is_not_a_value() -> None:
    assert features.values("IN;ACC", "Case") == {"ACC"}


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        ("N;ACC;SG", "N"),
        ("V:PST:3:PL", "V"),
        ("V.PTCP;PST", "V.PTCP"),
        ("N(ACC)", "N"),
        ("N", "N"),
        ("", ""),
    ],
)
def test_part_of_speech_is_the_first_tag(bundle: str, expected: str) -> None:
    assert features.part_of_speech(bundle) == expected


@given(
    chosen=st.sampled_from(VALUES),
    others=st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8), max_size=5),
    place=st.integers(0, 5),
    separator=st.sampled_from([";", ":", "; ", " ", ","]),
)
def test_every_value_is_found_in_any_position(
    chosen: tuple[str, str], others: list[str], place: int, separator: str
) -> None:
    dimension, value = chosen
    tags = [*others[:place], value, *others[place:]]
    assert features.values(separator.join(["N", *tags]), dimension) == {value}


@given(st.text(max_size=30), st.sampled_from(sorted(features.DIMENSIONS)))
def test_whatever_stands_in_a_bundle_only_values_of_the_dimension_are_found(
    bundle: str, dimension: str
) -> None:
    for value in features.values(bundle, dimension):
        assert set(value.split("+")) <= features.DIMENSIONS[dimension]
