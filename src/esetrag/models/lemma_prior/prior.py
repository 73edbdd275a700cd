"""Reads a form by the lemmas it could come from, each as likely as it is a word and as its change is usual.

``P(form, value) = sum over lemmas P(lemma) P(change | value, end of the lemma)``, a noisy channel
(Shannon 1948): whether *pirit* is rather a lemma of its own or *piri* in the accusative, no weights of
endings can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from esetrag.core.config import Head
from esetrag.models.hashing import look_up
from esetrag.models.lemma_prior import change_model
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.lemma_prior.change_model import REACH, ChangeModel
from esetrag.models.lemma_prior.character_model import ORDER, STRINGS, CharacterModel
from esetrag.symbols.encoding import MARKS
from esetrag.symbols.vocabulary import PAD

CAUTION = 30
"""The power of the share of rows whose change another row shows that says how well the changes are known."""
SURE, FLAT = 2.0, 0.4
"""If all changes are known the lemmas weigh so much more, and their own log chances differ so much less:
what is then in doubt is the lemma alone, and how likely a word is that nobody has seen is soon overrated."""
KINDS = np.array(
    [[[kind + number] for kind in (change_model.OF_CHANGE, change_model.OF_VALUE)] for number in (0, 1)]
)
"""Names of changes and values after the last symbol of the lemma, and after the last two; (2, 2, 1)."""
SIZES = np.arange(REACH + 1)
"""Symbols that are taken off a form."""
BACK = np.arange(1 - REACH - ORDER, 1) - MARKS
"""The last places of a form, by its length."""
EDGE = 1e-6
"""Least distance of a probability from 0 and 1 where each value is borne or not by itself."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class LemmaPrior(nn.Module):
    """The character model of some training rows' lemmas, and the changes that make the forms."""

    weight: Tensor
    doubt: Tensor
    backwards: Tensor
    endings: Tensor
    first: Tensor
    value: Tensor
    tail: Tensor
    usual: Tensor
    keys: Tensor
    chance: Tensor
    rest: Tensor
    share: Tensor
    unseen: Tensor
    whole: Tensor
    longer: Tensor
    further: Tensor

    def __init__(self, lemmas: CharacterModel, tables: Mapping[str, Tensor]) -> None:
        """Takes what training found, or room for it.

        Args:
            lemmas: how likely a lemma is as a word.
            tables: those of ``changes.shapes``.
        """
        super().__init__()
        self.lemmas = lemmas
        self.register_buffer("weight", torch.ones(()))
        self.register_buffer("doubt", torch.zeros(()))
        self.register_buffer("backwards", torch.zeros((), dtype=torch.bool))
        for name, table in tables.items():
            self.register_buffer(name, table)

    @classmethod
    def fit(cls, analogies: Analogies, targets: Tensor, weight: float) -> LemmaPrior | None:
        """Learns from training rows; None if none of them has a change.

        Args:
            analogies: the rows, taken apart.
            targets: (n, labels) bool, their values.
            weight: of what is read here beside another reader's scores, if the changes are hardly known.
        """
        found = ChangeModel.of(analogies, targets.cpu().numpy())
        if len(found.counts) == 0:
            return None
        words = analogies.lemmas
        new = float(found.once.mean())
        known = (1 - new) ** CAUTION
        lemmas = CharacterModel.fit(words.ids, words.lengths, 1 - FLAT * known)
        symbols = len(torch.from_numpy(words.ids).unique())
        made = cls(lemmas, found.tables(symbols))
        made.weight.fill_(weight * (1 + SURE * known))
        made.doubt.fill_(new)
        made.backwards.fill_(analogies.backwards)
        return made

    @classmethod
    def shapes(cls, found: Mapping[str, tuple[int, ...]], labels: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every table.

        Args:
            found: shapes by name; those that training decides are taken from there.
            labels: number of labels.
        """
        inner = {name.removeprefix("lemmas."): shape for name, shape in found.items() if "." in name}
        lemmas = {f"lemmas.{name}": shape for name, shape in CharacterModel.shapes(inner).items()}
        return {
            "weight": (),
            "doubt": (),
            "backwards": (),
            **change_model.shapes(dict(found), labels),
            **lemmas,
        }

    @classmethod
    def empty(cls, found: Mapping[str, tuple[int, ...]], labels: int) -> LemmaPrior:
        """One whose tables are to be loaded; as for ``shapes``."""
        shapes = cls.shapes(found, labels)
        lemmas = CharacterModel(
            torch.zeros(shapes["lemmas.keys"], dtype=torch.int64),
            torch.zeros(shapes["lemmas.chance"]),
            torch.zeros(shapes["lemmas.rest"]),
        )
        whole = {"endings", "first", "value", "tail", "keys"}
        tables = {
            name: torch.zeros(shape, dtype=torch.int64 if name in whole else torch.float32)
            for name, shape in change_model.shapes(dict(found), labels).items()
        }
        return cls(lemmas, tables)

    def sound(self) -> bool:
        """Whether all names ascend, no ending is one too, and all numbers are within their tables."""
        lists = (self.endings, self.keys, self.lemmas.keys)
        return (
            all(bool((names[1:] > names[:-1]).all()) for names in lists)
            and int(change_model.endings(np.zeros((1, 0), np.int64))[0, 0]) in self.endings
            and bool((self.first[1:] >= self.first[:-1]).all())
            and int(self.first[0]) == 0
            and int(self.first[-1]) == len(self.value)
            and bool(((self.value >= 0) & (self.value < len(self.share))).all())
        )

    def forward(self, ids: Tensor, lengths: Tensor, head: Head) -> Tensor:
        """What the lemmas say for each value of some forms.

        Args:
            ids: (b, t) symbol ids with BOS and EOS, right-padded.
            lengths: (b,) BOS and EOS counted.
            head: meaning of the scores.

        Returns:
            (b, labels), to be added to another reader's logits.
        """
        shares = torch.softmax(self.joint(ids, lengths), dim=1) + self.doubt
        shares /= 1 + self.doubt * shares.shape[1]
        return self.weight * (torch.logit(shares, EDGE) if head == "sigmoid" else shares.log())

    def joint(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Log probabilities of form and value but for a constant of the form, (b, labels)."""
        symbols = self._ends(ids.numpy(), lengths.numpy())  # (b, REACH + ORDER)
        within = np.maximum(lengths.numpy()[:, None] - MARKS, 1) > SIZES  # a symbol of the stem is left
        ending = look_up(self.endings, change_model.ENDINGS(symbols[:, -REACH:])) * within
        # Log chance of the stem that is left when so many symbols are taken off, by the whole form's.
        places = self.lemmas.places(symbols, REACH + 1)[:, ::-1]  # (b, REACH + 1, ORDER)
        steps = self.lemmas.chances(places[:, :-1], places[:, 1:])  # from the last symbol back
        stem = np.zeros(ending.shape, np.float32)
        stem[:, 1:] = -steps.cumsum(1, np.float64)
        row, size, change = self._changes(ending)
        chances = torch.from_numpy(
            stem[row, size] + self._chances(symbols[row], places[row, size], size, change)
        )
        new = self._new(np.where(within, stem, -np.float32(np.inf)), ending)
        rows, cell = torch.from_numpy(row), row * new.shape[1] + self.value.numpy()[change]
        most = new.amax(1).scatter_reduce(0, rows, chances, "amax")
        shares = (new - most[:, None]).exp()  # (b, labels)
        shares.view(-1).index_add_(0, torch.from_numpy(cell), (chances - most[rows]).exp())
        return shares.log()

    def _ends(self, ids: Ids, lengths: Ids) -> Ids:
        """The last symbols of forms as they are inflected, right-aligned, BOS and PAD in front."""
        place = lengths[:, None] + BACK  # BOS stands at 0
        at = np.where(place > 0, lengths[:, None] - 1 - place, place) if self.backwards else place
        symbols: Ids = ids[np.arange(len(ids))[:, None], np.maximum(at, 0)] * (place >= 0).astype(np.int64)
        return symbols

    def _new(self, stems: Floats, ending: Ids) -> Tensor:
        """Log chances of the forms by changes that training never showed, (b, labels).

        Args:
            stems: (b, REACH + 1) log chance of what is left when so many symbols are taken off.
            ending: (b, REACH + 1) place of the symbols taken off, 0 where no known ending ends in them.
        """
        stem = torch.from_numpy(stems)
        most = stem.amax(1, keepdim=True)
        stem = (stem - most).exp()
        known = (ending > 0).sum(1) - 1  # symbols that a known ending ends in
        more = SIZES - known[:, None] - 1
        beyond = torch.from_numpy(self.further.numpy()[np.maximum(more, 0)] * (more >= 0))
        places, longest = torch.from_numpy(ending), torch.from_numpy(ending[np.arange(len(ending)), known])
        shares = functional.embedding_bag(places, self.whole, mode="sum", per_sample_weights=stem)
        shares += self.longer.index_select(0, longest) * (stem * beyond).sum(1, keepdim=True)
        return shares.log() + most + self.unseen

    def _changes(self, ending: Ids) -> tuple[Ids, Ids, Ids]:
        """All changes that could have made the forms: row, symbols of the ending, number of the change."""
        row, size = ending.nonzero()
        which, first = ending[row, size], self.first.numpy()
        many = first[which] - first[which - 1]
        change = np.arange(many.sum()) + (first[which] - many.cumsum()).repeat(many)
        return row.repeat(many), size.repeat(many), change

    def _chances(self, symbols: Ids, before: Ids, size: Ids, change: Ids) -> Floats:
        """Log chance of a value, of the change, and of what the lemma ends in after the stem.

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
        known, chance, rest = places > 0, self.chance.numpy()[places], self.rest.numpy()[places]
        chances: Floats = self.usual.numpy()[change]
        for number in range(len(KINDS)):
            chances = np.where(known[number, 0], chance[number, 0], rest[number, 1] + chances)
        chances += self.share.numpy()[value]
        # The symbols that the lemma has after the stem, one after another.
        row, place = tail.nonzero()
        own = look_up(self.lemmas.keys, STRINGS(lemma[row[:, None], place[:, None] + np.arange(ORDER)]))
        earlier = np.where(place[:, None] > 0, own[np.arange(-1, len(own) - 1)], before[row])
        np.add.at(chances, row, self.lemmas.chances(own, earlier))
        return chances
