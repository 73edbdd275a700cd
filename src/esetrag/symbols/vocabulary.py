"""Symbols and labels of the training forms, as sorted tables of ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from esetrag.core import files, text
from esetrag.core.config import Section
from esetrag.core.errors import DataError
from esetrag.core.features import DIMENSIONS
from esetrag.data import edits, label_sets, pairs, segments
from esetrag.symbols import bpe

PAD, BOS, EOS, UNK = range(4)
SPECIAL = ("<PAD>", "<BOS>", "<EOS>", "<UNK>")
FEATURE = 0x100000
"""The code point, of a private plane of Unicode, that stands for the first of ``features`` in a text."""
MOST_WORDS = 60_000
"""Known words: as many as there are code points from there on."""
IGNORED = BOS
"""In the place of a tag, where none is known and none is asked for."""
_CODE_POINTS = 0x110000

Unit = Literal["char", "bpe", "word"]
"""What a symbol is: a character; a character or several that were merged; a whole form."""


@dataclass(frozen=True)
class Vocabulary:
    """Two tables: symbol id to symbol, label id to label."""

    symbols: tuple[str, ...]
    """``SPECIAL``, then the others, sorted by code point."""
    labels: tuple[str, ...]
    """The values of the feature, sorted."""
    unit: Unit = "char"
    merges: tuple[bpe.Merge, ...] = ()
    """Of ``bpe``: the pairs that become one symbol, in the order in which they are merged."""
    edges: tuple[str, str] = ("", "")
    """What is no letter or digit and begins a training form; what ends one."""
    features: tuple[str, ...] = ()
    """The values of feature bundles, sorted: symbols of their own in front of a word, behind ``symbols``."""
    bundles: tuple[str, ...] = ()
    """The bundles that training has, as its table spells them, sorted."""
    dimensions: tuple[str, ...] = ()
    """The features whose values a label joins (``data.bundles``), if it joins several."""
    words: tuple[str, ...] = ()
    """Of sentences that are tagged: known words, sorted, symbols of their own in front of their letters."""

    @classmethod
    def build(
        cls,
        forms: Iterable[str],
        labels: Iterable[str],
        min_count: int = 1,
        unit: Unit = "char",
        merges: int = 0,
    ) -> Vocabulary:
        """As ``of_batches``, of a single batch."""
        return cls.of_batches([(list(forms), labels)], min_count, unit, merges)

    @classmethod
    def of_batches(
        cls,
        batches: Iterable[tuple[list[str], Iterable[str]]],
        min_count: int = 1,
        unit: Unit = "char",
        merges: int = 0,
    ) -> Vocabulary:
        """Collects the symbols and labels of the training rows; only ``bpe`` keeps all forms in memory.

        Args:
            batches: forms and their labels, each of one value or several.
            min_count: a character (of ``word``, a form) that occurs fewer times has no id: it is UNK.
            unit: what a symbol is.
            merges: of ``bpe``: how many pairs become one symbol.
        """
        counts, all_forms, all_labels = Counter[str](), list[str](), set[str]()
        ends = set[tuple[str, str]]()
        for forms, labels in batches:
            counts.update(forms if unit == "word" else "".join(forms))
            all_forms += forms if unit == "bpe" else []
            all_labels.update(labels)
            ends |= ends_of(forms)
        kept = {symbol for symbol, count in counts.items() if count >= min_count}
        learned = bpe.learn(all_forms, kept, merges) if unit == "bpe" else ()
        symbols = sorted(kept.union(first + second for first, second in learned))
        values = {value for label in all_labels for value in label_sets.values(label)}
        return cls((*SPECIAL, *symbols), tuple(sorted(values)), unit, learned, edges_of(ends))

    @classmethod
    def from_json(cls, content: Any, source: Path) -> Vocabulary:
        """Checks what ``to_json`` made, loaded from ``source``.

        Raises:
            DataError: if it is not such a vocabulary.
        """
        try:
            stored = _Stored.model_validate(content)
        except ValidationError as error:
            raise DataError(
                f"{source}: expected a vocabulary (sorted symbols behind the four special ones, sorted "
                "labels), found something else; make it anew: dvc repro -f"
            ) from error
        merges = tuple((first, second) for first, second in stored.merges)
        edges = stored.edges[0], stored.edges[1]
        more = map(tuple, (stored.features, stored.bundles, stored.dimensions, stored.words))
        return cls(tuple(stored.symbols), tuple(stored.labels), stored.unit, merges, edges, *more)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        required = {"unit": self.unit, "symbols": list(self.symbols), "labels": list(self.labels)}
        optional = {
            "merges": [list(pair) for pair in self.merges],
            "edges": list(self.edges) if any(self.edges) else [],
            **{name: list(getattr(self, name)) for name in ("features", "bundles", "dimensions", "words")},
        }
        return required | {name: values for name, values in optional.items() if values}

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Reads and checks a vocabulary file."""
        return cls.from_json(files.read_json(path), path)

    @cached_property
    def id_of_code_point(self) -> npt.NDArray[np.uint32]:
        """Symbol id of every code point of Unicode, UNK where there is none; (0x110000,).

        A capital without an id has that of its small letter, for words at the beginning of a sentence.
        """
        table = np.full(_CODE_POINTS, UNK, dtype=np.uint32)
        of = {ord(symbol): number for symbol, number in self.ids.items() if len(symbol) == 1}
        of |= {ord(capital): self.ids[small] for capital, small in self.capitals.items()}
        of |= {
            FEATURE + number: len(self.symbols) + number for number in range(self.size - len(self.symbols))
        }
        table[list(of)] = list(of.values())
        return table

    @property
    def outputs(self) -> tuple[str, ...]:
        """The labels where they are what a decoder writes: each one character of a text (``data.edits``)."""
        return tuple(edits.symbol_of(label) for label in self.labels)

    @property
    def writes_edits(self) -> bool:
        """Whether what a decoder writes are edit scripts, not the letters of a word."""
        return any(map(edits.is_cut, self.outputs))

    @property
    def writes_tags(self) -> bool:
        """Whether what is written are tags of letters (``data.segments``)."""
        return any(segments.begins(label) and len(label) > 1 for label in self.labels)

    @property
    def reads_pairs(self) -> bool:
        """Whether what is read are pairs of texts (``data.pairs``)."""
        return pairs.SEPARATOR in self.ids

    @cached_property
    def output(self) -> Vocabulary:
        """By which texts that a decoder writes are encoded."""
        return _Output((*SPECIAL, *self.outputs), ())

    @property
    def size(self) -> int:
        """Number of ids: of symbols, then of values of features or of words."""
        return len(self.symbols) + len(self.features) + len(self.words)

    @cached_property
    def segmenter(self) -> bpe.Segmenter:
        """Takes forms apart by the merges of ``bpe``."""
        return bpe.Segmenter(self.ids, UNK, self.merges)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Symbol to id, without the special ones."""
        return {symbol: number for number, symbol in enumerate(self.symbols) if number >= len(SPECIAL)}

    @cached_property
    def characters(self) -> frozenset[str]:
        """The symbols of one character, without the special ones."""
        return frozenset(symbol for symbol in self.ids if len(symbol) == 1)

    @cached_property
    def capitals(self) -> dict[str, str]:
        """Of ``char``: the capitals that have no id of their own, with their small letters."""
        pairs = [(small.upper(), small) for small in sorted(self.characters)] if self.unit == "char" else []
        return {big: small for big, small in pairs if len(big) == 1 and big not in self.characters}

    @cached_property
    def unaccented(self) -> npt.NDArray[np.int64]:
        """Of each id that of the same letter without its accents, if there is one; (size,)."""
        table = np.arange(self.size)
        for letter, base in text.unaccented(self.characters).items():
            table[self.ids[letter]] = self.ids[base]
        return table

    @property
    def spelling(self) -> Vocabulary:
        """Of ``char`` and ``bpe``: the same with its characters for symbols."""
        return Vocabulary((*SPECIAL, *sorted(self.characters)), self.labels)

    def unknown(self, form: str) -> str:
        """The characters of a form that have no id of their own, sorted; of ``word``, the form itself."""
        if self.unit == "word":
            words = form.split() if self.reads_pairs else [form]
            return " ".join(word for word in words if word not in self.ids)
        values = {chr(FEATURE + number) for number in range(len(self.features))}
        return "".join(sorted(set(form) - self.characters - self.capitals.keys() - values))


class _Output(Vocabulary):
    """Symbols that are written: a capital is never written as its small letter."""

    @property
    def capitals(self) -> dict[str, str]:
        """None."""
        return {}


Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


def ends_of(words: Iterable[str]) -> set[tuple[str, str]]:
    """The first and the last character of each word."""
    return {(word[:1], word[-1:]) for word in words}


def edges_of(ends: set[tuple[str, str]]) -> tuple[str, str]:
    """Of what words begin with and what they end in (``ends_of``), that which is no letter or digit."""
    before, behind = ({pair[side] for pair in ends if not pair[side].isalnum()} for side in (0, 1))
    return "".join(sorted(before)), "".join(sorted(behind))


class _Stored(Section):
    """A vocabulary as JSON."""

    unit: Unit
    symbols: list[str]
    labels: Annotated[list[str], Field(min_length=1)]
    merges: list[Pair] = Field(default=[])
    features: list[str] = Field(default=[])
    bundles: list[str] = Field(default=[])
    dimensions: list[str] = Field(default=[])
    words: Annotated[list[str], Field(max_length=MOST_WORDS)] = Field(default=[])
    edges: Pair = Field(default=["", ""])

    @model_validator(mode="after")
    def _is_as_built(self) -> Self:
        "".join(
            [*self.symbols, *self.labels, *self.features, *self.bundles, *self.words, *self.edges]
        ).encode()  # JSON can spell half of a surrogate pair
        special, others = tuple(self.symbols[: len(SPECIAL)]), self.symbols[len(SPECIAL) :]
        made = {first + second for first, second in self.merges}
        atoms = [symbol for symbol in others if symbol not in made]
        of_unit = {
            "word": not self.merges,
            "char": not self.merges and all(len(symbol) == 1 for symbol in others),
            "bpe": {symbol for pair in self.merges for symbol in pair} | made <= set(others)
            and all(len(symbol) == 1 for symbol in atoms)
            and "" not in others,
        }
        if special != SPECIAL or not of_unit[self.unit] or (self.words and " " not in others):
            raise ValueError("symbols are not those of its unit")
        if any(values != sorted(set(values)) for values in (others, self.labels, self.features, self.words)):
            raise ValueError("symbols, labels, features and words should be sorted, each once")
        if len({*self.dimensions} & DIMENSIONS.keys()) != len(self.dimensions):
            raise ValueError("dimensions should be of the schema, each once")
        return self
