"""Symbols and labels of the training forms, as sorted tables of ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from esetrag import files, truth
from esetrag.errors import DataError

PAD, BOS, EOS, UNK = range(4)
SPECIAL = ("<PAD>", "<BOS>", "<EOS>", "<UNK>")
_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class Vocabulary:
    """Two tables: symbol id to symbol, label id to label."""

    symbols: tuple[str, ...]
    """``SPECIAL``, then the characters, sorted by code point."""
    labels: tuple[str, ...]
    """The values of the feature, sorted."""

    @classmethod
    def build(cls, forms: Iterable[str], labels: Iterable[str], min_count: int = 1) -> Vocabulary:
        """Collects the symbols and labels of the training rows.

        Args:
            forms: training forms.
            labels: their labels, each of one value or several.
            min_count: a character seen fewer times has no id of its own and is read as UNK.
        """
        counts = Counter("".join(forms))
        kept = sorted(symbol for symbol, count in counts.items() if count >= min_count)
        values = {value for label in set(labels) for value in truth.values(label)}
        return cls((*SPECIAL, *kept), tuple(sorted(values)))

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
                characters = symbols[len(SPECIAL) :]
                sound = (
                    tuple(symbols[: len(SPECIAL)]) == SPECIAL
                    and all(len(symbol) == 1 for symbol in characters)
                    and characters == sorted(set(characters))
                    and labels == sorted(set(labels))
                    and labels
                )
                if sound:
                    return cls(tuple(symbols), tuple(labels))
        raise DataError(f"{source}: expected {expected}, found something else; make it anew: dvc repro -f")

    def to_json(self) -> dict[str, list[str]]:
        """As JSON."""
        return {"symbols": list(self.symbols), "labels": list(self.labels)}

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Reads and checks a vocabulary file."""
        return cls.from_json(files.read_json(path), path)

    @cached_property
    def id_of_code_point(self) -> npt.NDArray[np.uint32]:
        """Symbol id of every code point of Unicode, UNK where there is none; (0x110000,)."""
        table = np.full(_CODE_POINTS, UNK, dtype=np.uint32)
        table[[ord(symbol) for symbol in self.symbols[len(SPECIAL) :]]] = np.arange(
            len(SPECIAL), len(self.symbols)
        )
        return table

    @cached_property
    def characters(self) -> frozenset[str]:
        """The symbols but the special ones."""
        return frozenset(self.symbols[len(SPECIAL) :])

    def unknown(self, text: str) -> str:
        """The characters of a text that have no id of their own, sorted."""
        return "".join(sorted(set(text) - self.characters))

    @cached_property
    def label_ids(self) -> dict[str, int]:
        """Label to id."""
        return {label: number for number, label in enumerate(self.labels)}


def _is_text(value: Any) -> bool:
    """Whether it is text that can be had in UTF-8: JSON can spell half of a surrogate pair."""
    return isinstance(value, str) and not any("\ud800" <= symbol <= "\udfff" for symbol in value)
