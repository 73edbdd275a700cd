"""A model that writes applied to new words: inflected, lemmatised or transcribed, with probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from esetrag import predict
from esetrag.core import text
from esetrag.core.errors import DataError
from esetrag.data import change
from esetrag.models import checkpoint
from esetrag.models.transducer import Transducer
from esetrag.predict import predictor
from esetrag.predict.prediction import Prediction
from esetrag.predict.predictor import NO_LETTER, column, composed
from esetrag.predict.queries import SEPARATOR, check
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.tasks.transduce import with_features
from esetrag.tasks.transduce_evaluation import Ranked

CPU = torch.device("cpu")
BATCH = 1024
"""Words that are written at once."""


@dataclass(frozen=True)
class SequencePredictor:
    r"""Writes a word for a word, on the CPU. A query is a word, or ``word<TAB>features`` to inflect.

    >>> SequencePredictor.load(Path("data/hun-inflect/model")).predict(["ház\tN;IN+ABL;SG"])  # doctest: +SKIP
    [Prediction(form='ház', labels=('házból',), probabilities=(0.99,), …, features='N;IN+ABL;SG')]
    """

    checkpoint: checkpoint.Checkpoint
    kind: ClassVar[str] = "transduce"
    """Of the tasks whose models it applies."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Loads a checkpoint.

        Raises:
            CheckpointError: if it is missing, damaged, or of a model of another kind.
        """
        return cls(predict.load(folder, cls.kind).checkpoint)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """As many as there can be outputs of a word; what they are depends on the word."""
        network = self.checkpoint.network
        return tuple(map(str, range(network.most))) if isinstance(network, Transducer) else ()

    @property
    def separated(self) -> bool:
        """Whether features are behind a tab."""
        return bool(self.bundles)

    @property
    def bundles(self) -> tuple[str, ...]:
        """The bundles of features that training had, sorted; none to lemmatise."""
        return self.checkpoint.vocabulary.bundles

    def predict(self, forms: Sequence[str], top_k: int = 1) -> list[Prediction]:
        """Writes words for words.

        Args:
            forms: queries; brought to NFC first. Punctuation and invisible characters at an end of a word
                that no training word had there are left out.
            top_k: outputs a word; all if there are fewer.

        Raises:
            DataError: if a query is not text, has no features where they are needed, or unknown values.
            ParamsError: if ``top_k`` is less than 1.
        """
        return self._predictions(forms, self.predict_table(column(forms), top_k))

    def _predictions(self, forms: Sequence[str], table: pa.Table) -> list[Prediction]:
        """What a table of predictions (``predict_table``) says of the queries that it was made of."""
        names = [name for name in table.column_names if name.startswith("label") and name != "label_set"]
        found = []
        asked = [query.partition(SEPARATOR) for query in forms]
        known = self._have_letters(composed(column([form for form, *_ in asked]))[0])
        for (form, _, bundle), has_letter, row in zip(asked, known, table.to_pylist(), strict=True):
            ranks = [(row[name], row[name.replace("label", "probability")]) for name in names if row[name]]
            labels, shares = zip(*ranks, strict=True) if ranks else (("",), (0.0,))
            note = "" if has_letter else NO_LETTER
            found.append(
                Prediction(form, labels, shares, row["unknown"], row["label_set"], note, features=bundle)
            )
        return found

    def _have_letters(self, words: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Whether each word has a letter that training has."""
        ids, counts = encoding.segmented(words, self.checkpoint.vocabulary)
        rows = np.repeat(np.arange(len(words)), counts)[self._is_letter[ids]]
        return np.isin(np.arange(len(words)), rows)

    @cached_property
    def _is_letter(self) -> npt.NDArray[np.bool_]:
        return predictor.letters(self.checkpoint.vocabulary)

    def predict_table(self, forms: pa.Array | pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        """Writes words for many words.

        Args:
            forms: (rows,) queries, texts of any of Arrow's types, without nulls; as ``predict`` takes them.
            top_k: outputs a word; "" where there are fewer.

        Returns:
            As many rows: ``label``, ``probability``, ``label_2``, ``probability_2`` and so on, the
            most probable first; ``label_set``; ``unknown``.

        Raises:
            DataError: as ``predict``.
            ParamsError: if ``top_k`` is less than 1.
        """
        predictor.check_top_k(top_k)
        schema = predictor.schema(min(top_k, len(self.labels)))
        queries = column(forms)
        parts = [queries.slice(start, BATCH) for start in range(0, len(queries), BATCH)]
        return pa.concat_tables([schema.empty_table(), *(self._batch(part, top_k, schema) for part in parts)])

    def _batch(self, queries: pa.ChunkedArray, top_k: int, schema: pa.Schema) -> pa.Table:
        vocabulary = self.checkpoint.vocabulary
        queries, _ = composed(queries)
        words, bundles = self._split(queries)
        texts = with_features(words, bundles, vocabulary)
        ids, lengths = encoding.encode(texts, vocabulary, encoding.width_of(texts, None), "end")
        encoded = Encoded.unlabelled(ids, lengths, 1)
        fitted = self.checkpoint.calibration
        batch, network = Batch.of(encoded, CPU), self.checkpoint.network
        ranked = Ranked.of(network, fitted, batch, change.words(words), vocabulary)
        columns: list[pa.Array] = []
        for rank in range(min(top_k, len(self.labels))):
            there = rank < ranked.words.shape[1]
            made = ranked.words[:, rank] if there else np.full(len(words), "")
            shares = ranked.shares[:, rank] if there else np.zeros(len(words))
            columns += [pa.array(made, pa.string()), pa.array(shares, pa.float32())]
        pairs = zip(ranked.chosen, self._have_letters(words), strict=True)
        sets = [chosen if has_letter else "" for chosen, has_letter in pairs]
        asked = [query.partition(SEPARATOR)[0].strip() for query in queries.to_pylist()]
        unknown = [text.visible(vocabulary.unknown(word)) for word in asked]
        columns += [pa.array(sets, pa.string()), pa.array(unknown, pa.string())]
        return pa.Table.from_arrays(columns, schema=schema)

    def _split(self, queries: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """Words and bundles of queries."""
        vocabulary = self.checkpoint.vocabulary
        pairs = [query.split(SEPARATOR) for query in queries.to_pylist()]
        bundles: list[str | None] = [pair[1] if len(pair) > 1 else None for pair in pairs]
        if vocabulary.features:
            for word, *behind in pairs:
                if len(behind) != 1 or not behind[0].strip():
                    such, found = f"such as {self.bundles[0]}", SEPARATOR.join(behind).strip() or "none"
                    expected = f"expected features behind the word and a tab, {such}"
                    raise DataError(f"{word}: {expected}, found {found}")
            check(filter(None, bundles), {*vocabulary.features})
        words = predictor.bare(column([pair[0] for pair in pairs]), vocabulary)
        return words, pa.chunked_array([pa.array(bundles, pa.string())])
