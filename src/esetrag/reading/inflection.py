"""Reads a form by the lemmas it could come from, each as likely as it is a word and as its change is usual.

``P(form, value) = sum over lemmas P(lemma) P(change | value, end of the lemma)``, a noisy channel
(Shannon 1948): whether *pirit* is rather a lemma of its own or *piri* in the accusative, no weights of
endings can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from esetrag.project.params import Head
from esetrag.reading import changes
from esetrag.reading.analogy import Analogies
from esetrag.reading.changes import REACH, Changes
from esetrag.reading.charmodel import ORDER, CharModel, look_up, picked
from esetrag.symbols.encoding import MARKS
from esetrag.symbols.vocab import PAD

CAUTION = 30
"""The power of the share of rows whose change another row shows that says how well the changes are known."""
SURE, FLAT = 2.0, 0.4
"""If all changes are known the lemmas weigh so much more, and their own log chances differ so much less:
what is then in doubt is the lemma alone, and how likely a word is that nobody has seen is soon overrated."""
EDGE = 1e-6
"""Least distance of a probability from 0 and 1 where each value is borne or not by itself."""


class Inflection(nn.Module):
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

    def __init__(self, lemmas: CharModel, tables: Mapping[str, Tensor]) -> None:
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
    def fit(cls, analogies: Analogies, targets: Tensor, weight: float) -> Inflection | None:
        """Learns from training rows; None if none of them has a change.

        Args:
            analogies: the rows, taken apart.
            targets: (n, labels) bool, their values.
            weight: of what is read here beside another reader's scores, if the changes are hardly known.
        """
        found = Changes.of(analogies, targets.cpu().numpy())
        if len(found.counts) == 0:
            return None
        words = analogies.lemmas
        new = float(found.once.mean())
        known = (1 - new) ** CAUTION
        lemmas = CharModel.fit(words.ids, words.lengths, 1 - FLAT * known)
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
        lemmas = {f"lemmas.{name}": shape for name, shape in CharModel.shapes(inner).items()}
        return {"weight": (), "doubt": (), "backwards": (), **changes.shapes(dict(found), labels), **lemmas}

    @classmethod
    def empty(cls, found: Mapping[str, tuple[int, ...]], labels: int) -> Inflection:
        """One whose tables are to be loaded; as for ``shapes``."""
        shapes = cls.shapes(found, labels)
        lemmas = CharModel(
            torch.zeros(shapes["lemmas.keys"], dtype=torch.int64),
            torch.zeros(shapes["lemmas.chance"]),
            torch.zeros(shapes["lemmas.rest"]),
        )
        whole = {"endings", "first", "value", "tail", "keys"}
        tables = {
            name: torch.zeros(shape, dtype=torch.int64 if name in whole else torch.float32)
            for name, shape in changes.shapes(dict(found), labels).items()
        }
        return cls(lemmas, tables)

    def sound(self) -> bool:
        """Whether all names ascend, no ending is one too, and all numbers are within their tables."""
        lists = (self.endings, self.keys, self.lemmas.keys)
        return (
            all(bool((names[1:] > names[:-1]).all()) for names in lists)
            and bool(torch.isin(changes.endings(self.endings.new_zeros(1, 0))[0, 0], self.endings))
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
        symbols = self._ends(ids.long(), lengths.long())  # (b, REACH + ORDER)
        taken = torch.arange(REACH + 1, device=ids.device)
        within = taken < (lengths[:, None] - MARKS).clamp_min(1)  # a symbol of the stem is left
        # Log chance of the stem that is left when so many symbols are taken off, by the whole form's.
        places = self.lemmas.places(symbols, REACH + 1)  # (b, REACH + 1, ORDER)
        steps = self.lemmas.chances(places[:, 1:], places[:, :-1]).flip(1)  # from the last symbol back
        stem = functional.pad(-steps.cumsum(1), (1, 0))  # (b, REACH + 1)
        ending = torch.where(within, look_up(self.endings, changes.endings(symbols)), 0)
        row, size, change = self._changes(ending)
        chances = stem[row, size] + self._chances(
            symbols.index_select(0, row), places[row, REACH - size], size, change
        )
        new = self._new(stem.masked_fill(~within, -torch.inf), ending)
        most = new.amax(1).scatter_reduce(0, row, chances, "amax")
        shares = (new - most[:, None]).exp()  # (b, labels)
        cell = row * shares.shape[1] + self.value[change]
        shares.view(-1).index_add_(0, cell, (chances - most[row]).exp())
        return shares.log()

    def _ends(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The last symbols of forms as they are inflected, right-aligned, BOS and PAD in front."""
        width = REACH + ORDER
        last = lengths[:, None] - MARKS  # BOS stands at 0
        place = torch.arange(width, device=ids.device) + last - (width - 1)
        at = torch.where(place > 0, last + 1 - place, place) if bool(self.backwards) else place
        return torch.where(place >= 0, ids.gather(1, at.clamp(0, ids.shape[1] - 1)), PAD)

    def _new(self, stem: Tensor, ending: Tensor) -> Tensor:
        """Log chances of the forms by changes that training never showed, (b, labels).

        Args:
            stem: (b, REACH + 1) log chance of what is left when so many symbols are taken off.
            ending: (b, REACH + 1) place of the symbols taken off, 0 where no known ending ends in them.
        """
        most = stem.amax(1, keepdim=True)
        stem = (stem - most).exp()
        size = torch.arange(REACH + 1, device=stem.device)
        known = (ending > 0).sum(1, keepdim=True) - 1  # symbols that a known ending ends in
        beyond = self.further[(size - known - 1).clamp_min(0)] * (size > known)
        shares = functional.embedding_bag(ending, self.whole, mode="sum", per_sample_weights=stem)
        shares += self.longer[ending.gather(1, known)[:, 0]] * (stem * beyond).sum(1, keepdim=True)
        return shares.log() + most + self.unseen

    def _changes(self, ending: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All changes that could have made the forms: row, symbols of the ending, number of the change."""
        row, size = torch.nonzero(ending, as_tuple=True)
        first = self.first[ending[row, size] - 1]
        many = self.first[ending[row, size]] - first
        which = torch.repeat_interleave(many)
        number = torch.arange(len(which), device=which.device) - (many.cumsum(0) - many)[which]
        return row[which], size[which], first[which] + number

    def _chances(self, symbols: Tensor, before: Tensor, size: Tensor, change: Tensor) -> Tensor:
        """Log chance of a value, of the change, and of what the lemma ends in after the stem.

        Args:
            symbols: (c, w) the forms' last ones.
            before: (c, ORDER) places of the strings that end where the stem does.
            size: (c,) symbols of the ending.
            change: (c,)
        """
        value, tail = self.value[change], self.tail[change]
        context = torch.arange(1 - ORDER, 0, device=size.device) + symbols.shape[1] - size[:, None]
        lemma = torch.cat([symbols.gather(1, context), tail], dim=1)  # (c, ORDER - 1 + m)
        end = ORDER - 3 + (tail != PAD).sum(1, keepdim=True)
        ends = changes.lemma_ends(lemma.gather(1, end)[:, 0], lemma.gather(1, end - 1)[:, 0])
        chances = self.usual[change]
        for number, of_lemma in enumerate(ends):
            own = look_up(self.keys, changes.after(of_lemma, change, changes.OF_CHANGE + number))
            group = look_up(self.keys, changes.after(of_lemma, value, changes.OF_VALUE + number))
            chances = torch.where(own > 0, picked(self.chance, own), picked(self.rest, group) + chances)
        chances = self.share[value] + chances
        for place in range(tail.shape[1]):
            some = torch.nonzero(tail[:, place])[:, 0]
            own = self.lemmas.places(lemma[some, place : place + ORDER], 1)[:, 0]
            chances[some] += self.lemmas.chances(own, before[some])
            before[some] = own
        return chances
