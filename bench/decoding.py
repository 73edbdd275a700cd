"""Words a second of our decoder against one that goes step by step: python -m bench.decoding.

The other one is an attentive LSTM as libraries of inflection write it: packed encoder, one decoder step at a
time with what was attended before as an input, letters for output, the whole batch until its last word ends.
Both have the same sizes and rows, one thread, and take turns.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bench import measure
from bench.measure import REPO, spread
from bench.transduction import INFLECT, unimorph
from esetrag import tasks
from esetrag.core import config
from esetrag.core.layout import PARAMS
from esetrag.data.source import Source
from esetrag.models.seq2seq import Seq2seq
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.vocabulary import BOS, EOS, PAD, Vocabulary

ROWS, STEPWISE, OURS = 2048, 32, 64
"""Words of a round; rows of a batch: the other's usual number, and ours."""


class Stepwise(nn.Module):
    """Attention over the encoder at each step, fed into the next one."""

    def __init__(self, symbols: int, outputs: int, size: int, embedding: int, dropout: float) -> None:
        """Builds the layers."""
        super().__init__()
        self.read, self.written = nn.Embedding(symbols, embedding), nn.Embedding(outputs, embedding)
        self.encoder = nn.LSTM(embedding, size, batch_first=True, bidirectional=True)
        self.cell = nn.LSTM(embedding + 2 * size, size, batch_first=True)
        self.mix = nn.Linear(3 * size, size)
        self.v, self.output, self.dropout = (
            nn.Linear(size, 1),
            nn.Linear(3 * size, outputs),
            nn.Dropout(dropout),
        )
        self.outputs = outputs

    def forward(self, source: Sequences, target: Tensor | None, longest: int) -> Tensor:
        """Logits of each step (b, u, outputs); without a target what is written is fed back."""
        packed = pack_padded_sequence(
            self.dropout(self.read(source.ids)), source.lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)  # (b, t, 2h)
        mask = torch.arange(states.shape[1]) < source.lengths[:, None]
        b, size = len(states), self.cell.hidden_size
        hidden = (torch.zeros(1, b, size), torch.zeros(1, b, size))
        symbol, ended = torch.full((b, 1), BOS), torch.zeros(b, dtype=torch.bool)
        logits = []
        for step in range(target.shape[1] if target is not None else longest):
            query = hidden[0].transpose(0, 1).expand(-1, states.shape[1], -1)
            scores = self.v(torch.tanh(self.mix(torch.cat([states, query], 2))))[..., 0]
            weights = torch.softmax(scores.masked_fill(~mask, -1e9), 1)
            context = weights[:, None] @ states  # (b, 1, 2h)
            embedded = self.dropout(self.written(symbol))
            out, hidden = self.cell(torch.cat([embedded, context], 2), hidden)
            logits.append(self.output(torch.cat([out, context], 2)))
            symbol = target[:, step : step + 1] if target is not None else logits[-1].argmax(2)
            ended |= symbol[:, 0] == EOS
            if target is None and ended.all():
                break
        return torch.cat(logits, 1)


def rows(letters: bool, params: config.Params, raw: str) -> tuple[Batch, Vocabulary]:
    """The same rows of the embedded table, with words or edit scripts for targets."""
    entry = unimorph(REPO / raw, **INFLECT, output="letters" if letters else "edits")
    task = tasks.of(entry)
    sample = params.sample.model_copy(update={"train": ROWS, "dev": 1, "test": 1})
    train: pa.Table = Source.load(entry).parts(sample)[1]["train"]
    vocabulary = task.vocabulary([train], params.build_vocab)
    width = encoding.width_of(task.texts(train, vocabulary), None)
    steps = encoding.width_of(train["label"], None)
    encoded = task.encode(train, vocabulary, width, "end", steps)
    return Batch.of(encoded, torch.device("cpu")), vocabulary


def main() -> None:
    """Times both in turn."""
    arguments = measure.parser(__doc__).parse_args()
    rounds = 2 if arguments.quick else 7
    torch.set_num_threads(1)
    torch.manual_seed(1)
    params = config.load(REPO / PARAMS)
    shape = params.models["seq2seq"]
    assert isinstance(shape, config.Seq2seqModel)  # noqa: S101
    (plain, words), (scripts, edits) = (rows(letters, params, measure.RAW) for letters in (True, False))
    other = Stepwise(words.size, len(words.output.symbols), shape.hidden, shape.embedding, shape.dropout)
    ours = Seq2seq(edits, shape)
    optimizers = {id(n): torch.optim.AdamW(n.parameters(), lr=1e-3, fused=True) for n in (other, ours)}
    longest = int((plain.target != PAD).sum(1).max())
    order = np.random.default_rng(1).permutation(ROWS)
    by_length = torch.argsort(scripts.source.lengths, stable=True)

    def step(network: nn.Module, loss: Tensor) -> None:
        optimizers[id(network)].zero_grad(set_to_none=True)
        loss.backward()
        optimizers[id(network)].step()

    def train_stepwise() -> None:
        other.train()
        for part in torch.from_numpy(order).split(STEPWISE):
            batch = plain[part]
            logits = other(batch.source, batch.target, longest)
            step(other, functional.cross_entropy(logits.transpose(1, 2), batch.target, ignore_index=PAD))

    def train_ours() -> None:
        ours.train()
        for part in by_length.split(OURS):
            batch = scripts[part]
            step(ours, ours.loss(ours(batch), batch.target).mean())

    def decode_stepwise() -> None:
        other.eval()
        with torch.inference_mode():
            for part in torch.from_numpy(order).split(STEPWISE):
                other(plain[part].source, None, longest)

    def decode_ours() -> None:
        ours.eval()
        for part in by_length.split(256):
            ours.decode(scripts[part].source, 1)

    for _ in range(1 if arguments.quick else 6):  # an untrained decoder knows no end
        train_stepwise()
        train_ours()
    pairs = {"training": (train_stepwise, train_ours), "greedy decoding": (decode_stepwise, decode_ours)}
    lines, bars = [], []
    for name, (slow, fast) in pairs.items():
        times = measure.alternate({"stepwise": slow, "ours": fast}, rounds)
        ratios = spread([a / b for a, b in zip(times["stepwise"], times["ours"], strict=True)])
        rates = [f"{ROWS / float(np.median(times[key])):,.0f}" for key in ("stepwise", "ours")]
        lines.append((name, *rates, measure.median(ratios)))
        bars.append(measure.bar(f"{name}, ours / stepwise", 8 if name == "training" else 6, ratios))
        print(*lines[-1], flush=True)
    text = "Inflecting the embedded nouns, words a second: a stepwise decoder of letters, ours of edits."
    head = ("", "stepwise", "ours", "ratio")
    measure.write_section("8 Writing words", text, head, lines, arguments.quick, bars)


if __name__ == "__main__":
    main()
