"""Sentences with a tag for each word, from a CoNLL-U file (universaldependencies.org/format)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import tables
from esetrag.core.errors import DataError
from esetrag.data import label_sets, selection, sentences, tsv
from esetrag.data.selection import EXAMPLES, Selection

COLUMNS = {"upos": 3, "xpos": 4, "feats": 5, "deprel": 7, "misc": 9}
"""Where the fields that can be tags stand, from 0."""
WIDTH = 10
EXPECTED = "# and a comment, or ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC"
ID = r"^[0-9]{1,9}([-.][0-9]{1,9})?$"
"""Of a word, of a token of several words (``1-2``), or of a word that is not written (``1.1``)."""
LONG = f"over {sentences.LONGEST:,} characters"


def select(path: Path, field: str, distinct: bool = True) -> Selection:
    """The sentences of a file, with a field of their words as tags.

    Comments, tokens of several words and words that are not written are passed over: the words count.
    Sentences in which no word has the field are left out and counted.

    Args:
        path: text as of ``tsv.blocks``.
        field: a key of ``COLUMNS``, or ``feats.Case`` and ``misc.NER`` for one entry of a list.
        distinct: whether sentences that stand again become one, of the sum of their weights.

    Raises:
        DataError: with file and line, if it is no such file; if no word has the field.
    """
    parts = [_words(block, field) for block in tsv.blocks(path, EXPECTED)]
    numbers, lines = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    jumps = np.flatnonzero((numbers != 1) & (numbers != np.append(0, numbers[:-1]) + 1))
    for jump in jumps[:1].tolist():
        expected = f"word {numbers[jump - 1] + 1} or 1" if jump else "word 1"
        raise DataError(f"{path}, line {lines[jump]}: expected {expected}, found {numbers[jump]}")
    counts = np.diff(np.append(np.flatnonzero(numbers == 1), len(numbers)))
    words, tags = (pa.concat_arrays([part[place] for part in parts]) for place in (2, 3))
    forms = sentences.joined(words, counts)
    starts = np.cumsum(counts) - counts
    tagged = pc.not_equal(tags, sentences.NONE).to_numpy(zero_copy_only=False)
    none = np.add.reduceat(tagged, starts) == 0 if len(starts) else np.zeros(0, bool)
    faults = {LONG: pc.utf8_length(forms).to_numpy() > sentences.LONGEST, f"no word with {field}": none}
    labels = label_sets.escaped(pa.chunked_array([sentences.joined(tags, counts)]))
    null = pa.nulls(len(forms), pa.string())
    every = pa.table([null, forms, null, labels, pa.nulls(len(forms), pa.float32())], schema=tables.LABELLED)
    table = every.filter(pa.array(~np.any([*faults.values()], axis=0)))
    if not len(table):
        raise DataError(f"{path}: none of the {len(every):,} sentences has a word with {field}")
    kept = selection.merged(table, ["form", "label"]) if distinct else table
    dropped = {reason: int(fault.sum()) for reason, fault in faults.items() if fault.any()}
    examples = {
        reason: [text[:80] for text in forms.filter(pa.array(faults[reason]))[:EXAMPLES].to_pylist()]
        for reason in dropped
    }
    return Selection(kept, len(every), len(table) - len(kept), {}, dropped, examples)


def _words(block: tsv.Block, field: str) -> tuple[np.ndarray, np.ndarray, pa.Array, pa.Array]:
    """The numbers, lines, forms and tags of the words of a block."""
    name, _, key = field.partition(".")
    comment = pc.starts_with(pc.list_element(block.cells, 0), "#").to_numpy(zero_copy_only=False)
    lines, cells = block.lines[~comment], block.cells.filter(pa.array(~comment))
    rows = tsv.Block(block.path, block.expected, lines, cells)
    rows.check(WIDTH, WIDTH)
    ids, forms, tags = (rows.column(place) for place in (0, 1, COLUMNS[name]))
    for fault, texts in ((pc.invert(pc.match_substring_regex(ids, ID)), ids), (pc.equal(forms, ""), forms)):
        for row in np.flatnonzero(fault.to_numpy(zero_copy_only=False))[:1].tolist():
            raise rows.error(row, f"{'the ID' if texts is ids else 'the form'} {texts[row].as_py()!r}")
    if key:
        entry = pc.extract_regex(tags, rf"(?:^|\|){re.escape(key)}=(?P<value>[^|]+)")
        tags = pc.struct_field(entry, "value")
    is_word = pc.match_substring_regex(ids, "^[0-9]+$")
    # A word may hold a space, as in Vietnamese; here spaces stand between words.
    texts = (pc.replace_substring_regex(column.filter(is_word), r"\s+", "\u00a0") for column in (forms, tags))
    words, values = texts
    numbers = ids.filter(is_word).cast(pa.int64()).to_numpy()
    lines = rows.lines[is_word.to_numpy(zero_copy_only=False)]
    return numbers, lines, words, pc.if_else(pc.equal(values, ""), None, values).fill_null(sentences.NONE)
