"""Symbols and labels of the training forms, as sorted tables of ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.symbols import bpe

PAD, BOS, EOS, UNK = range(4)
SPECIAL = ("<PAD>", "<BOS>", "<EOS>", "<UNK>")
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

    @classmethod
    def build(
        cls,
        forms: Iterable[str],
        labels: Iterable[str],
        min_count: int = 1,
        unit: Unit = "char",
        merges: int = 0,
    ) -> Vocabulary:
        """Collects the symbols and labels of the training rows.

        Args:
            forms: training forms.
            labels: their labels, each of one value or several.
            min_count: a character (of ``word``, a form) seen fewer times has no id of its own and is
                read as UNK.
            unit: what a symbol is.
            merges: of ``bpe``: how many pairs become one symbol.
        """
        return cls.of_batches([(list(forms), labels)], min_count, unit, merges)

    @classmethod
    def of_batches(
        cls,
        batches: Iterable[tuple[list[str], Iterable[str]]],
        min_count: int = 1,
        unit: Unit = "char",
        merges: int = 0,
    ) -> Vocabulary:
        """As ``build``, of forms and labels some at a time; of ``bpe`` alone all forms are kept."""
        counts, forms, labels = Counter[str](), list[str](), set[str]()
        for some, borne in batches:
            counts.update(some if unit == "word" else "".join(some))
            forms += some if unit == "bpe" else []
            labels.update(borne)
        kept = {symbol for symbol, count in counts.items() if count >= min_count}
        learnt = bpe.learn(forms, kept, merges) if unit == "bpe" else ()
        symbols = sorted(kept.union(first + second for first, second in learnt))
        values = {value for label in labels for value in label_sets.values(label)}
        return cls((*SPECIAL, *symbols), tuple(sorted(values)), unit, learnt)

    @classmethod
    def from_json(cls, content: Any, source: Path) -> Vocabulary:
        """Checks what ``to_json`` gave, read back from ``source``.

        Raises:
            DataError: if it is not such a vocabulary.
        """
        expected = "a vocabulary (sorted symbols behind the four special ones, sorted labels)"
        match content:
            case {"symbols": [*symbols], "labels": [*labels]} if all(
                _is_text(text) for text in [*symbols, *labels]
            ):
                others = symbols[len(SPECIAL) :]
                unit, merges = content.get("unit", "char"), content.get("merges", [])
                sound = (
                    tuple(symbols[: len(SPECIAL)]) == SPECIAL
                    and others == sorted(set(others))
                    and _are_of(unit, others, merges)
                    and labels == sorted(set(labels))
                    and labels
                )
                if sound:
                    pairs = tuple((first, second) for first, second in merges)
                    return cls(tuple(symbols), tuple(labels), unit, pairs)
        raise DataError(f"{source}: expected {expected}, found something else; make it anew: dvc repro -f")

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        content = {"unit": self.unit, "symbols": list(self.symbols), "labels": list(self.labels)}
        return {**content, "merges": [list(pair) for pair in self.merges]} if self.unit == "bpe" else content

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Reads and checks a vocabulary file."""
        return cls.from_json(files.read_json(path), path)

    @cached_property
    def id_of_code_point(self) -> npt.NDArray[np.uint32]:
        """Symbol id of every code point of Unicode, UNK where there is none; (0x110000,).

        A capital without an id has that of its small letter: words stand at the beginning of
        sentences, too.
        """
        table = np.full(_CODE_POINTS, UNK, dtype=np.uint32)
        of = {ord(symbol): number for symbol, number in self.ids.items() if len(symbol) == 1}
        of |= {ord(capital): self.ids[small] for capital, small in self.capitals.items()}
        table[list(of)] = list(of.values())
        return table

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
        """Of ``char``: the capitals that are read as their small letters, having no id of their own."""
        if self.unit != "char":
            return {}
        pairs = ((small.upper(), small) for small in sorted(self.characters))
        return {
            capital: small for capital, small in pairs if len(capital) == 1 and capital not in self.characters
        }

    @property
    def spelling(self) -> Vocabulary:
        """Of ``char`` and ``bpe``: the same with its characters for symbols."""
        return Vocabulary((*SPECIAL, *sorted(self.characters)), self.labels)

    def unknown(self, text: str) -> str:
        """The characters of a text that have no id of their own, sorted; of ``word``, the text itself."""
        if self.unit == "word":
            return "" if text in self.ids else text
        return "".join(sorted(set(text) - self.characters - self.capitals.keys()))

    @cached_property
    def label_ids(self) -> dict[str, int]:
        """Label to id."""
        return {label: number for number, label in enumerate(self.labels)}


def _are_of(unit: Any, symbols: list[str], merges: Any) -> bool:
    """Whether symbols (without the special ones) and merges are such as ``Vocabulary.build`` makes."""
    if unit != "bpe":
        return merges == [] and (unit == "word" or (unit == "char" and all(len(one) == 1 for one in symbols)))
    known, made = set(symbols), set()
    for pair in merges if isinstance(merges, list) else [None]:
        match pair:
            case [str(first), str(second)] if {first, second, first + second} <= known:
                made.add(first + second)
            case _:
                return False
    return all(len(one) == 1 or one in made for one in symbols) and "" not in known


def _is_text(value: Any) -> bool:
    """Whether it is text that can be had in UTF-8: JSON can spell half of a surrogate pair."""
    return isinstance(value, str) and not any("\ud800" <= symbol <= "\udfff" for symbol in value)
