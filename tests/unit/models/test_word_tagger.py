"""Tagging words: what is read, and which sequences of tags there can be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from esetrag.core import tables
from esetrag.core.config import BuildVocab, WordTaggerModel
from esetrag.data import sentences
from esetrag.models.word_tagger import SentenceTagger, WordTagger, legal
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks.tag_words import TagWords

TAGS = ["B-A", "B-B", "I-A", "I-B", "O"]
TEXTS = ["az a ház", "ma", "az almafa áll ma"]
LABELS = ["O O B-A", "_", "O B-B X O"]
MODEL = WordTaggerModel(
    kind="word_tagger", embedding=4, hidden=5, layers=1, dropout=0.0, word_dropout=0.5, ensemble=1
)


def best(logs: torch.Tensor, follows: torch.Tensor) -> list[int]:
    """The best legal sequence by trying all of them."""
    w, n = logs.shape
    sequences = [s for s in itertools.product(range(n), repeat=w)
                 if all(follows[a, b] for a, b in itertools.pairwise((n, *s)))]  # fmt: skip
    return list(max(sequences, key=lambda s: sum(float(logs[i, t]) for i, t in enumerate(s))))


def test_the_most_probable_tags_are_the_best_legal_sequence() -> None:
    torch.manual_seed(1)
    logs, count = torch.log_softmax(3 * torch.randn(40, 4, 5), 2), torch.tensor([4, 3, 2, 1] * 10)
    follows = torch.from_numpy(sentences.legal(TAGS))
    found = legal(logs, count, follows).argmax(2)
    free = logs.argmax(2)
    for own, own_logs, size in zip(found.tolist(), logs, count.tolist(), strict=True):
        assert own[:size] == best(own_logs[:size], follows)
    assert (found != free).any()
    assert legal(logs, count, torch.ones_like(follows)) is logs


@pytest.fixture
def vocabulary() -> Vocabulary:
    rows = tables.sample([None] * 3, TEXTS, [None] * 3, ["O O B-A", "_", "O B-B I-B O"])
    return TagWords().vocabulary([rows], BuildVocab(unit="char", merges=0, min_count=1))


def test_a_vocabulary_without_a_space_is_not_sound(vocabulary: Vocabulary) -> None:
    symbols = tuple(symbol for symbol in vocabulary.symbols if symbol != sentences.SPACE)
    assert WordTagger(vocabulary, MODEL).is_sound()
    assert not WordTagger(Vocabulary(symbols, vocabulary.labels), MODEL).is_sound()


def batch(vocabulary: Vocabulary, texts: list[str] = TEXTS, labels: list[str] = LABELS) -> Batch:
    rows = tables.sample([None] * len(texts), texts, [None] * len(texts), labels)
    task = TagWords()
    width = encoding.width_of(task.texts(rows, vocabulary), None)
    return Batch.of(task.encode(rows, vocabulary, width, "end"), torch.device("cpu"))[:]


def test_words_of_all_sentences_are_ranked_but_those_without_a_tag(vocabulary: Vocabulary) -> None:
    network = SentenceTagger([WordTagger(vocabulary, MODEL)], torch.ones(1)).eval()
    logits, true = network.ranked(batch(vocabulary))
    assert logits.shape == (7, 4)
    names = [[vocabulary.labels[place] for place in np.flatnonzero(row)] for row in true.numpy()]
    assert names == [["O"], ["O"], ["B-A"], ["O"], ["B-B"], [], ["O"]]  # X is unknown


def test_a_sentence_is_tagged_alike_whatever_stands_beside_it(vocabulary: Vocabulary) -> None:
    torch.manual_seed(2)
    network = WordTagger(vocabulary, MODEL).eval()
    alone = network(batch(vocabulary, TEXTS[:1], LABELS[:1]))[0]
    beside = network(batch(vocabulary))[0, : alone.shape[0]]
    assert torch.allclose(alone, beside, atol=1e-6)


def test_unknown_words_are_read_by_their_letters(vocabulary: Vocabulary) -> None:
    torch.manual_seed(3)
    network = WordTagger(vocabulary, MODEL).eval()
    first, second = network(batch(vocabulary, ["az házam", "az házaz"], ["O O", "O O"]))
    assert not torch.allclose(first, second)


def test_tags_that_nobody_asks_for_cost_nothing(vocabulary: Vocabulary) -> None:
    network = WordTagger(vocabulary, MODEL).eval()
    rows = batch(vocabulary)
    losses = network.loss(network(rows), rows.target)
    assert losses[1] == 0
    assert network.known(rows.target).tolist() == [True, False, True]
