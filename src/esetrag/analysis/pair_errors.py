"""In what way pairs are misjudged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from esetrag.analysis.seen_in_training import SeenInTraining
from esetrag.data import label_sets
from esetrag.data.pairs import differing_endings, with_bundles

KINDS = {
    "unknown symbol": "has a symbol that no training pair has",
    "new difference": "differs as no training pair of the same features does",
    "misleading difference": "differs as training pairs do that mostly have the predicted label",
    "other": "none of these",
}
"""Kind and what is true of its pairs; an error is of the first kind that fits."""


def kinds(errors: pd.DataFrame, seen: SeenInTraining) -> list[str]:
    """The kind of each error, keys of ``KINDS``."""
    if errors.empty:
        return []
    train = seen.parts["train"].to_pandas()
    known = pd.DataFrame({"difference": _differences(train), "label": train["label"].map(label_sets.values)})
    counts = known.explode("label").groupby(["difference", "label"]).size()
    every = counts.groupby("difference").sum()
    differences = _differences(errors)
    total = every.reindex(differences, fill_value=0).to_numpy()
    pairs = pd.MultiIndex.from_arrays([differences, errors["predicted"]])
    misled = 2 * counts.reindex(pairs, fill_value=0).to_numpy() > total
    fits = [(errors["unknown"] != "").to_numpy(), total == 0, misled]
    names: list[str] = np.select(fits, list(KINDS)[:3], "other").tolist()
    return names


def _differences(rows: pd.DataFrame) -> list[str]:
    """What is left of both texts behind their shared beginning, with the features."""
    texts = pa.table({name: pa.array(rows[name], pa.string()) for name in ("form", "features")})
    differences: list[str] = differing_endings(with_bundles(texts))[0].to_pylist()
    return differences
