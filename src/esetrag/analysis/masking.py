"""How much of a form a reader needs: its accuracy when symbols are hidden from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from esetrag.models.network import Network, score
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import PAD

MOST = 8
"""Symbols at the end that are hidden, or left, at the most."""
ROWS = 1000
"""Forms that are looked at, of more a sample: that tells a point of accuracy."""
CHANCE = 41
"""Number of the generator that draws them."""


def curve(network: Network, encoded: Encoded, seed: int) -> pd.DataFrame:
    """Accuracy without the last k symbols of a form, and with nothing but them.

    A hidden symbol is replaced by PAD, and BOS, EOS and the length stay. That means the same to all
    kinds of readers, namely nothing: the embedding of PAD is zero, and no n-gram that was learnt holds
    it. Cutting symbols off would not hide them but make another word (*házban* without its last
    letter is *házba*), and UNK may mean something: rare letters are learnt as UNK where
    ``build_vocab.min_count`` is more than 1.

    Args:
        network: of the reader, on the CPU.
        encoded: test rows.
        seed: of the sample.

    Returns:
        ``symbols`` (k = 0 … ``MOST``), ``without_last``, ``only_last``, ``forms`` (looked at).
    """
    some = np.arange(len(encoded))
    if len(some) > ROWS:
        some = np.sort(np.random.default_rng([seed, CHANCE]).choice(some, ROWS, replace=False))
    ids, lengths = encoded.ids[some], encoded.lengths[some].astype(np.int64)
    place = np.arange(ids.shape[1])
    from_end = lengths[:, None] - 1 - place  # 1 is the last symbol before EOS
    letter = (place >= 1) & (from_end >= 1)
    counts = range(MOST + 1)
    hidden = [letter & (from_end <= k) for k in counts] + [letter & (from_end > k) for k in counts]
    variants = np.concatenate([np.where(hide, PAD, ids).astype(ids.dtype) for hide in hidden])
    targets = np.tile(encoded.targets[some], (len(hidden), 1))
    rows = Encoded(
        variants, np.tile(encoded.lengths[some], len(hidden)), targets, np.ones(len(targets), np.float32)
    )
    read = score(network, Batch.of(rows, torch.device("cpu"))).argmax(1).numpy()
    right = np.take_along_axis(targets, read[:, None], axis=1)
    shares = right.reshape(len(hidden), len(some)).mean(1)
    return pd.DataFrame(
        {
            "symbols": list(counts),
            "without_last": shares[: MOST + 1],
            "only_last": shares[MOST + 1 :],
            "forms": len(some),
        }
    )
