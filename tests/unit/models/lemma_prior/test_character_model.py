from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from esetrag.models.lemma_prior.character_model import DISCOUNT, ORDER, CharacterModel
from esetrag.symbols.vocabulary import BOS, EOS, PAD

WORDS = ["alma", "almafa", "fa", "körte", "kert", "kertes", "áfa", "a"]
LETTERS = sorted(set("".join(WORDS)))
UNKNOWN = 3


def ids_of(word: str) -> list[int]:
    return [LETTERS.index(letter) + 4 if letter in LETTERS else UNKNOWN for letter in word]


def model_of(words: list[str]) -> CharacterModel:
    rows = np.full((len(words), max(map(len, words)) + 2), PAD, dtype=np.int64)
    for row, word in enumerate(words):
        rows[row, : len(word)] = ids_of(word)
    return CharacterModel.fit(rows, np.array([len(word) for word in words]))


def chances(model: CharacterModel, word: str) -> Tensor:
    """Log probabilities of a word's symbols and of its end."""
    symbols = np.array([[PAD] * (ORDER - 1) + [BOS, *ids_of(word), EOS]])
    places = model.places(symbols, len(word) + 2)
    return torch.from_numpy(model.log_probabilities(places[:, 1:], places[:, :-1])[0])


def slow_reference(words: list[str]) -> dict[str, float]:
    """Interpolated Kneser-Ney, written down as in the paper: the chance of each string's last symbol."""
    counts: list[Counter[str]] = [Counter() for _ in range(ORDER + 1)]
    for word in words:
        marked = f"<{word}>"
        for end in range(1, len(marked)):
            for size in range(1, min(ORDER, end + 1) + 1):
                counts[size][marked[end + 1 - size : end + 1]] += 1
    for size in range(1, ORDER):
        before = Counter(string[1:] for string in counts[size + 1])
        counts[size] = Counter(
            {string: count if string[0] == "<" else before[string] for string, count in counts[size].items()}
        )
    found: dict[str, float] = defaultdict(lambda: 1 / (len(counts[1]) + 1))
    for size in range(1, ORDER + 1):
        of_context: dict[str, list[int]] = defaultdict(list)
        for string, count in counts[size].items():
            of_context[string[:-1]].append(count)
        for string, count in counts[size].items():
            all_counts = of_context[string[:-1]]
            left = DISCOUNT * len(all_counts) / sum(all_counts)
            found[string] = (count - DISCOUNT) / sum(all_counts) + left * found[string[1:]]
    return found


@pytest.mark.parametrize("words", [WORDS, ["a"], ["fa", "af"]])
def test_probabilities_are_those_of_the_paper(words: list[str]) -> None:
    expected, model = slow_reference(words), model_of(words)
    for word in words:
        marked = f"<{word}>"
        logs = [np.log(expected[marked[max(0, end + 1 - ORDER) : end + 1]]) for end in range(1, len(marked))]
        torch.testing.assert_close(chances(model, word).double(), torch.tensor(logs), rtol=1e-5, atol=1e-5)


@given(
    words=st.sets(st.text("akf", min_size=1, max_size=5), min_size=1, max_size=6),
    start=st.text("akf", max_size=5),
)
def test_the_probabilities_of_all_that_can_follow_add_up_to_one(words: set[str], start: str) -> None:
    model = model_of(sorted(words))
    seen = sorted(set("".join(words)))
    ends = float(chances(model, start)[-1].exp())
    following = sum(float(chances(model, start + letter)[len(start)].exp()) for letter in seen)
    # One more share of the uniform distribution is kept for all symbols never seen.
    new = float(chances(model, start + "%")[len(start)].exp())
    assert ends + following + new == pytest.approx(1, abs=1e-4)


def test_a_word_like_those_of_the_training_set_is_more_probable() -> None:
    model = model_of(WORDS)
    assert float(chances(model, "kertfa").sum()) > float(chances(model, "ftrkea").sum())
