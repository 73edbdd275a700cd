"""Where the decoder looks: the weights of attention for some words, right and wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch
from torch.nn import functional

from esetrag.core import tables
from esetrag.data import edits, label_sets
from esetrag.models.seq2seq import Seq2seq
from esetrag.models.transducer import Transducer
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import PAD, Vocabulary

ROWS = 10
"""Words that are shown: half of them right, half of them wrong, as far as there are so many."""
STREAM = 43
"""Of the generator that draws them."""


def table(
    network: Transducer, encoded: Encoded, predictions: pa.Table, vocabulary: Vocabulary, seed: int
) -> pa.Table:
    """The weights of attention while the network writes what it predicts (``tables.ATTENTION``).

    Args:
        network: on the CPU.
        encoded: test rows.
        predictions: of the same rows.
        vocabulary: of input and output.
        seed: of the draw.
    """
    correct = label_sets.correct(predictions["label"], predictions["predicted"])
    drawn = np.random.default_rng([seed, STREAM]).permutation(len(correct))
    wrong, fine = drawn[~correct[drawn]][: ROWS // 2], drawn[correct[drawn]]
    rows = np.concatenate([wrong, fine[: ROWS - len(wrong)]])
    writer = network.networks[0]
    if not len(rows) or not isinstance(writer, Seq2seq):
        return tables.ATTENTION.empty_table()
    source = Batch.of(encoded, torch.device("cpu"))[torch.from_numpy(rows)].source
    candidates = network.candidates(source)
    best = network.logits(candidates).argmax(1)
    target = candidates.ids[torch.arange(len(rows)), best]
    with torch.inference_mode():
        weights = writer.attended(
            Batch(source, functional.pad(target, (0, 1), value=PAD), torch.ones(len(rows)))
        )
    outputs = [edits.name_of(symbol) if len(symbol) == 1 else symbol for symbol in vocabulary.output.symbols]
    chosen = predictions.take(pa.array(rows))
    read, written, flat = [], [], []
    for ids, output, shares in zip(source.ids, target, weights, strict=True):
        letters = (ids != PAD) & (ids < len(vocabulary.symbols))  # values of features are not attended to
        read.append([vocabulary.symbols[i] for i in ids[letters].tolist()])
        written.append([outputs[i] for i in output[output != PAD].tolist()])
        flat.append(shares[: len(written[-1]), : len(read[-1])].flatten().tolist())
    columns = [*(chosen[name] for name in ("form", "features", "label", "predicted")), read, written, flat]
    return pa.table(columns, schema=tables.ATTENTION)
