"""Accuracy by what training has of a row: its lemma, its bundle, both or neither (Goldman et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import features
from esetrag.data import label_sets
from esetrag.scoring.ratios import Ratio
from esetrag.symbols.vocabulary import Vocabulary

EXAMPLES = 5


def table(
    train: pa.Table, predictions: pa.Table, vocabulary: Vocabulary, scores: Mapping[str, Ratio] | None = None
) -> pd.DataFrame:
    """Accuracy on the parts of the test set.

    Args:
        train: training rows.
        predictions: test rows with what was ``predicted``.
        vocabulary: for the values of features that training has.
        scores: of all rows, to stand beside the accuracy.

    Returns:
        set, forms, accuracy, names of the scores, examples (of errors); sets without forms are left out.
    """
    correct = label_sets.correct(predictions["label"], predictions["predicted"])
    # Without lemmas the word that is given stands for them.
    lemma = ~_seen(train["lemma"], predictions["lemma"]) if not train["lemma"].null_count else None
    word = ~_seen(train["form"], predictions["form"]) if lemma is None else lemma
    name = "word" if lemma is None else "lemma"
    sets = {f"seen {name}": ~word, f"new {name}": word}
    if vocabulary.features:
        bundle = ~_seen(train["features"], predictions["features"])
        known = {*vocabulary.features}
        value = np.array(
            [
                not known.issuperset(features.all_tags(bundle or ""))
                for bundle in predictions["features"].to_pylist()
            ],
            dtype=bool,
        )
        sets = {
            f"seen {name}, seen bundle": ~word & ~bundle,
            f"new {name}, seen bundle": word & ~bundle,
            f"seen {name}, new bundle": ~word & bundle,
            f"new {name}, new bundle": word & bundle,
            "value of a feature not in training": value,
        }
    if not vocabulary.words:  # whose label is another word
        unchanged = pc.equal(predictions["form"], predictions["predicted"]).to_numpy(zero_copy_only=False)
        sets["predicted: the word as it is"] = unchanged
    lines = []
    for title, rows in sets.items():
        if rows.any():
            errors = predictions.filter(pa.array(rows & ~correct)).slice(0, EXAMPLES).to_pylist()
            shown = ", ".join(f"{row['form']} (→ {row['label']}, not {row['predicted']})" for row in errors)
            more = [Ratio(s.numerator[rows], s.denominator[rows]).value for s in (scores or {}).values()]
            lines.append((title, int(rows.sum()), float(correct[rows].mean()), *more, shown))
    return pd.DataFrame(lines, columns=["set", "forms", "accuracy", *(scores or {}), "examples"])


def _seen(train: pa.ChunkedArray, test: pa.ChunkedArray) -> label_sets.Bools:
    seen: label_sets.Bools = pc.is_in(test, pc.unique(train)).to_numpy(zero_copy_only=False)
    return seen
