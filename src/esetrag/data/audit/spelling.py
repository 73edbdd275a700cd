"""Spellings that drift: one tag under two names, one bundle in two orders, one word in two scripts."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import features, text

ONE_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK", "IDEOGRAPHIC": "CJK"}
"""Scripts that a word may mix."""
NO_SCRIPT = frozenset(["MODIFIER", "FEMININE", "MASCULINE", "MICRO", "SUPERSCRIPT", "SUBSCRIPT"])
"""First words of the names of letters that stand beside letters of any script."""
HIDDEN = r"\pC|[^\PZ ]"
"""Control and format characters, and spaces other than the plain one."""
MORE = 3
"""Words that a gloss has more than its lemma; letters in a row that a form has in common with it."""
JOINERS = "\u200c\u200d"
"""Invisible, but letters of Persian and Hindi within a word."""


def drifts(bundles: dict[str, int]) -> list[dict[str, Any]]:
    """Compares the spellings of a table's bundles with the schema's and with each other.

    Args:
        bundles: rows of each bundle.

    Returns:
        Tags in a spelling that is not the schema's, tags the schema does not know, and bundles of the same
        tags in another order or with other brackets than most, by rows: ``kind``, the spelling ``found`` and
        ``expected`` (empty for an unknown tag), ``rows`` of the one and ``beside``, those of the other.
    """
    of_tag: Counter[str] = Counter()
    variants: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for bundle, rows in bundles.items():
        tags = features.tags(bundle)
        for tag in set(tags):
            of_tag[tag] += rows
        respelt = bundle
        for tag in sorted(set(tags), key=len, reverse=True):
            respelt = respelt.replace(tag, features.spelling(tag))
        variants[features.part_of_speech(bundle), *sorted(map(features.spelling, tags))][respelt] += rows
    result: list[tuple[str, str, str, int, int]] = []
    for tag, rows in of_tag.items():
        expected = features.spelling(tag)
        if not features.known(tag):
            result.append(("unknown tag", tag, "", rows, 0))
        # LGSPEC02 for LGSPEC2 is a drift only where both stand; INST is none of the schema's names.
        elif tag != expected and (of_tag[expected] or "SPEC" not in tag):
            result.append(("tag", tag, expected, rows, of_tag[expected]))
    for spellings in variants.values():
        (usual, most), *rest = sorted(spellings.items(), key=lambda entry: (-entry[1], entry[0]))
        result += [("bundle", other, usual, rows, most) for other, rows in rest]
    ranked = sorted(result, key=lambda drift: (-drift[3], drift))
    return [
        dict(zip(("kind", "found", "expected", "rows", "beside"), drift, strict=True)) for drift in ranked
    ]


def mixed(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Whether letters of two scripts stand side by side in a word, (n,): Latin ``e`` in ``тeмір``.

    ``α-részecske`` is no such word: the hyphen stands between.
    """
    letters = sorted(set("".join(pc.unique(column).to_pylist())))
    of_script: dict[str, str] = defaultdict(str)
    for letter in letters:
        of_script[script_of(letter)] += letter
    of_script.pop("", None)
    if len(of_script) < 2:
        return np.zeros(len(column), dtype=bool)
    others = {name: "".join(of_script[other] for other in of_script if other != name) for name in of_script}
    pattern = "|".join(f"[{own}][{others[name]}]" for name, own in of_script.items())
    mixes: npt.NDArray[np.bool_] = pc.match_substring_regex(column, pattern).to_numpy()
    return mixes


def hidden(rows: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The rows with each invisible character or space of another width, by its number, such as ``U+200B``.

    Args:
        rows: columns ``lemma`` and ``form``; ``JOINERS`` count at the ends of these only.
    """
    words = pc.binary_join_element_wise(rows["lemma"], rows["form"], " ")
    found = pc.unique(words.filter(pc.match_substring_regex(words, HIDDEN))).to_pylist()
    result = {}
    for symbol in sorted({symbol for symbol in "".join(found) if not symbol.isprintable()}):
        at_ends = pc.match_substring_regex(words, f"(^| )[{JOINERS}]|[{JOINERS}]( |$)")
        rows_with = pc.match_substring(words, symbol)
        result[text.visible(symbol)] = pc.and_(rows_with, at_ends) if symbol in JOINERS else rows_with
    return result


def glosses(rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether a sentence stands where a form should, such as *the verb has no subjunctive forms*, (n,).

    It has at least ``MORE`` words more than the lemma, and nothing of the lemma is in it.
    """
    spaces = [pc.count_substring(rows[name], " ").to_numpy() for name in ("form", "lemma")]
    found: npt.NDArray[np.bool_] = spaces[0] - spaces[1] >= MORE
    for place in np.flatnonzero(found).tolist():
        lemma, form = (rows[name][place].as_py().casefold() for name in ("lemma", "form"))
        parts = {lemma[start : start + MORE] for start in range(max(len(lemma) - MORE, 0) + 1)}
        found[place] = not any(part in form for part in parts)
    return found


def script_of(letter: str) -> str:
    """The script of a letter, empty for one that goes with any and for what is no letter.

    >>> script_of("ж"), script_of("e"), script_of("-"), script_of("µ")
    ('CYRILLIC', 'LATIN', '', '')
    """
    if not unicodedata.category(letter).startswith("L"):
        return ""
    first = unicodedata.name(letter, "").split(" ")[0]
    return "" if first in NO_SCRIPT else ONE_SCRIPT.get(first, first)
