from __future__ import annotations

import itertools

import pytest
import torch

from esetrag.core.config import TaggerModel
from esetrag.models.tagger import PROPOSED, Tagger
from esetrag.models.transducer import Transducer
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import EOS, PAD, SPECIAL, UNK, Vocabulary
from tests.samples import words

LABELS = ("=", "|=", "|case:=")
VOCABULARY = Vocabulary((*SPECIAL, "a", "b", "c"), LABELS)
CONTINUES = 0
WORDS = ["abc", "b", "caba", ""]


@pytest.fixture
def tagger() -> Tagger:
    torch.manual_seed(1)
    model = TaggerModel(kind="tagger", embedding=4, hidden=6, layers=2, dropout=0.5, ensemble=1)
    return Tagger(VOCABULARY, model).eval()


def sequences(letters: int) -> list[tuple[int, ...]]:
    """All legal sequences of tags."""
    every = itertools.product(range(len(LABELS)), repeat=letters)
    return [tags for tags in every if not tags or tags[0] != CONTINUES]


def test_the_most_probable_legal_sequences_are_proposed(tagger: Tagger) -> None:
    source = words(WORDS, VOCABULARY).source
    logs, proposed = tagger.log_probabilities(source), tagger.propose(source)
    assert proposed.shape == (len(WORDS), PROPOSED, 5)
    for row, word in enumerate(WORDS):
        scored = {
            tags: sum(float(logs[row, place, tag]) for place, tag in enumerate(tags))
            for tags in sequences(len(word))
        }
        best = sorted(scored, key=lambda tags: -scored[tags])[:PROPOSED]
        found = [[i for i in ids if i != PAD] for ids in proposed[row].tolist()]
        expected = [[*(tag + len(SPECIAL) for tag in tags), EOS] for tags in best]
        assert found == expected + [[]] * (PROPOSED - len(best))


def test_a_score_is_the_product_over_the_letters(tagger: Tagger) -> None:
    source = words(WORDS, VOCABULARY).source
    logs = tagger.log_probabilities(source)
    ids = torch.tensor([[5, 4, 6, EOS, PAD]])
    expected = logs[0, 0, 1] + logs[0, 1, 0] + logs[0, 2, 2]
    torch.testing.assert_close(tagger.score(source, torch.tensor([0]), ids), expected[None])
    every = torch.tensor([[*(tag + len(SPECIAL) for tag in tags), EOS, PAD] for tags in sequences(3)])
    total = tagger.score(source, torch.zeros(len(every), dtype=torch.int64), every).exp().sum()
    assert float(total) == pytest.approx(1, rel=1e-5)


def test_neighbours_in_a_batch_change_nothing(tagger: Tagger) -> None:
    together = tagger.log_probabilities(words(WORDS, VOCABULARY).source)
    alone = tagger.log_probabilities(words(WORDS[:1], VOCABULARY).source)
    torch.testing.assert_close(alone[0, :3], together[0, :3], rtol=1e-5, atol=1e-6)


def test_unknown_tags_and_padding_have_no_loss(tagger: Tagger) -> None:
    batch = words(["abc", "b"], VOCABULARY)
    target = torch.tensor([[5, UNK, 4, EOS], [5, EOS, PAD, PAD]])
    logits = tagger(Batch(batch.source, target, batch.weight))
    logs = torch.log_softmax(logits, 2)
    expected = torch.stack([-logs[0, 0, 1] - logs[0, 2, 0], -logs[1, 0, 1]])
    torch.testing.assert_close(tagger.loss(logits, target), expected)
    assert tagger.known(target).tolist() == [False, True]
    best = logits.argmax(2) + len(SPECIAL)
    right = torch.where(target >= len(SPECIAL), best, target)
    assert tagger.correct(logits, right).tolist() == [False, True]


def test_its_candidates_match_their_target(tagger: Tagger) -> None:
    source = words(WORDS[:3], VOCABULARY).source
    both = Transducer([tagger, tagger], torch.tensor([0.5, 0.5])).eval()
    target = tagger.propose(source)[:, 1]
    _, matches = both.ranked(Batch(source, target, torch.ones(3)))
    assert matches.sum(1).tolist() == [1, 1, 1]
