"""How sure a tagger is of each letter."""

from __future__ import annotations

import pytest
import torch

from esetrag.analysis import uncertainty
from esetrag.core import tables
from esetrag.core.config import TaggerModel
from esetrag.models.blend import Blend
from esetrag.models.tagger import Tagger
from esetrag.symbols.vocabulary import SPECIAL, Vocabulary
from tests.samples import column
from tests.samples import table as rows_of

VOCABULARY = Vocabulary((*SPECIAL, "a", "b"), ("=", "|=", "|case:="))


@pytest.fixture
def network() -> Blend:
    torch.manual_seed(1)
    model = TaggerModel(kind="tagger", embedding=4, hidden=6, layers=1, dropout=0.0, ensemble=1)
    tagger = Tagger(VOCABULARY, model).eval()
    tagger.output.bias.data = torch.tensor([0.0, 3.0, -3.0])
    return Blend([tagger], torch.ones(1))


def test_each_letter_has_the_probability_of_its_most_probable_tag(network: Blend) -> None:
    shares = uncertainty.tag_probabilities(network, column(["ab", "", "abba"]), VOCABULARY)
    assert [len(word) for word in shares] == [2, 0, 4]
    assert all(0.8 < share < 1 for word in shares for share in word)
    assert uncertainty.tag_probabilities(network, column([]), VOCABULARY) == []


def test_all_wrong_words_are_shown_and_some_right_ones(network: Blend) -> None:
    wrong, right = uncertainty.RIGHT + 5, uncertainty.RIGHT + 9
    rows = rows_of([("ab", "ab", "ab")] * (wrong + right))
    predicted = column(["a|b"] * wrong + ["ab"] * right)
    found = uncertainty.table(network, rows.append_column("predicted", predicted), VOCABULARY, 1)
    assert found.schema.equals(tables.TAGGED)
    assert found["predicted"].to_pylist() == ["a|b"] * wrong + ["ab"] * uncertainty.RIGHT
