"""What the trainings of a task start from."""

from __future__ import annotations

from dataclasses import dataclass

from esetrag.core import tables
from esetrag.core.layout import Layout
from esetrag.models.lemma_prior.decomposition import Decomposition
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary


@dataclass(frozen=True)
class Data:
    """Encoded rows, and the training rows split into stem and ending."""

    train: Encoded
    dev: Encoded
    vocabulary: Vocabulary
    split: Decomposition | None
    """None where there are no lemmas, or no parts of words."""

    @classmethod
    def read(cls, layout: Layout) -> Data:
        """Reads what the stages before have made.

        Raises:
            DataError: if it is not there or damaged.
        """
        vocabulary = Vocabulary.read(layout.vocab)
        train, dev = (encoding.read(layout.encoded(part), vocabulary) for part in ("train", "dev"))
        rows = tables.read(layout.sample("train"), tables.SAMPLE)
        return cls(train, dev, vocabulary, Decomposition.of(rows, vocabulary))
