"""A model that tags letters applied to new words: words in segments, with probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from esetrag.analysis import uncertainty
from esetrag.data import segments
from esetrag.predict.prediction import Prediction
from esetrag.predict.predictor import column, composed
from esetrag.predict.sequence_predictor import SequencePredictor


class TagPredictor(SequencePredictor):
    """Splits words, on the CPU.

    >>> TagPredictor.load(Path("data/hun-segments/model")).predict(["házakból"])  # doctest: +SKIP
    [Prediction(form='házakból', labels=('ház|ak|ból',), …, names='stem number case', tags=('|stem:=', …))]
    """

    kind = "tag"

    def predict(self, forms: Sequence[str], top_k: int = 1) -> list[Prediction]:
        """As ``SequencePredictor.predict``; ``label_set`` has the segments with their names."""
        table = super().predict_table(column(forms), top_k)
        words, _ = self._split(composed(column(forms))[0])
        tags, counts = segments.tags(words, table["label"])
        letters = uncertainty.tag_probabilities(self.checkpoint.network, words, self.checkpoint.vocabulary)
        listed, place, made = tags.to_pylist(), 0, []
        answers = zip(self._predictions(forms, _shown(table)), counts.tolist(), letters, strict=True)
        for label, (answer, count, shares) in zip(table["label"].to_pylist(), answers, strict=True):
            own, place = tuple(listed[place : place + count]), place + count
            certain = tuple(round(share, 4) for share in shares)
            made.append(replace(answer, names=segments.named(label), tags=own, tag_probabilities=certain))
        return made

    def predict_table(self, forms: pa.Array | pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        """As ``SequencePredictor.predict_table``; ``names`` says what the segments of the first label are."""
        table = super().predict_table(forms, top_k)
        names = [segments.named(text) for text in table["label"].to_pylist()]
        return _shown(table).append_column("names", pa.array(names, pa.string()))


def _shown(table: pa.Table) -> pa.Table:
    """Predictions whose labels are segments without their names."""
    for place, name in enumerate(table.column_names):
        if name.startswith("label") and name != "label_set":
            texts = [segments.shown(text) for text in table[name].to_pylist()]
            table = table.set_column(place, name, pa.array(texts, pa.string()))
    return table
