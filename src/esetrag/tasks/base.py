"""What a kind of task does at each stage: words and tables on one side, tensors on the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from esetrag.core import config
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import Vocabulary

if TYPE_CHECKING:
    from esetrag.scoring.calibration import ModelOutput
    from esetrag.scoring.ratios import Ratio


class Task(Protocol):
    """The steps in which kinds of tasks differ; everything else is the same for all."""

    def vocabulary(self, batches: Iterable[pa.Table], options: config.BuildVocab) -> Vocabulary:
        """Symbols and labels of the training rows (``build_vocab``)."""

    def encode(self, rows: pa.Table, vocabulary: Vocabulary, width: int, keep: Keep) -> Encoded:
        """Rows as ids and targets (``encode_pad``)."""

    def predictions(self, rows: pa.Table, output: ModelOutput, labels: Sequence[str]) -> pa.Table:
        """Rows with what a model predicts for them (``evaluate``)."""

    def scores(self, rows: pa.Table, output: ModelOutput, labels: Sequence[str]) -> dict[str, Ratio]:
        """Every score as a ratio of sums over the rows (``evaluate``, ``compare``)."""
