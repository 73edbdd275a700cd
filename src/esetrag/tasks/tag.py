"""The kind ``tag``: a tag for each letter of a word, which say what its segments are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config
from esetrag.data import label_sets, segments
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import SPECIAL, UNK, Vocabulary, edges_of, ends_of


@dataclass(frozen=True)
class Tag:
    """See ``base.Task``. A row's label is a segmentation (``data.segments``)."""

    entry: config.TagTask | None = None
    cuts: bool = False

    def vocabulary(self, batches: Iterable[pa.Table], options: config.BuildVocab) -> Vocabulary:
        """The letters that are read, and the tags."""
        letters, tags, ends = Counter[str](), set[str](), set[tuple[str, str]]()
        for rows in batches:
            words = rows["form"].to_pylist()
            letters.update("".join(words))
            ends |= ends_of(words)
            found, _ = segments.tags(rows["form"], label_sets.first(rows["label"]))
            tags.update(pc.unique(found).to_pylist())
        kept = sorted(letter for letter, count in letters.items() if count >= options.min_count)
        return Vocabulary((*SPECIAL, *kept), tuple(sorted(tags)), edges=edges_of(ends))

    def texts(self, rows: pa.Table, vocabulary: Vocabulary) -> pa.ChunkedArray:  # noqa: ARG002
        """The words."""
        return rows["form"]

    def encode(
        self,
        rows: pa.Table,
        vocabulary: Vocabulary,
        width: int,
        keep: Keep,
        steps: int = 0,  # noqa: ARG002
    ) -> Encoded:
        """Letters and their tags as ids, EOS behind; of several segmentations training shows the first."""
        ids, lengths = encoding.encode(rows["form"], vocabulary, width, keep)
        tags, counts = segments.tags(rows["form"], label_sets.first(rows["label"]))
        place = pc.index_in(tags, value_set=pa.array(vocabulary.labels, pa.string()))
        numbers = pc.fill_null(pc.add(place, len(SPECIAL)), UNK).to_numpy().astype(np.uint16)
        targets, _ = encoding.padded(numbers, counts, width, keep)
        weights = rows["weight"].to_numpy()
        return Encoded(ids, lengths, np.ascontiguousarray(targets[:, 1:]), weights, keep)

    def unseen(self, rows: pa.Table, vocabulary: Vocabulary) -> Mapping[str, int]:
        """Letters with a tag that training does not have."""
        tags, _ = segments.tags(rows["form"], label_sets.first(rows["label"]))
        counts = {each["values"]: each["counts"] for each in pc.value_counts(tags).to_pylist()}
        return {tag: count for tag, count in counts.items() if tag not in {*vocabulary.labels}}
