"""A model that tags words applied to new sentences, each word with its tag and probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import text
from esetrag.core.errors import DataError
from esetrag.data import label_sets, sentences
from esetrag.predict.prediction import Prediction
from esetrag.predict.predictor import CPU, Predictor, check_top_k, column, composed
from esetrag.scoring import calibration
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import UNK
from esetrag.tasks.tag_words import marked

AT_ONCE = 512
"""Sentences that are tagged at once."""
COLUMNS = pa.schema(
    [
        *(("label", pa.string()), ("probability", pa.float32()), ("label_set", pa.string())),
        *(("unknown", pa.string()), ("tag_probabilities", pa.list_(pa.float32()))),
    ]
)


class SentencePredictor(Predictor):
    """Tags the words of sentences, on the CPU. Spaces stand between words; marks are words.

    >>> SentencePredictor.load(Path("data/isl-pos/model")).predict(["Ég á hest ."])  # doctest: +SKIP
    [Prediction(form='Ég á hest .', labels=('PRON VERB NOUN PUNCT',), …, words=('Ég', …), tags=('PRON', …))]
    """

    kind = "tag_words"

    @property
    def labels(self) -> tuple[str, ...]:
        """One: what it is depends on the sentence."""
        return ("",)

    def predict(self, forms: Sequence[str], top_k: int = 1) -> list[Prediction]:
        """As ``Predictor.predict``, of sentences; there is one sequence of tags for each."""
        found = []
        for form, row in zip(forms, self.predict_table(column(forms), top_k).to_pylist(), strict=True):
            answer = ((row["label"],), (row["probability"],), row["unknown"], row["label_set"])
            shares = tuple(round(share, 4) for share in row["tag_probabilities"])
            tags, words = (tuple(x.split(sentences.SPACE)) for x in (row["label"], sentences.cleaned(form)))
            found.append(Prediction(form, *answer, tags=tags, tag_probabilities=shares, words=words))
        return found

    def predict_table(self, forms: pa.Array | pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        """As ``Predictor.predict_table``, of sentences.

        Returns:
            As many rows: ``label``, the tags; ``probability`` of all of them; ``label_set``, the tags that
            each word may have, ``_`` where none is probable enough; ``unknown``; ``tag_probabilities``.

        Raises:
            DataError: if a sentence is longer than ``sentences.LONGEST``.
            ParamsError: if ``top_k`` is less than 1.
        """
        check_top_k(top_k)
        texts = column(forms)
        parts = [self._table(texts.slice(start, AT_ONCE)) for start in range(0, len(texts), AT_ONCE)]
        return pa.concat_tables([COLUMNS.empty_table(), *parts])

    def _table(self, forms: pa.ChunkedArray) -> pa.Table:
        vocabulary = self.checkpoint.vocabulary
        texts = column([sentences.cleaned(form) for form in composed(forms)[0].to_pylist()])
        if (longest := pc.max(pc.utf8_length(texts)).as_py()) > sentences.LONGEST:
            limit = f"{sentences.LONGEST:,} characters at most"
            raise DataError(f"expected a sentence of {limit}, found {longest:,}; is it one?")
        symbols = marked(texts, vocabulary)
        width = encoding.width_of(symbols, None)
        ids, lengths = encoding.encode(symbols, vocabulary, width, "end")
        _, counts = sentences.words(texts)
        asked = np.full((len(ids), int(counts.max())), UNK, np.uint16)
        batch = Batch.of(Encoded(ids, lengths, asked, np.ones(len(ids), np.float32)), CPU)
        logits = self.checkpoint.network.ranked(batch)[0].numpy()
        shares = calibration.probabilities(logits, "softmax", self.calibration).astype(np.float32)
        top = shares.max(1)
        names = pa.array(vocabulary.labels, pa.string())
        sets = calibration.sets(shares, self.calibration.ratio) & (top >= self.calibration.threshold)[:, None]
        listed = [names_of or sentences.NONE for names_of in label_sets.labels(sets, vocabulary.labels)]
        starts = np.cumsum(counts) - counts
        offsets = pa.array(np.append(starts, len(top)).astype(np.int32))
        return pa.table(
            [
                sentences.joined(names.take(pa.array(shares.argmax(1))), counts),
                np.multiply.reduceat(top, starts),
                sentences.joined(pa.array(listed, pa.string()), counts),
                [text.visible(vocabulary.unknown(each)) for each in texts.to_pylist()],
                pa.ListArray.from_arrays(offsets, pa.array(top)),
            ],
            schema=COLUMNS,
        )
