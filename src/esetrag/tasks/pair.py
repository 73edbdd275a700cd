"""The kind ``pair``: a label for two texts, which are one text with a separator (``data.pairs``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config, features
from esetrag.data.pairs import SEPARATOR, with_bundles
from esetrag.symbols.vocabulary import SPECIAL, Vocabulary
from esetrag.tasks import pair_baselines
from esetrag.tasks.baselines import Trained
from esetrag.tasks.classify import Classify
from esetrag.tasks.transduce import with_features


@dataclass(frozen=True)
class Pair(Classify):
    """See ``base.Task``. A row's ``form`` is the pair; its features are read before the first text."""

    entry: config.PairTask | None = None
    cuts: bool = False

    def vocabulary(self, batches: Iterable[pa.Table], options: config.BuildVocab) -> Vocabulary:
        """As of ``Classify``, of the two texts; with the separator, and the values of the features."""
        is_valid = isinstance(self.entry, config.BuiltPairsTask) and self.entry.builder == "valid"
        unit = "char" if is_valid else options.unit  # features stand before letters
        bundles = set[str]()

        def texts() -> Iterator[tuple[list[str], list[str]]]:
            for rows in batches:
                bundles.update(pc.unique(rows["features"]).drop_null().to_pylist())
                split = str.split if unit == "word" else lambda pair: pair.split(SEPARATOR)
                parts = [text for pair in rows["form"].to_pylist() for text in split(pair)]
                yield parts, rows["label"].unique().to_pylist()

        made = Vocabulary.of_batches(texts(), options.min_count, unit, options.merges)
        symbols = (*SPECIAL, *sorted({*made.symbols[len(SPECIAL) :], SEPARATOR}))
        values = sorted({value for bundle in bundles for value in features.all_tags(bundle)})
        return replace(made, symbols=symbols, features=tuple(values), bundles=tuple(sorted(bundles)))

    def texts(self, rows: pa.Table, vocabulary: Vocabulary) -> pa.ChunkedArray:
        """The values of the features, each as one symbol, then the pair."""
        return with_features(rows["form"], rows["features"], vocabulary)

    def asked(self, rows: pa.Table) -> pa.ChunkedArray:
        """Pairs with the bundle behind them, ``first<TAB>second<TAB>features``."""
        return with_bundles(rows)

    def baselines(self, rows: pa.Table, labels: Sequence[str], suffix_length: int) -> Trained:  # noqa: ARG002
        """See ``pair_baselines``."""
        return pair_baselines.train(rows, labels)
