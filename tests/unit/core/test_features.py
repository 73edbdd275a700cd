from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import features

VALUES = [(name, value) for name, values in features.DIMENSIONS.items() for value in sorted(values)]


@pytest.mark.parametrize(
    ("bundle", "dimension", "expected"),
    [
        ("N;DEF;GEN;PL", "Case", [{"GEN"}]),
        ("N;DEF;GEN;PL", "Definiteness", [{"DEF"}]),
        ("N;SG;PSS3P", "Case", []),
        ("N;SG;PSS3P", "Possession", [{"PSS3P"}]),
        ("N;ACC(SG)", "Case", [{"ACC"}]),
        ("N;GEN(SG;DEF)", "Number", [{"SG"}]),
        ("V;PRS;ERG(3,SG)", "Case", [{"ERG"}]),
        ("V;PRS;ERG(3,SG)", "Person", [{"3"}]),
        ("V;PRS;ERG(3,SG);ABS(1,PL)", "Number", [{"SG"}, {"PL"}]),
        ("V:PST:3:PL", "Tense", [{"PST"}]),
        ("V:PST:3:PL", "Number", [{"PL"}]),
        ("V;IND;PRS;2SG", "Person", [{"2"}]),
        ("V;2SG;3", "Person", [{"2"}, {"3"}]),
        ("V;ACC(2DU)", "Number", [{"DU"}]),
        ("V;ACC(2DU)", "Person", [{"2"}]),
        ("V;NO1PL;2SG", "Number", [{"SG"}]),
        ("N;NOM/ACC;SG", "Case", [{"NOM", "ACC"}]),
        ("N;{NOM/ACC};SG", "Case", [{"NOM", "ACC"}]),
        ("N;NOM;ACC;SG", "Case", [{"NOM"}, {"ACC"}]),
        ("N;NOM/ACC;DAT/GEN", "Case", [{"NOM", "ACC"}, {"DAT", "GEN"}]),
        ("N;AT+ESS/IN+ESS;SG", "Case", [{"AT+ESS", "IN+ESS"}]),
        ("N;PSS1S/ACC;SG", "Case", [{"ACC"}]),
        ("N;nom;Sg;lgspec1", "Number", []),
        ("N; ACC ; SG", "Case", [{"ACC"}]),
        ("N;INS/INST;SG", "Case", [{"INS"}]),
        ("IN;ACC", "Case", [{"ACC"}]),
        ("", "Case", []),
        ("V;non{PST};3;SG", "Tense", []),
        ("V;non{3};SG", "Person", []),
        ("V;NOT(PST);3", "Tense", []),
        ("V;non{{3}};SG", "Person", []),
        ("V;non{PST;SG", "Tense", []),
        ("V;non{IND/SBJV}", "Mood", []),
        ("V;non{PST};PRS", "Tense", [{"PRS"}]),
        ("N;PL;PSSD;PSS(3,SG,MASC)", "Number", [{"PL"}]),
        ("N;PL;PSSD;PSS(3,SG,MASC)", "Person", []),
        ("N;SG;PSS(1,PL(INCL))", "Number", [{"SG"}]),
        ("N;SG;PSS(1,PL", "Number", [{"SG"}]),
        ("N;PL;PSSD;PSS(3,SG,MASC)", "Gender", []),
        ("N;ACC(SG,PSS(1,PL))", "Possession", [{"PSS1P"}]),
        ("N;PSS{2/3}D", "Possession", [{"PSS2D", "PSS3D"}]),
        ("N;PSS{2/3}D", "Person", []),
        ("N;PSS(2/3,DU)", "Possession", [{"PSS2D", "PSS3D"}]),
        ("N;PSS(1,{SG/PL})", "Possession", [{"PSS1S", "PSS1P"}]),
        ("N;PSS(2,SG,FORM)", "Possession", [{"PSS2SFORM"}]),
        ("N;PSS(1,PL,EXCL)", "Possession", [{"PSS1PE"}]),
        ("N;PSS(" + "1/2," * 200 + "SG)", "Possession", []),
        ("N;PSS1", "Possession", [{"PSS1"}]),
        ("N;BANT01", "Gender", [{"BANTU1"}]),
        ("V;PAST", "Tense", [{"PST"}]),
        ("N;INE;PLUR", "Case", [{"IN+ESS"}]),
        ("N;INE;PLUR", "Number", [{"PL"}]),
        ("N;ALL", "Case", [{"ALL"}]),
        ("ADJ;NDEF;SG", "Definiteness", [{"INDF"}]),
    ],
)
def test_values_are_found_tag_by_tag_however_the_bundle_is_written(
    bundle: str, dimension: str, expected: list[set[str]]
) -> None:
    assert features.choices(bundle, dimension) == expected
    assert features.values(bundle, dimension) == set[str]().union(*expected)


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [("N;ACC;SG", "N"), ("V:PST:3:PL", "V"), ("V.PTCP;PST", "V.PTCP"), ("N(ACC)", "N"), ("N", "N"), ("", "")],
)
def test_part_of_speech_is_the_first_tag(bundle: str, expected: str) -> None:
    assert features.part_of_speech(bundle) == expected


def test_a_negated_tag_is_unknown_and_named() -> None:
    assert features.tags("V;non{PST};SG") == ["non{PST}", "SG"]
    assert features.tags("V;non{IND/SBJV};SG") == ["non{IND/SBJV}", "SG"]
    unknown = ("non{PST}", "dövri", "ARGERG3", "SUP")
    assert not any(map(features.known, unknown))
    assert all(map(features.known, ("PST", "IN+ESS", "ELA", "BANT01", "PSS3")))


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
