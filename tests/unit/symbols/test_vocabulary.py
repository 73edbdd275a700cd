from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.symbols.vocabulary import BOS, EOS, FEATURE, PAD, SPECIAL, UNK, Unit, Vocabulary

WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


def test_padding_is_id_0_and_the_special_symbols_come_first() -> None:
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    vocabulary = Vocabulary.build(["ab"], ["X"])
    assert vocabulary.symbols == (*SPECIAL, "a", "b")
    assert vocabulary.symbols[PAD] == "<PAD>"


@given(forms=WORDS, labels=st.lists(st.text("XYZ+", min_size=1)))
def test_symbols_and_labels_are_sorted_whatever_the_order_of_the_rows(
    forms: list[str], labels: list[str]
) -> None:
    vocabulary = Vocabulary.build(forms, labels)
    assert vocabulary == Vocabulary.build(reversed(forms), reversed(labels))
    assert list(vocabulary.symbols[len(SPECIAL) :]) == sorted(set("".join(forms)))
    assert list(vocabulary.labels) == sorted(set(labels))


def test_rarer_symbols_have_no_id() -> None:
    vocabulary = Vocabulary.build(["aab", "bbc"], ["X"], min_count=2)
    assert vocabulary.symbols[len(SPECIAL) :] == ("a", "b")


@pytest.mark.parametrize("unit", ["char", "bpe", "word"])
def test_marks_at_the_ends_of_forms_are_kept_apart_from_those_inside(unit: Unit, tmp_path: Path) -> None:
    vocabulary = Vocabulary.build(["-on", "sz.-hoz", "stb.", "7a", ""], ["X"], unit=unit)
    assert vocabulary.edges == ("-", ".")
    assert Vocabulary.from_json(vocabulary.to_json(), tmp_path) == vocabulary
    assert "edges" not in Vocabulary.build(["sz.-hoz"], ["X"]).to_json()


def test_text_that_spells_a_special_symbol_is_text() -> None:
    vocabulary = Vocabulary.build(["<PAD>"], ["X"])
    assert vocabulary.symbols == (*SPECIAL, "<", ">", "A", "D", "P")


def test_a_capital_without_an_id_has_that_of_its_small_letter() -> None:
    vocabulary = Vocabulary.build(["háPz", "ß", "ﬁ"], ["X"])
    ids = vocabulary.id_of_code_point
    assert vocabulary.capitals == {"H": "h", "Á": "á", "Z": "z"}
    assert [ids[ord(letter)] for letter in "HÁZ"] == [vocabulary.ids[letter] for letter in "ház"]
    assert ids[ord("P")] == vocabulary.ids["P"]
    assert ids[ord("p")] == UNK
    assert vocabulary.unknown("HÁZp!") == "!p"
    assert Vocabulary.build(["ház"], ["X"], unit="bpe").capitals == {}


def test_a_whole_form_is_a_symbol_and_a_rare_one_is_not() -> None:
    vocabulary = Vocabulary.build(["ház", "kert", "ház"], ["X"], min_count=2, unit="word")
    assert vocabulary.symbols == (*SPECIAL, "ház")
    assert (vocabulary.unknown("ház"), vocabulary.unknown("kert")) == ("", "kert")


def test_subwords_are_characters_and_what_merges_made_of_them() -> None:
    vocabulary = Vocabulary.build(["házban", "kertban", "ban"], ["X"], unit="bpe", merges=2)
    assert vocabulary.merges == (("a", "n"), ("b", "an"))
    assert vocabulary.symbols[len(SPECIAL) :] == tuple(sorted({*"házbankert", "an", "ban"}))
    assert vocabulary.unknown("bank?") == "?"
    assert vocabulary.spelling == Vocabulary.build(["házbankert"], ["X"])


@pytest.mark.parametrize(
    ("unit", "merges"), [("char", 0), ("bpe", 3), ("word", 0)], ids=["char", "bpe", "word"]
)
def test_a_vocabulary_of_any_unit_survives_its_file(tmp_path: Path, unit: Unit, merges: int) -> None:
    vocabulary = Vocabulary.build(["<PAD>ab", "ab\U0001f600", "ő\u0301ab"], ["X"], 1, unit, merges)
    files.write_json(tmp_path / "vocab.json", vocabulary.to_json())
    assert Vocabulary.read(tmp_path / "vocab.json") == vocabulary


def char(symbols: list[Any], special: tuple[str, ...] = SPECIAL, labels: Any = ("X",)) -> dict[str, object]:
    return {"unit": "char", "symbols": [*special, *symbols], "labels": [*labels]}


