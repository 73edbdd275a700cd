from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.symbols import bpe

TEXT = st.text(st.sampled_from("aábő<>P.^]-\\\u0301\U0001f600 "), max_size=8)
TIES = ["ab", "cd", "ef", "gh", "ba", "dc", "fe", "hg"] * 2


def one_by_one(form: str, merges: tuple[bpe.Merge, ...]) -> list[str]:
    """The symbols of a form, merge by merge, from left to right."""
    symbols = list(form)
    for first, second in merges:
        place = 0
        while place < len(symbols) - 1:
            if symbols[place : place + 2] == [first, second]:
                symbols[place : place + 2] = [first + second]
            place += 1
    return symbols


@given(forms=st.lists(TEXT, max_size=12), others=st.lists(TEXT, max_size=4), merges=st.integers(0, 12))
def test_forms_are_taken_apart_merge_by_merge(forms: list[str], others: list[str], merges: int) -> None:
    characters = set("".join(forms))
    learned = bpe.learn(forms, characters, merges)
    assert len(learned) <= merges
    symbols = sorted(characters.union(first + second for first, second in learned))
    known = {symbol: number for number, symbol in enumerate(symbols, 4)}
    ids, lengths = bpe.Segmenter(known, 3, learned)([*forms, *others])
    expected = [one_by_one(form, learned) for form in [*forms, *others]]
    assert lengths.tolist() == [len(form) for form in expected]
    assert ids.tolist() == [known.get(symbol, 3) for form in expected for symbol in form]


def test_the_most_frequent_pair_is_merged_first_and_a_single_one_never() -> None:
    assert bpe.learn(["ban", "ban", "an", "xy"], set("banxy"), 9) == (("a", "n"), ("b", "an"))


def test_no_merge_has_a_character_without_a_symbol() -> None:
    assert bpe.learn(["a?b", "a?b", "?"], {"a", "b"}, 5) == ()
    assert bpe.learn([], set(), 5) == ()


def test_the_order_of_the_forms_decides_no_tie() -> None:
    learned = bpe.learn(TIES, set("abcdefgh"), 4)
    assert len(learned) == 4
    for seed in range(5):
        shuffled = random.Random(seed).sample(TIES, len(TIES))
        assert bpe.learn(shuffled, set("hgfedcba"), 4) == learned


@pytest.mark.parametrize("environment", [{"PYTHONHASHSEED": "1"}, {"TOKENIZERS_PARALLELISM": "true"}])
def test_hash_seed_and_threads_decide_no_tie(environment: dict[str, str]) -> None:
    learned = f"bpe.learn({TIES}, set('abcdefgh'), 6)"
    script = f"import json; from esetrag.symbols import bpe; print(json.dumps({learned}))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    assert json.loads(done.stdout) == [list(pair) for pair in bpe.learn(TIES, set("abcdefgh"), 6)]


def test_only_subwords_pay_for_the_import() -> None:
    script = (
        "import sys; from esetrag.symbols.vocabulary import Vocabulary as V; V.build(['ab'], ['X']); "
        "V.build(['ab'], ['X'], 1, 'word'); assert 'tokenizers' not in sys.modules; "
        "V.build(['ab'], ['X'], 1, 'bpe', 1); assert 'tokenizers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
