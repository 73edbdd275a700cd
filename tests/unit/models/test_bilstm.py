from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from esetrag.core import config
from esetrag.models.bilstm import BiLSTM
from esetrag.symbols.vocabulary import PAD

SYMBOLS, LABELS = 11, 5
LENGTHS = [3, 9, 1, 6, 2, 9]

pytestmark = pytest.mark.usefixtures("single_thread")


def shape(**changed: Any) -> config.Model:
    usual = {
        "kind": "lstm",
        "head": "softmax",
        "longest": 8,
        "lemmas": 0.0,
        "embedding": 6,
        "hidden": 7,
        "layers": 1,
        "bidirectional": True,
        "dropout": 0.0,
    }
    return config.Model.model_validate(usual | changed)


def build(**changed: Any) -> BiLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return BiLSTM(SYMBOLS, LABELS, shape(**changed))


def rows(width: int = 9) -> tuple[Tensor, Tensor]:
    """Right-padded ids and their lengths."""
    lengths = torch.tensor(LENGTHS)
    ids = torch.randint(1, SYMBOLS, (len(LENGTHS), width), generator=torch.Generator().manual_seed(1))
    return ids.masked_fill(torch.arange(width) >= lengths[:, None], PAD), lengths


class Packed(nn.Module):
    """The same network with torch's own LSTM over packed sequences, weights copied."""

    def __init__(self, ours: BiLSTM, how: config.Model) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, how.embedding, padding_idx=PAD)
        self.lstm = nn.LSTM(
            how.embedding,
            how.hidden,
            num_layers=how.layers,
            bidirectional=how.bidirectional,
            batch_first=True,
        )
        self.output = nn.Linear(how.hidden * (1 + how.bidirectional), LABELS)
        self.embedding.load_state_dict(ours.embedding.state_dict())
        self.output.load_state_dict(ours.output.state_dict())
        with torch.no_grad():
            for name, theirs in self.lstm.named_parameters():
                theirs.copy_(weight_of(ours, name))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(ids), lengths, batch_first=True, enforce_sorted=False
        )
        states = self.lstm(packed)[1][0]
        final = torch.cat([states[-2], states[-1]], dim=1) if self.lstm.bidirectional else states[-1]
        logits: Tensor = self.output(final)
        return logits


def weight_of(ours: BiLSTM, name: str) -> nn.Parameter:
    """Our parameter of torch's name, ``weight_ih_l1_reverse`` for one."""
    kind, _, rest = name.rpartition("_l") if not name.endswith("_reverse") else name[:-8].rpartition("_l")
    return ours.get_parameter(f"layers.{rest}.{int(name.endswith('_reverse'))}.{kind}_l0")


SHAPES = [(1, True), (2, True), (3, True), (1, False), (2, False)]


@pytest.mark.parametrize(("layers", "bidirectional"), SHAPES)
def test_it_is_torchs_lstm_over_packed_sequences(layers: int, bidirectional: bool) -> None:
    ours = build(layers=layers, bidirectional=bidirectional)
    theirs = Packed(ours, shape(layers=layers, bidirectional=bidirectional))
    ids, lengths = rows()
    torch.testing.assert_close(ours(ids, lengths), theirs(ids, lengths), rtol=1e-5, atol=1e-5)
    count = sum(weight.numel() for weight in ours.parameters())
    assert count == sum(weight.numel() for weight in theirs.parameters())


@pytest.mark.parametrize(("layers", "bidirectional"), SHAPES)
def test_its_gradients_are_those_of_torchs_lstm(layers: int, bidirectional: bool) -> None:
    ours = build(layers=layers, bidirectional=bidirectional)
    theirs = Packed(ours, shape(layers=layers, bidirectional=bidirectional))
    ids, lengths = rows()
    gold = torch.tensor([0, 1, 2, 3, 4, 0])
    for network in (ours, theirs):
        nn.functional.cross_entropy(network(ids, lengths), gold).backward()
    for name, weight in theirs.lstm.named_parameters():
        torch.testing.assert_close(weight_of(ours, name).grad, weight.grad, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ours.embedding.weight.grad, theirs.embedding.weight.grad)
    torch.testing.assert_close(ours.output.weight.grad, theirs.output.weight.grad)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_is_without_influence(layers: int, bidirectional: bool) -> None:
    network = build(layers=layers, bidirectional=bidirectional)
    ids, lengths = rows()
    logits = network(ids, lengths)
    wider = nn.functional.pad(ids, (0, 6), value=PAD)
    filled = wider.masked_fill(torch.arange(15) >= lengths[:, None], 4)
    torch.testing.assert_close(network(wider, lengths), logits, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(network(filled, lengths), logits, rtol=1e-5, atol=1e-6)


def test_the_other_rows_of_a_batch_are_without_influence() -> None:
    network = build(layers=2)
    ids, lengths = rows()
    alone = [network(ids[i : i + 1, : lengths[i]], lengths[i : i + 1])[0] for i in range(len(lengths))]
    torch.testing.assert_close(network(ids, lengths), torch.stack(alone), rtol=1e-5, atol=1e-6)


def test_every_symbol_of_a_form_counts_in_both_directions() -> None:
    ids, lengths = rows()
    for bidirectional in (True, False):
        network = build(bidirectional=bidirectional)
        logits = network(ids, lengths)
        for place in range(9):
            other = ids.clone()
            other[1, place] = ids[1, place] % (SYMBOLS - 1) + 1
            assert not torch.equal(network(other, lengths)[1], logits[1])


def test_dropout_acts_in_training_alone() -> None:
    network = build(dropout=0.5)
    ids, lengths = rows()
    assert not torch.equal(network(ids, lengths), network(ids, lengths))
    network.eval()
    assert torch.equal(network(ids, lengths), network(ids, lengths))


@pytest.mark.parametrize(("layers", "bidirectional"), [(1, True), (3, True), (2, False)])
def test_the_shapes_told_are_those_of_the_weights(layers: int, bidirectional: bool) -> None:
    shape = config.Model(
        kind="lstm",
        head="softmax",
        longest=8,
        lemmas=0.0,
        embedding=5,
        hidden=7,
        layers=layers,
        bidirectional=bidirectional,
        dropout=0.0,
    )
    weights = BiLSTM(11, 3, shape).state_dict()
    told = BiLSTM.shapes(11, 3, shape)
    assert {name: tuple(weight.shape) for name, weight in weights.items()} == told
