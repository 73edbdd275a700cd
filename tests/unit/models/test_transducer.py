"""A network that writes, and edit rules beside it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from esetrag.models.network import Network
from esetrag.models.transducer import NEVER, Transducer
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import BOS, EOS, PAD

A, B, C = [4, EOS], [5, EOS], [4, 5, EOS]


class Fixed(Network):
    """Proposes the same outputs for each word, and knows how probable each is."""

    def __init__(self, *outputs: list[int], **scores: float) -> None:
        super().__init__(6, "softmax")
        self.outputs, self.scores = outputs, scores

    @property
    def most(self) -> int:
        return len(self.outputs)

    def propose(self, source: Sequences) -> Tensor:
        width = max(map(len, self.outputs))
        rows = [functional.pad(torch.tensor(o), (0, width - len(o)), value=PAD) for o in self.outputs]
        return torch.stack(rows).expand(len(source.lengths), -1, -1)

    def score(self, source: Sequences, row: Tensor, ids: Tensor) -> Tensor:
        names = {tuple(A): "a", tuple(B): "b", tuple(C): "c"}
        return torch.tensor([self.scores[names[tuple(i for i in o if i)]] for o in ids.tolist()])


WORDS = Sequences(torch.tensor([[BOS, 4, EOS], [BOS, 5, EOS]]), torch.tensor([3, 3]))


def both() -> Transducer:
    one, other = Fixed(A, B, a=-1.0, b=-2.0, c=-9.0), Fixed(C, A, a=-3.0, b=-4.0, c=-0.5)
    return Transducer([one, other], torch.tensor([1.0, 0.5]))


def test_an_output_that_several_propose_is_one_candidate_that_all_judge() -> None:
    model = both()
    assert model.most == 4
    found = model.candidates(WORDS)
    logits = model.logits(found)
    for word in range(2):
        pairs = zip(found.ids[word].tolist(), logits[word].tolist(), strict=True)
        listed = {tuple(i for i in output if i): logit for output, logit in pairs}
        assert listed[()] == NEVER
        del listed[()]
        assert listed == {tuple(A): -2.5, tuple(B): -4.0, tuple(C): pytest.approx(-9.25)}


def test_the_target_is_found_among_them_or_is_not() -> None:
    target = torch.tensor([[4, 5, EOS, PAD, PAD], [5, 5, EOS, PAD, PAD]])
    logits, matches = both().ranked(Batch(WORDS, target, torch.ones(2)))
    assert logits[matches].tolist() == pytest.approx([-9.25])
    assert matches.sum(1).tolist() == [1, 0]


def test_many_words_are_those_of_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = both().candidates(WORDS)
    monkeypatch.setattr("esetrag.models.transducer.AT_ONCE", 1)
    parts = both().candidates(WORDS)
    assert torch.equal(whole.ids, parts.ids)
    assert torch.equal(whole.scores, parts.scores)


def test_no_words_have_no_candidates() -> None:
    none = Sequences(torch.zeros(0, 3, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64))
    model = both()
    logits, matches = model.ranked(Batch(none, torch.zeros(0, 2, dtype=torch.int64), torch.zeros(0)))
    assert len(logits) == len(matches) == 0
