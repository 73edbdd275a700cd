"""What a model looked at for one word: the contribution of each letter, or the weights of attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch

from esetrag.analysis import attention, attribution
from esetrag.core import text
from esetrag.predict.predictor import CPU, Predictor, bare, column
from esetrag.predict.queries import SEPARATOR
from esetrag.predict.sequence_predictor import SequencePredictor
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.tasks.transduce import with_features


def explain(predictor: Predictor | SequencePredictor, query: str) -> dict[str, Any]:
    """As JSON: ``letters`` of a classifier; ``read``, ``written`` and ``weights`` of attention; or nothing.

    Args:
        predictor: the model.
        query: a word, with features after a tab where the model needs them.

    Raises:
        DataError: as ``predict`` of the model.
    """
    known = predictor.checkpoint
    whole, _, bundle = text.compose(query).partition(SEPARATOR)
    word = bare(column([whole]), known.vocabulary)[0].as_py()  # what is predicted
    if not word:
        return {}
    if type(predictor) is Predictor:
        return _contributions(predictor, word, whole)
    if not isinstance(predictor, SequencePredictor) or known.vocabulary.writes_tags:
        return {}
    top = predictor.predict([query])[0].labels[0]
    texts = with_features(column([word]), column([bundle]), known.vocabulary)
    ids, lengths = encoding.encode(texts, known.vocabulary, encoding.width_of(texts, None), "end")
    row = pa.table({"form": [word], "features": [bundle], "label": [""], "predicted": [top]})
    encoded = Encoded.unlabelled(ids, lengths, 1)
    rows = attention.table(known.network, encoded, row, known.vocabulary, 0).to_pylist()  # type: ignore[arg-type]
    if not rows:
        return {}
    read, written = rows[0]["read"], rows[0]["written"]
    weights = np.array(rows[0]["weights"]).reshape(len(written), len(read)).round(3).tolist()
    return {"read": read, "written": written, "weights": weights}


def _contributions(predictor: Predictor, word: str, whole: str) -> dict[str, Any]:
    """Each letter with what it adds to the top label's logit, against that of the second.

    Those of the ``whole`` that surround the ``word`` add nothing.
    """
    vocabulary, shape = predictor.checkpoint.vocabulary, predictor.checkpoint.manifest.encoding
    ids, lengths = encoding.encode(column([word]), vocabulary, shape.width, shape.keep)
    encoded = Encoded.unlabelled(ids, lengths, len(predictor.labels))
    order = np.argsort(-predictor.probabilities(encoded)[0], kind="stable")
    label, against = (torch.from_numpy(order[[rank]]) for rank in (0, min(1, len(order) - 1)))
    scores, _ = predictor.checkpoint.network.attribute(Batch.of(encoded, CPU)[:], label, against)
    inner = slice(1, int(lengths[0]) - 1)
    shares = attribution.letters_of(scores[0].numpy()[inner], ids[0][inner], word, vocabulary, shape.keep)
    before = whole.find(word)
    padded = np.pad(shares, (before, len(whole) - len(word) - before)).tolist()
    letters = [[letter, round(share, 3)] for letter, share in zip(whole, padded, strict=True)]
    names = predictor.labels
    return {"letters": letters, "label": names[int(label[0])], "against": names[int(against[0])]}
