"""The lecture's second network: a BiLSTM encoder, an LSTM decoder, and attention that looks into the input.

Decoder states do not depend on what was attended before (Luong et al. 2015 without input feeding), so that
under teacher forcing all steps of a batch are one call. One step at a time is left for decoding.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from esetrag.core.config import Seq2seqModel
from esetrag.data import edits
from esetrag.models.attention import Attention
from esetrag.models.encoder import Encoder
from esetrag.models.network import AT_ONCE, NEVER, Network
from esetrag.symbols.batch import Batch, Sequences
from esetrag.symbols.encoding import MARKS
from esetrag.symbols.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary

LONGER = 20
"""Steps that an output may have beyond twice the input's."""


class Memory(NamedTuple):
    """What the decoder needs of the input, one row a word."""

    outputs: Tensor  # (b, t, d) of the encoder
    keys: Tensor  # (b, t, h)
    mask: Tensor  # (b, t) which of them are letters or marks
    features: Tensor  # (b, e) the values of the features, embedded and added
    h: Tensor  # (b, h)
    c: Tensor  # (b, h)
    letters: Tensor  # (b,) of the word

    def take(self, rows: Tensor) -> Memory:
        """Those rows."""
        return Memory(*(part[rows] for part in self))


class Hypotheses(NamedTuple):
    """The best outputs of each word, the most probable first."""

    ids: Tensor  # (b, n, u) output symbols, EOS at the end, PAD behind
    scores: Tensor  # (b, n) log probability, in nats; NEVER where there are fewer


