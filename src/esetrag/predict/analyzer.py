"""What words are: all bundles of features that a word can have, each feature by itself, and its lemma."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pyarrow as pa

from esetrag import predict
from esetrag.predict.prediction import Prediction
from esetrag.predict.predictor import Predictor
from esetrag.predict.sequence_predictor import SequencePredictor

MOST_BUNDLES = 10
"""Bundles of a word, unless another number is asked for."""
LEAST_PROBABLE = 0.01
"""Bundles and values that are less probable than this and than another are left out."""


@dataclass(frozen=True)
class Analyzer(Predictor):
    """Predicts bundles, on the CPU, and lemmas if it has a model that lemmatises.

    >>> Analyzer.of(Path("data/hun-noun-bundle/model")).predict(["asztaloknál"])  # doctest: +SKIP
    [Prediction(form='asztaloknál', labels=('AT+ESS;PL',), …, by_feature={'Case': {'AT+ESS': 0.99}, …})]
    """

    lemmas: SequencePredictor | None = None

    @classmethod
    def of(cls, folder: Path, lemmas: Path | None = None) -> Self:
        """Loads the checkpoint of a task of several features, and that of one that lemmatises.

        Raises:
            CheckpointError: if one is missing, damaged, or of a model of another kind.
        """
        known = predict.load(folder, cls.kind).checkpoint
        return cls(known, lemmas=SequencePredictor.load(lemmas) if lemmas else None)

    def predict(self, forms: Sequence[str], top_k: int = MOST_BUNDLES) -> list[Prediction]:
        """As ``Predictor.predict``, without what is improbable."""
        made = []
        for answer in super().predict(forms, top_k):
            pairs = zip(answer.labels, answer.probabilities, strict=True)
            labels, shares = zip(*_probable(dict(pairs)).items(), strict=True)
            by_feature = {name: _probable(values) for name, values in answer.by_feature.items()}
            made.append(replace(answer, labels=labels, probabilities=shares, by_feature=by_feature))
        if self.lemmas is None:
            return made
        lemmas = self.lemmas.predict(forms)
        return [
            replace(answer, lemma=lemma.labels[0], lemma_probability=round(lemma.probabilities[0], 4))
            for answer, lemma in zip(made, lemmas, strict=True)
        ]

    def predict_table(self, forms: pa.Array | pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        """As ``Predictor.predict_table``; if it lemmatises, ``lemma`` and ``lemma_probability``, too."""
        table = super().predict_table(forms, top_k)
        if self.lemmas is None:
            return table
        lemma, share = self.lemmas.predict_table(forms).columns[:2]
        return table.append_column("lemma", lemma).append_column("lemma_probability", share)


def _probable(ranked: Mapping[str, float]) -> dict[str, float]:
    """The first of ranked names, and the others that are probable."""
    first, *others = ranked.items()
    return dict([first, *(pair for pair in others if pair[1] >= LEAST_PROBABLE)])
