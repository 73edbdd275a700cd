"""What the trainings of a task start from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from esetrag.core import config, tables
from esetrag.core.layout import Layout
from esetrag.models.lemma_prior.decomposition import Decomposition
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary


@dataclass(frozen=True)
class Data:
    """Encoded rows, and the training rows as they are."""

    train: Encoded
    dev: Encoded
    vocabulary: Vocabulary
    rows: pa.Table
    """Of training (``tables.SAMPLE``)."""

    @cached_property
    def split(self) -> Decomposition | None:
        """The rows of training as stem and ending, in characters (``Vocabulary.spelling``).

        None of pairs, without lemmas, and where symbols are words.
        """
        return None if self.vocabulary.reads_pairs else Decomposition.of(self.rows, self.vocabulary)

    @classmethod
    def of(cls, train: pa.Table, dev: pa.Table, build: config.BuildVocab, shape: config.EncodePad) -> Data:
        """Makes it from sampled rows (``tables.SAMPLE``), as the stages do from file to file."""
        rows = [(train["form"].to_pylist(), train["label"].unique().to_pylist())]
        vocabulary = Vocabulary.of_batches(rows, build.min_count, build.unit, build.merges)
        width = encoding.width_of(train["form"], shape.max_symbols)
        encoded, held_out = (
            encoding.encode_rows(part, vocabulary, width, shape.keep) for part in (train, dev)
        )
        return cls(encoded, held_out, vocabulary, train)

    def encode(self, rows: pa.Table) -> Encoded:
        """Encodes further rows as those of training."""
        return encoding.encode_rows(rows, self.vocabulary, self.train.ids.shape[1], self.train.keep)

    @classmethod
    def read(cls, layout: Layout) -> Data:
        """Reads what the stages before have made.

        Raises:
            DataError: if it is not there or damaged.
        """
        vocabulary = Vocabulary.read(layout.vocab)
        train, dev = (encoding.read(layout.encoded(part), vocabulary) for part in ("train", "dev"))
        rows = tables.read(layout.sample("train"), tables.SAMPLE)
        return cls(train, dev, vocabulary, rows)