def bpe(symbols: list[str], merges: object) -> dict[str, object]:
    return {"unit": "bpe", "symbols": [*SPECIAL, *symbols], "merges": merges, "labels": ["X"]}


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"unit": "char", "symbols": [*SPECIAL, "a"]},
        {"unit": "byte", "symbols": [*SPECIAL, "a"], "labels": ["X"]},
        {"unit": ["char"], "symbols": [*SPECIAL, "a"], "labels": ["X"]},
        {"unit": "word", "symbols": [*SPECIAL, "ab", "a"], "labels": ["X"]},
        {"unit": "word", "symbols": [*SPECIAL, "a", "ab"], "merges": [["a", "b"]], "labels": ["X"]},
        {"unit": "char", "symbols": [*SPECIAL, "a"], "merges": [["a", "a"]], "labels": ["X"]},
        {"unit": "char", "symbols": "<PAD>", "labels": ["X"]},
        char(["a"], special=SPECIAL[::-1]),
        char(["a"], special=SPECIAL[:3]),
        char(["\ud800"]),
        char(["b", "a"]),
        char(["a", "a"]),
        char(["ab"]),
        char([""]),
        char([7]),
        char(["a"], labels=[]),
        char(["a"], labels=["Y", "X"]),
        char(["a"], labels=["X", "X"]),
        char(["a"], labels=[None]),
        bpe(["a", "ab", "b"], []),
        bpe(["a", "b"], [["a", "b"]]),
        bpe(["a", "ab"], [["a", "b"]]),
        bpe(["a", "ab", "b"], [["a", "b", "c"]]),
        bpe(["a", "ab", "b"], ["ab"]),
        bpe(["a", "ab", "b"], [["a", 7]]),
        bpe(["a", "ab", "b"], {"a": "b"}),
        bpe(["a", "ab", "b"], None),
        bpe(["", "a"], [["", "a"]]),
    ],
)
def test_a_malformed_vocabulary_is_refused(content: Any) -> None:
    with pytest.raises(DataError, match=r"^vocab\.json: expected a vocabulary .*, found something else"):
        Vocabulary.from_json(content, Path("vocab.json"))


def test_the_labels_are_the_single_values_of_the_training_labels() -> None:
    vocabulary = Vocabulary.build(["a"] * 4, ["NOM", "ACC/NOM", "IN+ESS", "DAT/ACC"])
    assert vocabulary.labels == ("ACC", "DAT", "IN+ESS", "NOM")


OF_CELLS = Vocabulary((*SPECIAL, "a"), ("cut(0,1)", "t"), features=("ACC", "N"), bundles=("N;ACC",))


def test_values_of_features_are_symbols_of_their_own_behind_the_letters(tmp_path: Path) -> None:
    files.write_json(tmp_path / "v.json", OF_CELLS.to_json())
    assert Vocabulary.read(tmp_path / "v.json") == OF_CELLS
    assert OF_CELLS.size == 7
    ids = OF_CELLS.id_of_code_point
    assert [ids[FEATURE], ids[FEATURE + 1], ids[FEATURE + 2], ids[ord("a")]] == [5, 6, UNK, 4]
    assert "features" not in Vocabulary.build(["a"], ["X"]).to_json(), "a classifier's stays as it was"


def test_what_is_written_has_ids_of_its_own() -> None:
    assert OF_CELLS.writes_edits
    ids = OF_CELLS.output.id_of_code_point
    cut, letter = OF_CELLS.outputs
    assert [ids[ord(cut)], ids[ord(letter)], ids[ord("T")], ids[ord("a")]] == [4, 5, UNK, UNK]
    assert not Vocabulary((*SPECIAL, "a"), ("a", "b")).writes_edits


@pytest.mark.parametrize("changed", [{"features": ["N", "ACC"]}, {"features": ["N", "N"]}, {"bundles": 7}])
def test_features_out_of_order_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="expected a vocabulary"):
        Vocabulary.from_json(OF_CELLS.to_json() | changed, tmp_path / "v.json")


def test_features_that_labels_join_are_kept_and_checked(tmp_path: Path) -> None:
    vocabulary = Vocabulary((*SPECIAL, "a"), ("ACC;SG", "NOM;SG"), dimensions=("Case", "Number"))
    content = vocabulary.to_json()
    assert Vocabulary.from_json(content, tmp_path) == vocabulary
    for wrong in (["Kasus"], ["Case", "Case"], [7]):
        with pytest.raises(DataError, match="expected a vocabulary"):
            Vocabulary.from_json(content | {"dimensions": wrong}, tmp_path)
