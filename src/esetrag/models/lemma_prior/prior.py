"""Scores a form by the lemmas it could come from: how probable each is as a word, how frequent its change.

``P(form, value) = sum over lemmas P(lemma) P(change | value, end of the lemma)``, a noisy channel
(Shannon 1948). Whether *pirit* is a lemma or *piri* in the accusative, endings alone cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from esetrag.core.config import Head
from esetrag.models.hashing import look_up
from esetrag.models.lemma_prior import change_model
from esetrag.models.lemma_prior.change_model import REACH, ChangeModel
from esetrag.models.lemma_prior.character_model import ORDER, STRINGS, CharacterModel
from esetrag.models.lemma_prior.decomposition import Decomposition
from esetrag.models.network import Network, difference
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import MARKS
from esetrag.symbols.vocabulary import PAD

CAUTION, FLAT = 30, 0.4
"""If all changes are known, log probabilities of lemmas are multiplied by 1 - ``FLAT``: then the lemma alone
is in doubt, and the probability of an unseen word is soon too high. ``CAUTION`` is the power of the share of
rows whose change another row has, which measures how well changes are known."""
KINDS = np.array(
    [[[kind + number] for kind in (change_model.OF_CHANGE, change_model.OF_VALUE)] for number in (0, 1)]
)
"""Names of changes and values after the last symbol of the lemma, and after the last two; (2, 2, 1)."""
SIZES = np.arange(REACH + 1)
"""Symbols that are taken off a form."""
BACK = np.arange(1 - REACH - ORDER, 1) - MARKS
"""The last places of a form, by its length."""
EDGE = 1e-6
"""Least distance of a probability from 0 and 1 under ``sigmoid``."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class LemmaPrior(Network):
    """The character model of the training rows' lemmas, and the changes that make the forms."""

    doubt: Tensor
    backwards: Tensor
    endings: Tensor
    first: Tensor
    value: Tensor
    tail: Tensor
    frequency: Tensor
    keys: Tensor
    log_probability: Tensor
    backoff: Tensor
    seen: Tensor
    unseen: Tensor
    complete: Tensor
    extended: Tensor
    extra: Tensor

    def __init__(self, lemmas: CharacterModel, tables: Mapping[str, Tensor], head: Head) -> None:
        """Takes what ``fit`` makes, or tensors of the same shapes to load it into.

        Args:
            lemmas: how likely a lemma is as a word.
            tables: those of ``change_model.TABLES``.
            head: meaning of the scores.
        """
        super().__init__(len(tables["seen"]), head)
        self.lemmas = lemmas
        self.register_buffer("doubt", torch.zeros(()))
        self.register_buffer("backwards", torch.zeros((), dtype=torch.bool))
        for name, table in tables.items():
            self.register_buffer(name, table)

    @classmethod
    def fit(cls, rows: Decomposition, targets: Tensor, head: Head) -> LemmaPrior | None:
        """Counts training rows of values (n, labels); None if no change is within ``REACH``."""
        changes = ChangeModel.of(rows, targets.cpu().numpy())
        if len(changes.counts) == 0:
            return None
        words = rows.lemmas
        new = float(changes.once.mean())
        lemmas = CharacterModel.fit(words.ids, words.lengths, 1 - FLAT * (1 - new) ** CAUTION)
        prior = cls(lemmas, changes.tables(len(torch.from_numpy(words.ids).unique())), head)
        prior.doubt.fill_(new)
        prior.backwards.fill_(rows.backwards)
        return prior

    @classmethod
    def empty(cls, shapes: Mapping[str, tuple[int, ...]], labels: int, head: Head) -> LemmaPrior:
        """One to load tables of such shapes (by name) into."""
        return cls(CharacterModel.empty(shapes), change_model.empty(shapes, labels), head)

    def is_sound(self) -> bool:
        """Whether all names ascend, the empty ending is known, and all numbers are within their tables."""
        lists = (self.endings, self.keys, self.lemmas.keys)
        return (
            all(bool((names[1:] > names[:-1]).all()) for names in lists)
            and int(change_model.endings(np.zeros((1, 0), np.int64))[0, 0]) in self.endings
            and bool((self.first[1:] >= self.first[:-1]).all())
            and int(self.first[0]) == 0
            and int(self.first[-1]) == len(self.value)
            and bool(((self.value >= 0) & (self.value < len(self.seen))).all())
        )

    def forward(self, batch: Batch) -> Tensor:
        """Log probabilities (logits with ``sigmoid``) of each value, (b, labels)."""
        shares = torch.softmax(self.joint(batch.source.ids, batch.source.lengths), dim=1) + self.doubt
        shares /= 1 + self.doubt * shares.shape[1]
        return torch.logit(shares, EDGE) if self.head == "sigmoid" else shares.log()

    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """No score of a symbol: lemmas are compared as wholes, so all of the difference is the rest."""
        return torch.zeros(batch.source.ids.shape), difference(self(batch), label, against)

    def joint(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Log probabilities of form and value but for a constant of the form, (b, labels)."""
        symbols = self._ends(ids.numpy(), lengths.numpy())  # (b, REACH + ORDER)
        within = np.maximum(lengths.numpy()[:, None] - MARKS, 1) > SIZES  # a symbol of the stem is left
        ending = look_up(self.endings, change_model.ENDINGS(symbols[:, -REACH:])) * within
        # Log probability of the stem that is left when so many symbols are taken off, by the whole form's.
        places = self.lemmas.places(symbols, REACH + 1)[:, ::-1]  # (b, REACH + 1, ORDER)
        steps = self.lemmas.log_probabilities(places[:, :-1], places[:, 1:])  # from the last symbol back
        stem = np.zeros(ending.shape, np.float32)
        stem[:, 1:] = -steps.cumsum(1, np.float64)
        row, size, change = self._changes(ending)
        logs = torch.from_numpy(
            stem[row, size] + self._log_probabilities(symbols[row], places[row, size], size, change)
        )
        new = self._new(np.where(within, stem, -np.float32(np.inf)), ending)
        rows, cell = torch.from_numpy(row), row * new.shape[1] + self.value.numpy()[change]
        most = new.amax(1).scatter_reduce(0, rows, logs, "amax")
        shares = (new - most[:, None]).exp()  # (b, labels)
        shares.view(-1).index_add_(0, torch.from_numpy(cell), (logs - most[rows]).exp())
        return shares.log()

    def _ends(self, ids: Ids, lengths: Ids) -> Ids:
        """The last symbols of forms as they are inflected, right-aligned, BOS and PAD in front."""
        place = lengths[:, None] + BACK  # BOS stands at 0
        at = np.where(place > 0, lengths[:, None] - 1 - place, place) if self.backwards else place
        symbols: Ids = ids[np.arange(len(ids))[:, None], np.maximum(at, 0)] * (place >= 0).astype(np.int64)
        return symbols

    def _new(self, stems: Floats, ending: Ids) -> Tensor:
        """Log probabilities of the forms by unseen changes, (b, labels).

        Args:
            stems: (b, REACH + 1) those of what is left when so many symbols are taken off.
            ending: (b, REACH + 1) place of the symbols taken off, 0 where no known ending ends in them.
        """
        stem = torch.from_numpy(stems)
        most = stem.amax(1, keepdim=True)
        stem = (stem - most).exp()
        known = (ending > 0).sum(1) - 1  # symbols that a known ending ends in
        more = SIZES - known[:, None] - 1
        beyond = torch.from_numpy(self.extra.numpy()[np.maximum(more, 0)] * (more >= 0))
        places, longest = torch.from_numpy(ending), torch.from_numpy(ending[np.arange(len(ending)), known])
        shares = functional.embedding_bag(places, self.complete, mode="sum", per_sample_weights=stem)
        shares += self.extended.index_select(0, longest) * (stem * beyond).sum(1, keepdim=True)
        return shares.log() + most + self.unseen

    def _changes(self, ending: Ids) -> tuple[Ids, Ids, Ids]:
        """All changes that could have made the forms: row, symbols of the ending, number of the change."""
        row, size = ending.nonzero()
        which, first = ending[row, size], self.first.numpy()
        counts = first[which] - first[which - 1]
        change = np.arange(counts.sum()) + (first[which] - counts.cumsum()).repeat(counts)
        return row.repeat(counts), size.repeat(counts), change

    def _log_probabilities(self, symbols: Ids, before: Ids, size: Ids, change: Ids) -> Floats:
        """Log probability of a value, of the change, and of what the lemma ends in after the stem.

        Args:
            symbols: (c, REACH + ORDER) the forms' last ones.
            before: (c, ORDER) places of the strings that end where the stem does.
            size: (c,) symbols of the ending.
            change: (c,)
        """
        value, tail = self.value.numpy()[change], self.tail.numpy()[change]
        each = np.arange(len(change))
        stem = symbols[each[:, None], np.arange(1 - ORDER, 0) + symbols.shape[1] - size[:, None]]
        lemma = np.concatenate([stem, tail], axis=1)  # (c, ORDER - 1 + m)
        end = ORDER - 3 + (tail != PAD).sum(1)
        ends = change_model.lemma_ends(lemma[each, end], lemma[each, end - 1])
        names = change_model.after(ends[:, None], np.array([change, value]), KINDS)  # (2, 2, c)
        places = look_up(self.keys, names)
        known, log_probability, backoff = (
            places > 0,
            self.log_probability.numpy()[places],
            self.backoff.numpy()[places],
        )
        logs: Floats = self.frequency.numpy()[change]
        for number in range(len(KINDS)):
            logs = np.where(known[number, 0], log_probability[number, 0], backoff[number, 1] + logs)
        logs += self.seen.numpy()[value]
        # The symbols that the lemma has after the stem, one after another.
        row, place = tail.nonzero()
        own = look_up(self.lemmas.keys, STRINGS(lemma[row[:, None], place[:, None] + np.arange(ORDER)]))
        earlier = np.where(place[:, None] > 0, own[np.arange(-1, len(own) - 1)], before[row])
        np.add.at(logs, row, self.lemmas.log_probabilities(own, earlier))
        return logs
