"""Rows whose labels are segmentations (``data.segments``): given ones, or spans of a UniMorph table."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import features
from esetrag.data import label_sets, segments
from esetrag.data.change import Words, words
from esetrag.data.selection import EXAMPLES, Selection

MARKED, EMPTY = "a word or segment with | or =", "an empty segment"
NO_BASE = "no nominative of the same number"
OTHER = "features beside number and case"
CHANGED = "a stem or plural that changes by more than the length of its last vowel"


def given(rows: Selection) -> Selection:
    """Rows whose labels are segmentations, ``makró @@k @@ban`` or ``makró|k|ban``, checked.

    Without a lemma the longest segment stands for it.
    """
    texts = pc.replace_substring(rows.table["label"], " @@", segments.BOUNDARY)
    joined = pc.binary_join_element_wise(segments.BOUNDARY, texts, segments.BOUNDARY, "")
    faults = {
        MARKED: pc.or_(
            pc.match_substring_regex(rows.table["form"], "[|=]"), pc.match_substring(texts, segments.SAME)
        ),
        EMPTY: pc.match_substring(joined, segments.BOUNDARY * 2),
    }
    lemmas = rows.table["lemma"]
    if lemmas.null_count:
        longest = [max(segments.segments(text), key=len) for text in texts.to_pylist()]
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
    for name, begin, behind in zip(segments.NAMES, bounds, bounds[1:], strict=False):
        part = np.strings.slice(form, begin, behind)
        named = np.strings.add(f"{segments.BOUNDARY}{name}:", part)
        label = np.strings.add(label, np.where(np.strings.str_len(part) > 0, named, ""))
    texts = np.strings.slice(label, 1, label.dtype.itemsize)
    faults = {
        OTHER: pa.array(is_other),
        MARKED: pc.match_substring_regex(table["form"], "[|=]"),
        NO_BASE: pc.is_null(bases[0]),
        CHANGED: pa.array(~splits),
    }
    labels = label_sets.escaped(pa.chunked_array([pa.array(texts, pa.string())]))
    return _without(rows, table.set_column(3, "label", labels), faults)


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
