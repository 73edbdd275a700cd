"""A model of pairs applied to new ones: two texts in, labels with their probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from esetrag.core.errors import DataError
from esetrag.data.pairs import SEPARATOR
from esetrag.predict.prediction import Prediction
from esetrag.predict.predictor import Predictor, column, composed
from esetrag.predict.queries import check
from esetrag.symbols import encoding
from esetrag.tasks.transduce import with_features


class PairPredictor(Predictor):
    r"""Predicts the label of pairs, on the CPU. A query is ``first<TAB>second``, ``<TAB>features`` if needed.

    >>> PairPredictor.load(Path("data/hun-valid/model")).predict(["fa\tfaban\tN;IN+ESS;SG"])  # doctest: +SKIP
    [Prediction(form='fa\tfaban', labels=('wrong',), probabilities=(0.99,), …, features='N;IN+ESS;SG')]
    """

    kind = "pair"
    separated = True

    @property
    def bundles(self) -> tuple[str, ...]:
        """The bundles of features that training had, sorted."""
        return self.checkpoint.vocabulary.bundles

    def predict(self, forms: Sequence[str], top_k: int = 1) -> list[Prediction]:
        """As ``Predictor.predict``, of queries.

        Raises:
            DataError: also if a query has not two texts, or lacks features that are needed.
        """
        pairs, bundles = self._split(column(forms))
        answers = super().predict(
            with_features(pairs, bundles, self.checkpoint.vocabulary).to_pylist(), top_k
        )
        asked = zip(answers, pairs.to_pylist(), bundles.to_pylist(), strict=True)
        return [replace(answer, form=pair, features=bundle or "") for answer, pair, bundle in asked]

    def predict_table(self, forms: pa.Array | pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        """As ``Predictor.predict_table``, of queries; raises as ``predict``."""
        pairs, bundles = self._split(column(forms))
        return super().predict_table(with_features(pairs, bundles, self.checkpoint.vocabulary), top_k)

    def _width(self, forms: pa.ChunkedArray) -> int:
        """No text is cut: the other one would be lost."""
        return encoding.width_of(forms, None)

    def _split(self, queries: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """Pairs and bundles of queries."""
        count, known = 2 + bool(self.bundles), {*self.checkpoint.vocabulary.features}
        parts = [[text.strip() for text in query.split(SEPARATOR)] for query in queries.to_pylist()]
        for row, texts in enumerate(parts, 1):
            if len(texts) != count or not all(texts):
                names = ("two texts", "two texts and features")[count - 2]
                shown = SEPARATOR.join(texts)[:40]
                raise DataError(f"pair {row}: expected {names} with tabs between them, found {shown!r}")
        bundles = [texts[2] if count > 2 else None for texts in parts]
        check(filter(None, bundles), known)
        pairs = composed(column([SEPARATOR.join(texts[:2]) for texts in parts]))[0]
        return pairs, pa.chunked_array([pa.array(bundles, pa.string())])
