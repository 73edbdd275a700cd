"""Characters that cannot be seen, and composing letters in bounded time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

MOST_MARKS = 30
"""Combining marks in a row that are composed: no letter has more, and the time is quadratic."""
_NO_LETTERS = re.compile(rf"[^\w\s\x00-\x7f]{{{MOST_MARKS + 1},}}")


def compose(text: str) -> str:
    """A text in NFC, or as it is if more than ``MOST_MARKS`` combining marks stand in a row."""
    return unicodedata.normalize("NFC", text) if pile(text) < 0 else text


def pile(text: str) -> int:
    """Where more than ``MOST_MARKS`` combining marks stand in a row, -1 if nowhere."""
    for run in _NO_LETTERS.finditer(text):
        marks = 0
        for place, symbol in enumerate(run[0], run.start() + 1):
            marks = marks + 1 if unicodedata.combining(symbol) else 0
            if marks > MOST_MARKS:
                return place - marks
    return -1


@cache
def no_letters() -> str:
    """What may surround a word that is cut out of a text: marks, symbols, spaces, invisible characters."""
    symbols = ((chr(code), unicodedata.category(chr(code))) for code in range(0x10000))
    return "".join(symbol for symbol, kind in symbols if kind[0] in "PSZ" or kind in ("Cc", "Cf"))


def unaccented(letters: Iterable[str]) -> dict[str, str]:
    """Letters that have accents, with the same without them, if that is one of the letters, too.

    >>> unaccented("aábő")
    {'á': 'a'}
    """
    alphabet, found = {*letters}, {}
    for letter in sorted(alphabet):
        base, *marks = list(unicodedata.normalize("NFD", letter))
        # Marks that are letters of their own, as the vowels of Devanagari, decompose from nothing.
        if marks and all(map(unicodedata.combining, marks)) and base in alphabet:
            found[letter] = base
    return found


def visible(symbols: str) -> str:
    """Symbols in one line: those that cannot be seen by their number.

    >>> visible("a ?")
    'a U+0020 ?'
    """
    texts = (
        symbol if symbol.isprintable() and symbol != " " else f" U+{ord(symbol):04X} " for symbol in symbols
    )
    return " ".join("".join(texts).split())