class Seq2seq(Network):
    """Writes a sequence of output symbols (``SPECIAL``, then the labels) for a sequence of input symbols."""

    def __init__(self, vocabulary: Vocabulary, model: Seq2seqModel) -> None:
        """Builds the layers; weights come from torch's global generator.

        Args:
            vocabulary: of input and output.
            model: sizes, attention and dropout.
        """
        super().__init__(len(vocabulary.labels) + len(SPECIAL), "softmax")
        self.symbols, size = len(vocabulary.symbols), model.hidden
        sizes = (model.embedding, size, model.layers, True, model.dropout)
        self.encoder = Encoder(vocabulary.size, *sizes)
        self.output_embedding = nn.Embedding(self.labels, model.embedding, padding_idx=PAD)
        self.bridge = nn.Linear(self.encoder.size, 2 * size)
        self.decoder = nn.LSTM(2 * model.embedding, size, batch_first=True)
        self.attention = Attention(model.attention, size, self.encoder.size)
        self.combine = nn.Linear(size + self.encoder.size + model.embedding, size)
        self.output = nn.Linear(size, self.labels)
        self.dropout = nn.Dropout1d(model.dropout)
        # Letters that each output symbol cuts off; -1: it is no cut. On no device but the CPU, and no weight.
        cuts = [sum(edits.cut_of(o)) if edits.is_cut(o) else -1 for o in vocabulary.outputs]
        self.cuts = torch.tensor([-1] * len(SPECIAL) + cuts, device="cpu")
        self.beam = model.beam

    def encode(self, source: Sequences) -> Memory:
        """Reads the letters; of the values of the features it keeps the sum.

        An encoder that read the values, too, would learn bundles by heart, of which training has few.
        """
        is_value = source.ids >= self.symbols
        given = (self.encoder.embedding(source.ids) * is_value[..., None]).sum(1)  # (b, e)
        letters = without_values(source, is_value)
        states = self.encoder(letters)
        outputs = self._dropped(states.outputs)  # (b, t, d)
        h, c = torch.tanh(self.bridge(self._dropped(states.final[:, None])[:, 0])).chunk(2, dim=1)
        mask = torch.arange(outputs.shape[1], device=h.device) < letters.lengths[:, None]
        return Memory(outputs, self.attention.keys(outputs), mask, given, h, c, letters.lengths - MARKS)

    def _dropped(self, x: Tensor) -> Tensor:
        """Dropout of the same features at all steps (b, t, d): a mask for each step takes long to draw."""
        dropped: Tensor = self.dropout(x.transpose(1, 2))
        return dropped.transpose(1, 2)

    def forward(self, batch: Batch) -> Tensor:
        """Logits of every step where the steps before are the target's, (b, u, outputs)."""
        return self._forced(batch)[0]

    def attended(self, batch: Batch) -> Tensor:
        """What each step of a target attends to, (b, u, t)."""
        return self._forced(batch)[1]

    def _forced(self, batch: Batch) -> tuple[Tensor, Tensor]:
        memory = self.encode(batch.source)
        before = functional.pad(batch.target[:, :-1], (1, 0), value=BOS)  # (b, u)
        embedded = self._dropped(self.output_embedding(before))  # (b, u, e)
        given = memory.features[:, None].expand(-1, before.shape[1], -1)
        steps, _ = self.decoder(torch.cat([embedded, given], 2), (memory.h[None], memory.c[None]))
        return self._logits(steps, memory)

    def _logits(self, steps: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Of decoder states (b, u, h) the logits (b, u, outputs) and what they attend to (b, u, t)."""
        context, weights = self.attention(steps, memory.keys, memory.outputs, memory.mask)
        given = memory.features[:, None].expand(-1, steps.shape[1], -1)
        combined = torch.tanh(self.combine(torch.cat([steps, context, given], dim=2)))  # (b, u, h)
        return self.output(self._dropped(combined)), weights

    def known(self, target: Tensor) -> Tensor:
        """Whether the outputs can express a target, (b,) bool."""
        return (target != UNK).all(1)

    def loss(self, logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy of each whole sequence in nats, (b,); 0 where a target cannot be expressed."""
        wanted = torch.where(self.known(target)[:, None], target, PAD).long()
        losses = functional.cross_entropy(
            logits.transpose(1, 2), wanted, reduction="none", ignore_index=PAD, label_smoothing=smoothing
        )
        return losses.sum(1)

    def correct(self, logits: Tensor, target: Tensor) -> Tensor:
        """Whether every step is right, (b,) bool: then greedy decoding writes the very target."""
        return ((logits.argmax(2) == target) | (target == PAD)).all(1)

    @property
    def most(self) -> int:
        """Outputs of a word."""
        return self.beam

    def propose(self, source: Sequences) -> Tensor:
        """The outputs of beam search for each word, (b, beam, u)."""
        return self.decode(source).ids

    @torch.inference_mode()
    def score(self, source: Sequences, row: Tensor, ids: Tensor) -> Tensor:
        """Log probability of given outputs in nats, (k,).

        Args:
            source: b words.
            row: (k,) the word of each output.
            ids: (k, u) outputs.
        """
        scores = torch.empty(len(row))
        for part in torch.argsort((ids != PAD).sum(1), stable=True).split(AT_ONCE):
            batch = Batch(source[row[part]], ids[part], torch.ones(len(part)))[:]
            scores[part] = -self.loss(self(batch), batch.target)
        return scores

    @torch.inference_mode()
    def decode(self, source: Sequences, beam: int | None = None) -> Hypotheses:
        """Writes the most probable outputs by beam search; a beam of 1 is greedy.

        What does not depend on the steps is multiplied once, and a word whose outputs have all ended leaves
        the batch. Only outputs that fit are written: a script has one cut, of no more letters than there are.

        Args:
            source: b words.
            beam: outputs of each word; None takes the model's.
        """
        n = beam or self.beam
        memory, device = self.encode(source), source.ids.device
        of = dict(self.decoder.named_parameters())
        weight, recurrent = of["weight_ih_l0"], of["weight_hh_l0"]
        size = self.output_embedding.embedding_dim
        bias = of["bias_ih_l0"] + of["bias_hh_l0"]
        table = self.output_embedding.weight @ weight[:, :size].t() + bias  # (outputs, 4h)
        given = memory.features @ weight[:, size:].t()  # (b, 4h)
        limits = 2 * source.lengths + LONGER  # (b,) steps, by the word alone: its company changes nothing
        limit = int(limits.max())
        ids = torch.full((len(given), n, limit), PAD, device=device)
        scores = torch.full((len(given), n), NEVER, device=device)
        words = torch.arange(len(given), device=device)  # those still being written
        h, c = (state[:, None].expand(-1, n, -1) for state in (memory.h, memory.c))  # (w, n, h)
        last = torch.full((len(given), n), BOS, device=device)
        has_cut = torch.zeros((len(given), n), dtype=torch.bool, device=device)
        total = torch.full((len(given), n), NEVER, device=device)
        total[:, 0] = 0  # all are the same before the first step
        cuts = self.cuts.to(device)
        is_script = bool((cuts >= 0).any())
        for step in range(limit):
            inputs = table[last] + given[:, None]  # (w, n, 4h)
            h, c = _cell(inputs, h, c, recurrent)
            logits, _ = self._logits(h, memory)  # (w, n, outputs)
            logs = torch.log_softmax(logits, 2)
            ended = last == EOS if step else torch.zeros_like(has_cut)
            illegal = torch.zeros_like(logs, dtype=torch.bool)
            illegal[..., [PAD, BOS, UNK]] = True
            rest = limits[words] - 1 - step  # (w,) steps behind this one
            if is_script:
                fits = (cuts >= 0) & (cuts <= memory.letters[:, None])  # (w, outputs)
                illegal |= (cuts >= 0) & (has_cut[..., None] | ~fits[:, None])
                illegal[..., EOS] |= ~has_cut
                # A script that has no cut before its last but one step gets one.
                illegal |= ((rest <= 1)[:, None] & ~has_cut)[..., None] & (cuts < 0)
            elif not step:
                illegal[..., EOS] = True
            illegal |= (rest == 0)[:, None, None] & (torch.arange(self.labels, device=device) != EOS)
            logs = logs.masked_fill(illegal, NEVER)
            logs[ended] = NEVER
            logs[..., EOS] = torch.where(ended, 0.0, logs[..., EOS])
            total, place = (total[..., None] + logs).flatten(1).topk(n)  # (w, n)
            parent, last = place // self.labels, place % self.labels
            rows = torch.arange(len(words), device=device)[:, None]
            ids[words] = ids[words[:, None], parent]
            ids[words, :, step] = torch.where(ended[rows, parent], PAD, last)
            h, c, has_cut = h[rows, parent], c[rows, parent], has_cut[rows, parent] | (cuts[last] >= 0)
            scores[words] = total
            open_words = ((last != EOS) & (total > NEVER / 2)).any(1)
            if not open_words.any():
                return _legal(ids[..., : step + 1], scores)
            if not open_words.all():
                words, memory, given = words[open_words], memory.take(open_words), given[open_words]
                h, c, last, has_cut, total = (x[open_words] for x in (h, c, last, has_cut, total))
        return _legal(ids, scores)


def _legal(ids: Tensor, scores: Tensor) -> Hypotheses:
    """Without those that only stand in the place of missing ones."""
    return Hypotheses(ids.masked_fill((scores < NEVER / 2)[..., None], PAD), scores.clamp_min(NEVER))


def without_values(source: Sequences, is_value: Tensor) -> Sequences:
    """Words without the values of features, which stand behind BOS."""
    values = is_value.sum(1)
    lengths = source.lengths - values
    step = torch.arange(int(lengths.max()), device=lengths.device)
    place = step + (step > 0) * values[:, None]  # (b, t)
    ids = source.ids.gather(1, place.clamp(max=source.ids.shape[1] - 1))
    return Sequences(torch.where(step < lengths[:, None], ids, PAD), lengths)


def _cell(inputs: Tensor, h: Tensor, c: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """One step of an LSTM whose inputs are multiplied already, (…, 4h)."""
    i, f, g, o = (inputs + h @ weight.t()).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c
