from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from esetrag.core.config import BilstmModel
from esetrag.models.bilstm import BilstmClassifier
from esetrag.models.encoder import Encoder
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import PAD

SYMBOLS, LABELS = 11, 5
LENGTHS = [3, 9, 1, 6, 2, 9]

pytestmark = pytest.mark.usefixtures("single_thread")


def build(**changed: Any) -> BilstmClassifier:
    sizes = {"embedding": 6, "hidden": 7, "layers": 1, "bidirectional": True, "dropout": 0.0}
    kind = {"kind": "bilstm", "head": "softmax", "lemmas": False}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return BilstmClassifier(SYMBOLS, LABELS, BilstmModel.model_validate(kind | sizes | changed))


def batch(width: int = 9, padding: int = PAD) -> Batch:
    """Right-padded rows of random symbols, the same ones whatever their width."""
    lengths, generator = torch.tensor(LENGTHS), torch.Generator().manual_seed(1)
    ids = torch.randint(1, SYMBOLS, (len(LENGTHS), 9), generator=generator)
    ids = nn.functional.pad(ids, (0, width - 9)).masked_fill(torch.arange(width) >= lengths[:, None], padding)
    return Batch(Sequences(ids, lengths), torch.zeros(len(LENGTHS), LABELS, dtype=torch.bool), lengths)


def states_of_torch(encoder: Encoder, source: Sequences, layers: int) -> tuple[Tensor, Tensor]:
    """Outputs and final states of ``nn.LSTM`` over packed sequences, its weights those of an encoder."""
    embedding, hidden = encoder.embedding.weight.shape[1], encoder.size // encoder.directions
    lstm = nn.LSTM(embedding, hidden, layers, batch_first=True, bidirectional=encoder.directions == 2)
    with torch.no_grad():
        for name, weight in lstm.named_parameters():
            kind, _, layer = name.removesuffix("_reverse").rpartition("_l")
            place = f"layers.{layer}.{int(name.endswith('_reverse'))}.{kind}_l0"
            weight.copy_(encoder.get_parameter(place))
    embedded = encoder.embedding(source.ids)
    packed = nn.utils.rnn.pack_padded_sequence(
        embedded, source.lengths, batch_first=True, enforce_sorted=False
    )
    outputs, (final, _) = lstm(packed)
    outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    return outputs, torch.cat([*final[-encoder.directions :]], dim=1)


@pytest.mark.parametrize(
    ("layers", "bidirectional"), [(1, True), (2, True), (3, True), (1, False), (2, False)]
)
def test_the_encoder_is_torchs_lstm_over_packed_sequences(layers: int, bidirectional: bool) -> None:
    encoder, source = build(layers=layers, bidirectional=bidirectional).encoder, batch().source
    states = encoder(source)
    outputs, final = states_of_torch(encoder, source, layers)
    torch.testing.assert_close(states.final, final, rtol=1e-5, atol=1e-5)
    present = torch.arange(9) < source.lengths[:, None]
    torch.testing.assert_close(states.outputs[present], outputs[present], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("layers", "bidirectional"), [(1, True), (2, True), (2, False)])
def test_padding_and_the_other_rows_of_a_batch_change_nothing(layers: int, bidirectional: bool) -> None:
    network, rows = build(layers=layers, bidirectional=bidirectional), batch()
    logits = network(rows)
    for other in (batch(15), batch(15, padding=4)):
        torch.testing.assert_close(network(other), logits, rtol=1e-5, atol=1e-6)
    alone = [network(rows[row : row + 1])[0] for row in range(len(LENGTHS))]
    torch.testing.assert_close(torch.stack(alone), logits, rtol=1e-5, atol=1e-6)


def test_dropout_acts_in_training_alone() -> None:
    network, rows = build(dropout=0.5), batch()
    assert not torch.equal(network(rows), network(rows))
    network.eval()
    assert torch.equal(network(rows), network(rows))
