"""Words in segments, ``stem:ház|number:ak|case:ból``, and the same as a tag for each letter of the word.

A tag says what is written in the place of its letter: ``=`` is the letter itself, ``|`` begins a segment, a
name may follow. So ``|number:=`` begins the number's segment and ``=`` continues whatever there is (the B and
I of BIO), and where the segments joined are not the word, other text restores them: in ``fél|ez|ned`` for
``felezned`` the *e* has the tag ``é``. Each segmentation of each word is a sequence of tags.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import features
from esetrag.data import label_sets
from esetrag.data.change import Ints, Words, words
from esetrag.data.selection import EXAMPLES, Selection

if TYPE_CHECKING:
    import pandas as pd

BOUNDARY, SAME = "|", "="
NAMES = ("stem", "number", "case")
"""What a segment of an inflected noun may be."""
NAMED = re.compile(rf"(^|\|)({'|'.join(NAMES)}):")
MARKED, EMPTY = "a word or segment with | or =", "an empty segment"
NO_BASE = "no nominative of the same number"
OTHER = "features beside number and case"
CHANGED = "a stem or plural that changes by more than the length of its last vowel"
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


def names(label: str) -> str:
    """What the segments are, or how many there are if they have no names.

    >>> names("stem:ház|number:ak"), names("fél|ez|ned")
    ('stem number', '3 segments')
    """
    named = [name for _, name in NAMED.findall(label)]
    return " ".join(named) if named else f"{label.count(BOUNDARY) + 1} segments"


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
    letter = np.where(same[tag] == SAME, _points(forms)[row, place].astype(np.uint32).view("<U1"), "")
    items = pa.array(np.strings.add(np.strings.add(front[tag], letter), back[tag]), pa.string())
    offsets = np.searchsorted(row, np.arange(len(forms) + 1)).astype(np.int32)
    texts = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), items), "")
    return words(pc.utf8_ltrim(texts, BOUNDARY))


def _tags(forms: Words, texts: Words) -> pa.Array:
    """The tags of some words, one after another; ``texts`` are segmentations with marks for boundaries."""
    points = _points(texts)
    is_mark = (points >= _MARK) & (points <= _MARK + len(NAMES) + 1)
    row, column = np.nonzero(~is_mark & (points != 0))
    before = np.where(column > 0, points[row, np.maximum(column - 1, 0)], 0).astype(np.int64) - _MARK
    sizes = np.bincount(row, minlength=len(forms))
    place = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    target = np.zeros((len(forms), int(sizes.max(initial=1))), np.uint32)
    target[row, place] = points[row, column]
    source = _points(forms)
    letters = np.strings.str_len(forms)
    letter, is_same = _aligned(source, target, letters, sizes)
    marks = np.array(["", *(f"{BOUNDARY}{name}:" for name in NAMES), BOUNDARY])
    text = np.where(is_same[row, place], ord(SAME), target[row, place]).astype(np.uint32).view("<U1")
    items = np.strings.add(marks[np.maximum(before, 0)], text)
    of_letter = (np.cumsum(letters) - letters)[row] + letter[row, place]
    counts = np.bincount(of_letter, minlength=int(letters.sum()))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), pa.array(items, pa.string())), "")


def _points(array: Words) -> npt.NDArray[np.uint32]:
    return np.ascontiguousarray(array).view(np.uint32).reshape(len(array), -1)


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
    columns = np.arange(b + 1, dtype=np.int16)
    table = np.empty((a + 1, n, b + 1), np.int16)
    table[0] = columns
    for place in range(a):
        changed = table[place, :, :-1] + (source[:, place, None] != target)
        new = np.concatenate([table[place, :, :1] + 1, np.minimum(changed, table[place, :, 1:] + 1)], axis=1)
        table[place + 1] = np.minimum.accumulate(new - columns, axis=1) + columns
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


def given(rows: Selection) -> Selection:
    """Rows whose labels are segmentations, ``makró @@k @@ban`` or ``makró|k|ban``, checked.

    Without a lemma the longest segment stands for it.
    """
    texts = pc.replace_substring(rows.table["label"], " @@", BOUNDARY)
    joined = pc.binary_join_element_wise(BOUNDARY, texts, BOUNDARY, "")
    faults = {
        MARKED: pc.or_(pc.match_substring_regex(rows.table["form"], "[|=]"), pc.match_substring(texts, SAME)),
        EMPTY: pc.match_substring(joined, BOUNDARY * 2),
    }
    lemmas = rows.table["lemma"]
    if lemmas.null_count:
        longest = [max(segments(text), key=len) for text in texts.to_pylist()]
        lemmas = pa.chunked_array([pa.array(longest, pa.string())])
    return _without(rows, rows.table.set_column(3, "label", texts).set_column(0, "lemma", lemmas), faults)


def spans(rows: Selection) -> Selection:
    """Rows of a UniMorph table of nouns, whose labels become stem, number and case.

    The stem is as long as the lemma, stem and number as the nominative of that number, and the case is the
    rest: so linking vowels and assimilated consonants belong to the ending. Rows that do not split so are
    left out and counted.
    """
    table = rows.table
    encoded = table["features"].combine_chunks().dictionary_encode()
    cells = [_cell(bundle) for bundle in encoded.dictionary.to_pylist()]
    number, case = (
        pa.chunked_array([pa.array([cell[n] for cell in cells], pa.string()).take(encoded.indices)])
        for n in (0, 1)
    )
    is_other = np.array([cell[2] for cell in cells], bool)[encoded.indices.to_numpy()]
    key = pc.binary_join_element_wise(table["lemma"], number, "\t")
    nominative = pc.equal(case, "NOM")
    known = pa.table({"key": key, "form": table["form"]}).filter(nominative)
    known = known.group_by("key", use_threads=False).aggregate([("form", "min"), ("form", "max")])
    place = pc.index_in(key, value_set=known["key"].combine_chunks())
    is_singular = pc.equal(number, "SG")
    # Of two nominatives that a lemma has in a number, the one that the form is made of.
    bases = [
        pc.if_else(is_singular, table["lemma"], known[name].take(place.combine_chunks()))
        for name in ("form_min", "form_max")
    ]
    columns = (table["lemma"], table["form"], *bases)
    lemma, form, first, other = (words(pc.fill_null(column, "")) for column in columns)
    base = np.where(_extends(first, form), first, other)
    splits = _extends(lemma, base) & _extends(base, form)
    stem, end = np.strings.str_len(lemma), np.strings.str_len(base)
    bounds = (np.zeros_like(stem), stem, end, np.strings.str_len(form))
    label = np.full(len(form), "", np.str_)
    for name, begin, behind in zip(NAMES, bounds, bounds[1:], strict=False):
        part = np.strings.slice(form, begin, behind)
        named = np.strings.add(f"{BOUNDARY}{name}:", part)
        label = np.strings.add(label, np.where(np.strings.str_len(part) > 0, named, ""))
    texts = np.strings.slice(label, 1, label.dtype.itemsize)
    faults = {
        OTHER: pa.array(is_other),
        MARKED: pc.match_substring_regex(table["form"], "[|=]"),
        NO_BASE: pc.is_null(bases[0]),
        CHANGED: pa.array(~splits),
    }
    labels = pa.array([label_sets.join([text]) for text in texts.tolist()], pa.string())
    return _without(rows, table.set_column(3, "label", pa.chunked_array([labels])), faults)


def confusion(predictions: pa.Table) -> pd.DataFrame:
    """What the segments of each word are, ``label``, and what they are ``predicted`` to be."""
    true = label_sets.beside(predictions["label"], predictions["predicted"])
    columns = {"label": true, "predicted": predictions["predicted"]}
    import pandas as pd  # a second that encoding does not need

    return pd.DataFrame({key: list(map(names, texts.to_pylist())) for key, texts in columns.items()})


def _without(rows: Selection, table: pa.Table, faults: dict[str, pa.ChunkedArray]) -> Selection:
    """Selected rows with a new table, less those with a fault; of several the first counts."""
    dropped, examples = dict(rows.dropped), dict(rows.examples)
    left = np.ones(len(table), bool)
    for reason, fault in faults.items():
        found = left & np.array(fault.to_pylist(), bool)
        if found.any():
            dropped[reason] = int(found.sum())
            first = rows.table.filter(pa.array(found)).slice(0, EXAMPLES).to_pylist()
            examples[reason] = [" ".join(filter(None, list(row.values())[:3])) for row in first]
        left &= ~found
    return replace(rows, table=table.filter(pa.array(left)), dropped=dropped, examples=examples)


@lru_cache(2**14)
def _cell(bundle: str) -> tuple[str, str, bool]:
    """Number and case of a bundle, and whether it has anything else."""
    number, case = ("/".join(sorted(features.values(bundle, name))) for name in ("Number", "Case"))
    beside = [{*features.others(bundle, name).split(";")} for name in ("Number", "Case")]
    others = set[str].intersection(*beside) - {""}
    return number, case, bool(others) or not number or not case


def _extends(bases: Words, forms: Words) -> npt.NDArray[np.bool_]:
    """Whether each form begins with its base, whose last letter may gain or lose an accent, (n,)."""
    size = np.strings.str_len(bases)
    front = np.strings.slice(forms, 0, size)
    last = np.maximum(size - 1, 0)
    same = np.strings.slice(front, 0, last) == np.strings.slice(bases, 0, last)
    ends = (_bare(np.strings.slice(array, last, size)) for array in (front, bases))
    fits: npt.NDArray[np.bool_] = same & (next(ends) == next(ends)) & (np.strings.str_len(front) == size)
    return fits


def _bare(letters: Words) -> Words:
    """Letters without their accents, (n,)."""
    distinct, place = np.unique(letters, return_inverse=True)
    bare: Words = np.array([unicodedata.normalize("NFD", text)[:1] for text in distinct.tolist()], np.str_)
    return bare[place]
