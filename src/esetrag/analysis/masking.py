"""How much of a form a model needs: its accuracy when symbols are hidden."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from esetrag.models.blend import Blend
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import PAD

LONGEST = 8
"""Symbols at the end that are hidden, or left, at the most."""
ROWS = 1000
"""Forms of the sample: enough to see a point of accuracy."""
STREAM = 41
"""Of the generator that draws them."""


def curve(
    network: Blend, encoded: Encoded, letters: int, seed: int, most: int = ROWS, mark: int = PAD
) -> pd.DataFrame:
    """Accuracy without the last k symbols of a form, and with nothing but them.

    A hidden symbol becomes PAD; BOS, EOS and the length stay. PAD has no effect on any model: its embedding
    is zero, and no n-gram holds it. A form that is cut short would be another word (*házban* without its
    last letter is *házba*), and UNK may stand for rare letters (``build_vocab.min_count``).

    Args:
        network: of the model, on the CPU.
        encoded: test rows.
        letters: ids of letters; those behind are values of features, which are never hidden.
        seed: of the sample.
        most: forms of the sample.
        mark: a symbol that is never hidden either.

    Returns:
        ``symbols`` (k = 0 … ``LONGEST``), ``without_last``, ``only_last``, ``forms`` (of the sample).
    """
    rows = np.arange(len(encoded))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng([seed, STREAM]).choice(rows, most, replace=False))
    ids, lengths = encoded.ids[rows], encoded.lengths[rows].astype(np.int64)
    place = np.arange(ids.shape[1])
    from_end = lengths[:, None] - 1 - place  # 1 is the last symbol before EOS
    inside = (place >= 1) & (from_end >= 1) & (ids < letters) & (ids != mark)
    counts = range(LONGEST + 1)
    hidden = [inside & (from_end <= k) for k in counts] + [inside & (from_end > k) for k in counts]
    variants = np.concatenate([np.where(hide, PAD, ids).astype(ids.dtype) for hide in hidden])
    targets = np.tile(encoded.targets[rows], (len(hidden), 1))
    repeated = np.tile(encoded.lengths[rows], len(hidden)).astype(np.uint16)
    masked = Encoded(variants, repeated, targets, np.ones(len(repeated), np.float32))
    logits, true = network.ranked(Batch.of(masked, torch.device("cpu")))
    right = true.gather(1, logits.argmax(1, keepdim=True))
    correct = right.numpy().reshape(len(hidden), len(rows))
    without, only = np.split(correct.mean(1), 2)
    columns = {"symbols": list(counts), "without_last": without, "only_last": only, "forms": len(rows)}
    return pd.DataFrame(columns)
