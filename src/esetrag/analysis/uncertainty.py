"""How sure a tagger is of the tag of each letter."""

from __future__ import annotations

from typing import cast

import numpy as np
import pyarrow as pa
import torch

from esetrag.core import tables
from esetrag.data import label_sets
from esetrag.models.blend import Blend
from esetrag.models.tagger import Tagger
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary

MOST, RIGHT = 1000, 20
"""Words that were tagged wrongly, and rightly, at the most."""
STREAM = 47
"""Of the generator that draws them."""


def tag_probabilities(network: Blend, words: pa.ChunkedArray, vocabulary: Vocabulary) -> list[list[float]]:
    """The probability of each letter's most probable tag, before calibration."""
    tagger = cast("Tagger", network.networks[0])
    ids, lengths = encoding.encode(words, vocabulary, encoding.width_of(words, None), "end")
    batch = Batch.of(Encoded.unlabelled(ids, lengths, 1), torch.device("cpu"))
    if not len(batch):
        return []
    shares = tagger.log_probabilities(batch[:].source).amax(2).exp()
    sizes = (batch.source.lengths - encoding.MARKS).tolist()
    return [row[:size] for row, size in zip(shares.tolist(), sizes, strict=True)]


def table(network: Blend, predictions: pa.Table, vocabulary: Vocabulary, seed: int) -> pa.Table:
    """The probabilities of the tags of words tagged wrongly, and of some others (``tables.TAGGED``)."""
    correct = label_sets.correct(predictions["label"], predictions["predicted"])
    drawn = np.random.default_rng([seed, STREAM]).permutation(len(correct))
    rows = np.concatenate([drawn[~correct[drawn]][:MOST], drawn[correct[drawn]][:RIGHT]])
    chosen = predictions.take(pa.array(rows))
    letters = tag_probabilities(network.eval(), chosen["form"], vocabulary)
    columns = [*(chosen[name] for name in ("form", "label", "predicted")), letters]
    return pa.table(columns, schema=tables.TAGGED)
