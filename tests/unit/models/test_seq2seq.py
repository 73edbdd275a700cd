"""A network that writes words, before any training: what holds must not depend on its weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from esetrag.core.config import Seq2seqModel
from esetrag.data import edits
from esetrag.models.network import NEVER
from esetrag.models.seq2seq import Hypotheses, Seq2seq
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary
from esetrag.training.data import Data
from tests import writing
from tests.project import STEMS
from tests.samples import CPU

KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "edits": ({}, {}),
    "letters": ({"output": "letters"}, {}),
    "bahdanau": ({}, {"attention": "bahdanau"}),
    "two layers": ({}, {"layers": 2}),
    "no features": ({"source": ["form"], "target": "lemma"}, {}),
}
each = pytest.mark.parametrize("kind", KINDS)
pytestmark = pytest.mark.usefixtures("single_thread")


def network(vocabulary: Vocabulary, **changed: object) -> Seq2seq:
    """Of random weights, larger than usual, so that words differ."""
    torch.manual_seed(3)
    made = Seq2seq(vocabulary, Seq2seqModel.model_validate(writing.SIZES | changed)).eval()
    for weight in made.parameters():
        weight.data *= 2.5
    return made


def made(kind: str) -> tuple[Seq2seq, Batch, Vocabulary]:
    task, changed = KINDS[kind]
    rows = writing.paradigms([*STEMS[:5], "a", "hosszabb"])
    data = writing.data(rows, rows, writing.task(**task))
    return network(data.vocabulary, **changed), Batch.of(data.train, CPU)[:], data.vocabulary


def outputs(found: Hypotheses) -> list[list[list[int]]]:
    return [[[i for i in ids if i != PAD] for ids in word] for word in found.ids.tolist()]


@torch.inference_mode()
def by_hand(model: Seq2seq, source: Sequences, steps: int) -> list[int]:
    """The most probable legal symbol at each step, by the network that training uses."""
    written: list[int] = []
    letters = int(source.lengths[0]) - 2 - int((source.ids >= model.symbols).sum())
    cuts, scripts = model.cuts.tolist(), bool((model.cuts >= 0).any())
    for _ in range(steps):
        target = torch.tensor([[*written, EOS]])
        logits = model(Batch(source, target, torch.ones(1)))[0, -1]
        has_cut = any(cuts[i] >= 0 for i in written)
        for i in range(len(logits)):
            illegal = i in (PAD, BOS, UNK) or (scripts and i == EOS and not has_cut)
            illegal |= cuts[i] >= 0 and (has_cut or cuts[i] > letters)
            if illegal or (not scripts and not written and i == EOS):
                logits[i] = NEVER
        written.append(int(logits.argmax()))
        if written[-1] == EOS:
            break
    return written


@each
def test_a_beam_of_one_takes_the_best_symbol_at_each_step(kind: str) -> None:
    model, batch, _ = made(kind)
    found = outputs(model.decode(batch.source, 1))
    for row in range(len(batch)):
        steps = min(len(found[row][0]), 12)
        assert by_hand(model, batch.source[row : row + 1], steps)[:12] == found[row][0][:12]


@each
def test_the_scores_of_a_beam_are_those_of_its_outputs_and_descend(kind: str) -> None:
    model, batch, _ = made(kind)
    found = model.decode(batch.source)
    there = (found.ids == EOS).any(2)
    row, column = there.nonzero(as_tuple=True)
    assert there[:, 0].all()
    again = model.score(batch.source, row, found.ids[row, column])
    torch.testing.assert_close(found.scores[row, column], again, atol=2e-3, rtol=1e-4)
    assert (found.scores[:, :-1] >= found.scores[:, 1:]).all()
    assert all(len({*map(tuple, word)} - {()}) == sum(map(bool, word)) for word in outputs(found))


@each
def test_a_word_is_written_alike_alone_and_in_any_company(kind: str) -> None:
    model, batch, _ = made(kind)
    together = model.decode(batch.source)
    wide = Sequences(torch.nn.functional.pad(batch.source.ids, (0, 7)), batch.source.lengths)
    assert outputs(model.decode(wide)) == outputs(together), "padding does not matter"
    for row in range(0, len(batch), 3):
        alone = model.decode(batch.source[row : row + 1])
        assert outputs(alone)[0] == outputs(together)[row]
        torch.testing.assert_close(alone.scores[0], together.scores[row], atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(
    "labels", [("cut(0,0)",), ("a", "cut(0,1)"), ("cut(0,3)", "cut(1,2)"), ("cut(0,9)", "x")]
)
@pytest.mark.parametrize("beam", [1, 4, 9])
def test_a_script_fits_its_word_even_of_an_untrained_network(labels: tuple[str, ...], beam: int) -> None:
    vocabulary = Vocabulary((*SPECIAL, "a", "b"), labels)
    model = network(vocabulary)
    ids = torch.tensor([[BOS, 4, 5, 4, EOS], [BOS, 4, EOS, PAD, PAD], [BOS, EOS, PAD, PAD, PAD]])
    names = (*SPECIAL, *vocabulary.outputs)
    most = {"cut(0,0)": 0, "cut(0,1)": 1, "cut(0,3)": 3, "cut(1,2)": 3, "cut(0,9)": 9, "a": 0, "x": 0}
    for letters, word in zip(
        (3, 1, 0), outputs(model.decode(Sequences(ids, torch.tensor([5, 3, 2])), beam)), strict=True
    ):
        can = any(name.startswith("cut") and most[name] <= letters for name in labels)
        assert any(word) == can, "where no cut fits, nothing is written"
        for output in filter(None, word):
            script = [names[i] for i in output[:-1]]
            assert output[-1] == EOS
            assert not {*output[:-1]} & {PAD, BOS, EOS, UNK}
            cuts = [symbol for symbol in script if edits.is_cut(symbol)]
            assert len(cuts) == 1
            assert sum(edits.cut_of(cuts[0])) <= letters


@each
def test_attention_is_a_distribution_over_the_symbols_of_the_word(kind: str) -> None:
    model, batch, vocabulary = made(kind)
    weights = model.attended(batch).detach()
    values = (batch.source.ids >= len(vocabulary.symbols)).sum(1)  # which nothing attends to
    lengths = batch.source.lengths - values
    assert weights.shape == (*batch.target.shape, int(lengths.max()))
    torch.testing.assert_close(weights.sum(2), torch.ones(weights.shape[:2]))
    padding = torch.arange(weights.shape[2]) >= lengths[:, None]
    assert padding.any()
    assert float(weights.transpose(1, 2)[padding].abs().max()) == 0


def test_values_of_features_count_in_any_order() -> None:
    model, batch, vocabulary = made("edits")
    ids = batch.source.ids.clone()
    count = int((ids[0] >= len(vocabulary.symbols)).sum())
    ids[:, 1 : count + 1] = ids[:, 1 : count + 1].flip(1)
    turned = Batch(Sequences(ids, batch.source.lengths), batch.target, batch.weight)
    torch.testing.assert_close(model(turned), model(batch), atol=1e-4, rtol=1e-4)


def test_the_loss_is_that_of_the_whole_output_and_a_target_that_cannot_be_written_has_none() -> None:
    model, batch, _ = made("edits")
    logits = model(batch).detach()
    target = batch.target.clone()
    target[0, 0] = UNK
    losses: Tensor = model.loss(logits, target)
    assert float(losses[0]) == 0
    assert model.known(target).tolist() == [False] + [True] * (len(batch) - 1)
    logs = torch.log_softmax(logits[1], 1)
    steps = int((target[1] != PAD).sum())
    assert float(losses[1]) == pytest.approx(
        -sum(float(logs[n, target[1, n]]) for n in range(steps)), rel=1e-4
    )
    perfect = torch.nn.functional.one_hot(batch.target, model.labels).float()
    assert model.correct(perfect, batch.target).all()
    assert not model.correct(perfect, target)[0]


def test_the_toy_data_holds_what_these_tests_rely_on() -> None:
    data: Data = writing.toy()
    assert data.vocabulary.writes_edits
    assert data.vocabulary.features == ("ACC", "DAT", "IN+ABL", "N", "NOM", "SG")


@each
def test_every_layer_takes_part(kind: str) -> None:
    model, batch, _ = made(kind)
    model.loss(model(batch), batch.target).sum().backward()
    idle = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert idle == []
