from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.symbols.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Unit, Vocabulary

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


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_the_hash_seed_of_the_process_is_without_influence(hash_seed: str) -> None:
    script = (
        "import json; from esetrag.symbols.vocabulary import Vocabulary as V; "
        "print(json.dumps(V.build(['őz', 'baj', 'zab'], ['NOM', 'ACC', 'IN+ESS']).to_json()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert json.loads(done.stdout) == {
        "unit": "char",
        "symbols": ["<PAD>", "<BOS>", "<EOS>", "<UNK>", "a", "b", "j", "z", "ő"],
        "labels": ["ACC", "IN+ESS", "NOM"],
    }


def test_rarer_symbols_have_no_id() -> None:
    vocabulary = Vocabulary.build(["aab", "bbc"], ["X"], min_count=2)
    assert vocabulary.symbols[len(SPECIAL) :] == ("a", "b")


def test_a_symbol_that_looks_like_a_special_one_is_no_special_one() -> None:
    vocabulary = Vocabulary.build(["<PAD>"], ["X"])
    assert vocabulary.symbols == (*SPECIAL, "<", ">", "A", "D", "P")


@given(WORDS)
def test_every_code_point_has_an_id_of_its_own_or_of_its_small_letter_or_is_unknown(forms: list[str]) -> None:
    vocabulary = Vocabulary.build(forms, ["X"])
    table = vocabulary.id_of_code_point
    for symbol_id, symbol in list(enumerate(vocabulary.symbols))[len(SPECIAL) :]:
        assert table[ord(symbol)] == symbol_id
    for capital, small in vocabulary.capitals.items():
        assert table[ord(capital)] == table[ord(small)]
    known = len(vocabulary.symbols) - len(SPECIAL) + len(vocabulary.capitals)
    assert (table == UNK).sum() == len(table) - known


def test_a_capital_without_an_id_is_read_as_its_small_letter_and_one_with_an_id_as_itself() -> None:
    vocabulary = Vocabulary.build(["háPz", "ß", "ﬁ"], ["X"])
    ids = vocabulary.id_of_code_point
    assert vocabulary.capitals == {"H": "h", "Á": "á", "Z": "z"}
    assert [ids[ord(letter)] for letter in "HÁZ"] == [vocabulary.ids[letter] for letter in "ház"]
    assert ids[ord("P")] == vocabulary.ids["P"]
    assert ids[ord("p")] == UNK
    assert vocabulary.unknown("HÁZp!") == "!p"


def test_subwords_and_whole_forms_have_no_such_capitals() -> None:
    for unit in ("bpe", "word"):
        assert Vocabulary.build(["ház"], ["X"], unit=unit).capitals == {}


def test_label_ids_are_places_in_the_sorted_labels() -> None:
    assert Vocabulary.build([], ["NOM", "ACC", "NOM"]).label_ids == {"ACC": 0, "NOM": 1}


def test_a_vocabulary_survives_its_file(tmp_path: Path) -> None:
    vocabulary = Vocabulary.build(["ő\u0301z", "\U0001f600 \u2028"], ["IN+ESS", "ACC"])
    path = tmp_path / "vocab.json"
    files.write_json(path, vocabulary.to_json())
    assert Vocabulary.read(path) == vocabulary


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


def test_a_vocabulary_that_names_no_unit_is_of_characters() -> None:
    content = {"symbols": [*SPECIAL, "a"], "labels": ["X"]}
    assert Vocabulary.from_json(content, Path("vocab.json")) == Vocabulary((*SPECIAL, "a"), ("X",))


def bpe(symbols: list[str], merges: object) -> dict[str, object]:
    return {"unit": "bpe", "symbols": [*SPECIAL, *symbols], "merges": merges, "labels": ["X"]}


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"unit": "byte", "symbols": [*SPECIAL, "a"], "labels": ["X"]},
        {"unit": None, "symbols": [*SPECIAL, "a"], "labels": ["X"]},
        {"unit": ["char"], "symbols": [*SPECIAL, "a"], "labels": ["X"]},
        {"unit": "word", "symbols": [*SPECIAL, "ab", "a"], "labels": ["X"]},
        {"unit": "word", "symbols": [*SPECIAL, "a", "ab"], "merges": [["a", "b"]], "labels": ["X"]},
        {"unit": "char", "symbols": [*SPECIAL, "a"], "merges": [["a", "a"]], "labels": ["X"]},
        {"unit": "char", "symbols": [*SPECIAL, "\ud800"], "labels": ["X"]},
        bpe(["a", "ab", "b"], []),
        bpe(["a", "b"], [["a", "b"]]),
        bpe(["a", "ab"], [["a", "b"]]),
        bpe(["a", "ab", "b"], [["a", "b", "c"]]),
        bpe(["a", "ab", "b"], ["ab"]),
        bpe(["a", "ab", "b"], [["a", 7]]),
        bpe(["a", "ab", "b"], {"a": "b"}),
        bpe(["a", "ab", "b"], None),
        bpe(["", "a"], [["", "a"]]),
        bpe(["", "a"], [["", ""]]),
        [],
        "symbols",
        {},
        {"symbols": [*SPECIAL, "a"]},
        {"labels": ["X"]},
        {"symbols": "<PAD>", "labels": ["X"]},
        {"symbols": ["a", "b"], "labels": ["X"]},
        {"symbols": [*reversed(SPECIAL), "a"], "labels": ["X"]},
        {"symbols": [*SPECIAL[:3], "a"], "labels": ["X"]},
        {"symbols": [*SPECIAL, "b", "a"], "labels": ["X"]},
        {"symbols": [*SPECIAL, "a", "a"], "labels": ["X"]},
        {"symbols": [*SPECIAL, "ab"], "labels": ["X"]},
        {"symbols": [*SPECIAL, ""], "labels": ["X"]},
        {"symbols": [*SPECIAL, 7], "labels": ["X"]},
        {"symbols": [*SPECIAL, "a"], "labels": []},
        {"symbols": [*SPECIAL, "a"], "labels": ["Y", "X"]},
        {"symbols": [*SPECIAL, "a"], "labels": ["X", "X"]},
        {"symbols": [*SPECIAL, "a"], "labels": [None]},
    ],
)
def test_a_malformed_vocabulary_is_refused(content: Any) -> None:
    with pytest.raises(DataError, match=r"^vocab\.json: expected a vocabulary .*, found something else"):
        Vocabulary.from_json(content, Path("vocab.json"))


def test_the_labels_are_the_single_values_of_the_training_labels() -> None:
    vocabulary = Vocabulary.build(["a"] * 4, ["NOM", "ACC/NOM", "IN+ESS", "DAT/ACC"])
    assert vocabulary.labels == ("ACC", "DAT", "IN+ESS", "NOM")
