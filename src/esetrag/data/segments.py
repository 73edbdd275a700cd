"""Words in segments, ``stem:ház|number:ak|case:ból``, and the same as a tag for each letter of the word.

A tag says what is written in the place of its letter: ``=`` is the letter itself, ``|`` begins a segment, a
name may follow. So ``|number:=`` begins the number's segment and ``=`` continues whatever there is (the B and
I of BIO), and where the segments joined are not the word, other text restores them: in ``fél|ez|ned`` for
``felezned`` the *e* has the tag ``é``. Each segmentation of each word is a sequence of tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data import label_sets
from esetrag.data.change import Ints, Words, points, words
from esetrag.scoring import edit_distance

if TYPE_CHECKING:
    import pandas as pd

BOUNDARY, SAME = "|", "="
NAMES = ("stem", "number", "case")
"""What a segment of an inflected noun may be."""
NAMED = re.compile(rf"(^|\|)({'|'.join(NAMES)}):")
_MARK = 0xF8000
"""The first code point, of a private plane of Unicode, that stands for a boundary with or without a name."""
_CELLS = 2**25
"""Cells of the tables of dynamic programming that are in memory at once."""


def segments(label: str) -> list[str]:
    """The segments of a word, with their names if they have any; a space ends a segment, too.

    >>> segments("stem:ház|number:ak"), segments("Big Mac|é")
    (['stem:ház', 'number:ak'], ['Big', 'Mac', 'é'])
    """
    return label.replace(" ", BOUNDARY).split(BOUNDARY)


def shown(label: str) -> str:
    """A segmentation without the names.

    >>> shown("stem:ház|number:ak|case:ból")
    'ház|ak|ból'
    """
    return NAMED.sub(r"\1", label)


def named(label: str) -> str:
    """What the segments are; empty if they have no names.

    >>> named("stem:ház|number:ak"), named("fél|ez|ned")
    ('stem number', '')
    """
    return " ".join(name for _, name in NAMED.findall(label))


def names(label: str) -> str:
    """What the segments are, or how many there are."""
    return named(label) or f"{label.count(BOUNDARY) + 1} segments"


def begins(tag: str) -> bool:
    """Whether a tag begins a segment."""
    return tag.startswith(BOUNDARY)


def tags(forms: pa.ChunkedArray, labels: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """The tags of all words, one after another; how many each word has, (n,).

    >>> tags(pa.chunked_array([["felez"]]), pa.chunked_array([["fél|ez"]]))[0].to_pylist()
    ['|=', 'é', '=', '|=', '=']
    """
    texts = pc.binary_join_element_wise("", labels, BOUNDARY)
    for number, mark in enumerate([f"{BOUNDARY}{name}:" for name in NAMES] + [BOUNDARY], 1):
        texts = pc.replace_substring(texts, mark, chr(_MARK + number))
    width = (int(pc.max(pc.utf8_length(forms)).as_py() or 1) + 1) ** 2 * 2
    size = max(_CELLS // width, 16)
    starts = range(0, len(forms), size)
    parts = [_tags(words(forms.slice(start, size)), words(texts.slice(start, size))) for start in starts]
    counts = pc.utf8_length(forms).to_numpy().astype(np.int64)
    return pa.concat_arrays([pa.array([], pa.string()), *parts]), counts


def applied(ids: npt.NDArray[np.int64], forms: Words, labels: Sequence[str]) -> Words:
    """The segmentation that tags make of each word, (n,).

    Args:
        ids: (n, u) places in ``labels``; less than 0 behind the word.
        forms: (n,) of u letters at the most.
        labels: all tags.
    """
    parts = [label.partition(SAME) for label in labels] or [("", "", "")]
    front, same, back = (np.array(column, np.str_) for column in zip(*parts, strict=True))
    row, place = np.nonzero(ids >= 0)
    tag = ids[row, place]
    letter = np.where(same[tag] == SAME, points(forms)[row, place].astype(np.uint32).view("<U1"), "")
    items = pa.array(np.strings.add(np.strings.add(front[tag], letter), back[tag]), pa.string())
    offsets = np.searchsorted(row, np.arange(len(forms) + 1)).astype(np.int32)
    texts = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), items), "")
    return words(pc.utf8_ltrim(texts, BOUNDARY))


def _tags(forms: Words, texts: Words) -> pa.Array:
    """The tags of some words, one after another; ``texts`` are segmentations with marks for boundaries."""
    code = points(texts)
    is_mark = (code >= _MARK) & (code <= _MARK + len(NAMES) + 1)
    row, column = np.nonzero(~is_mark & (code != 0))
    before = np.where(column > 0, code[row, np.maximum(column - 1, 0)], 0).astype(np.int64) - _MARK
    sizes = np.bincount(row, minlength=len(forms))
    place = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    target = np.zeros((len(forms), int(sizes.max(initial=1))), np.uint32)
    target[row, place] = code[row, column]
    source = points(forms)
    letters = np.strings.str_len(forms)
    letter, is_same = _aligned(source, target, letters, sizes)
    marks = np.array(["", *(f"{BOUNDARY}{name}:" for name in NAMES), BOUNDARY])
    text = np.where(is_same[row, place], ord(SAME), target[row, place]).astype(np.uint32).view("<U1")
    items = np.strings.add(marks[np.maximum(before, 0)], text)
    of_letter = (np.cumsum(letters) - letters)[row] + letter[row, place]
    counts = np.bincount(of_letter, minlength=int(letters.sum()))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), pa.array(items, pa.string())), "")


def _aligned(
    source: npt.NDArray[np.uint32], target: npt.NDArray[np.uint32], sizes: Ints, ends: Ints
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Aligns words with what is written for them by the least number of edits (Wagner and Fischer 1974).

    Args:
        source: (n, a) letters of the words, 0 behind.
        target: (n, b) letters that are written, 0 behind.
        sizes: (n,) how many letters the words have.
        ends: (n,) how many are written.

    Returns:
        For each letter of the target that of the source in whose place it stands, (n, b): one that is
        inserted stands with the one before it. Whether both are the same, (n, b).
    """
    n, (a, b) = len(source), (source.shape[1], target.shape[1])
    table = np.stack(list(edit_distance.rows(source, target)))  # (a + 1, n, b + 1)
    letter, is_same = np.zeros((n, b), np.int64), np.zeros((n, b), bool)
    i, j, rows = sizes.astype(np.int64), ends.astype(np.int64), np.arange(n)
    for _ in range(a + b):
        left, above = np.maximum(j - 1, 0), np.maximum(i - 1, 0)
        equal = source[rows, above] == target[rows, left]
        here = table[i, rows, j]
        both = (i > 0) & (j > 0) & (here == table[above, rows, left] + ~equal)
        deleted = ~both & (i > 0) & (here == table[above, rows, j] + 1)
        written = (j > 0) & ~deleted
        letter[rows[written], left[written]] = above[written]
        is_same[rows[written], left[written]] = (both & equal)[written]
        i, j = i - (both | deleted), j - written
    return letter, is_same


def confusion(predictions: pa.Table) -> pd.DataFrame:
    """What the segments of each word are, ``label``, and what they are ``predicted`` to be."""
    true = label_sets.beside(predictions["label"], predictions["predicted"])
    columns = {"label": true, "predicted": predictions["predicted"]}
    import pandas as pd  # a second that encoding does not need

    return pd.DataFrame({key: list(map(names, texts.to_pylist())) for key, texts in columns.items()})
