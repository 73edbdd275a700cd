"""Stress sets: test forms that are hard on purpose, made from the data by rule.

The label of each form is known by construction. How much lower the accuracy is than on the original forms
tells what the model relies on (Ribeiro et al. 2020, *Beyond Accuracy*, for behavioural tests by rule).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.analysis.endings import Endings, has_lemmas
from esetrag.analysis.nonce import invent
from esetrag.core import config, text
from esetrag.data import label_sets
from esetrag.tasks.baselines import longest_suffix

Predict = Callable[[pa.ChunkedArray], pa.Table]
"""Forms to a table with the predicted ``label``, as ``Predictor.predict_table``."""
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

EXAMPLES = 5
MARKS = {"full stop": ".", "comma": ",", "quotation mark": '"', "bracket": ")"}
"""Punctuation that a careless tokeniser leaves behind a word."""
SHARES = ["accuracy", "longest_suffix", "untouched"]
"""Accuracies of the model, of the longest-suffix baseline, and of the model on the untouched counterparts."""


@dataclass(frozen=True)
class Set:
    """Forms of one kind."""

    name: str
    forms: pa.ChunkedArray  # (n,)
    rows: Ints  # (n,) the test rows that they were made of, and whose labels they have
    counterparts: Ints
    """Test rows to compare with: the same, or for look-alikes the other citation forms."""


def sets(train: pa.Table, test: pa.Table, lemmas: pa.ChunkedArray, options: config.Evaluate) -> Iterator[Set]:
    """Makes the sets; without lemmas neither look-alikes nor invented stems.

    - look-alikes: test forms of the citation label that end like another label's forms.
    - invented stems: endings of test rows on stems that no table has (``nonce.invent``).
    - first letter, all letters capital; letters without their accents, as far as training has both; a
      punctuation mark behind the form. Forms that this leaves as they are do not count.

    Args:
        train: training rows.
        test: test rows.
        lemmas: all lemmas of the table, none of which is invented.
        options: ``seed``, and ``stress``, the forms of a set; fewer if there are no more.
    """
    forms = test["form"]
    if has_lemmas(train):
        endings = Endings(train)
        citation = np.array([label == endings.citation for label in test["label"].to_pylist()], dtype=bool)
        alike = endings.looks_inflected(forms)
        rows = _drawn(citation & alike, 0, options)
        yield Set("look-alikes", forms.take(pa.array(rows)), rows, np.flatnonzero(citation & ~alike))
        generator = np.random.default_rng([options.seed, 1])
        invented, rows = invent(train, test, lemmas, endings, options.stress, generator)
        yield Set("invented stems", invented, rows, rows)

    first, rest = pc.utf8_slice_codeunits(forms, 0, 1), pc.utf8_slice_codeunits(forms, 1)
    changed = {
        "first letter capital": pc.binary_join_element_wise(pc.utf8_upper(first), rest, ""),
        "all letters capital": pc.utf8_upper(forms),
        "accents missing": _without_accents(forms, train["form"]),
        **{f"trailing {name}": pc.binary_join_element_wise(forms, mark, "") for name, mark in MARKS.items()},
    }
    for number, (name, others) in enumerate(changed.items(), start=2):
        rows = _drawn(pc.not_equal(others, forms).to_numpy(), number, options)
        yield Set(name, others.take(pa.array(rows)), rows, rows)


def _drawn(wanted: Bools, number: int, options: config.Evaluate) -> Ints:
    """So many of the wanted rows, drawn by a generator of the set's own, in their order."""
    generator = np.random.default_rng([options.seed, number])
    return np.sort(generator.permutation(np.flatnonzero(wanted))[: options.stress])


def _without_accents(forms: pa.ChunkedArray, known: pa.ChunkedArray) -> pa.ChunkedArray:
    """The forms without the accents of letters that training has with and without them."""
    table = str.maketrans(text.unaccented("".join(pc.unique(known).to_pylist())))
    return pa.chunked_array([pa.array([form.translate(table) for form in forms.to_pylist()], pa.string())])


def examine(
    train: pa.Table,
    predictions: pa.Table,
    lemmas: pa.ChunkedArray,
    predict: Predict,
    options: config.Evaluate,
) -> pd.DataFrame:
    """Predicts the labels of the stress sets.

    Args:
        train: training rows.
        predictions: test rows with their label and ``predicted``.
        lemmas: all lemmas of the table.
        predict: the model.
        options: the suffix baseline, seed and size of the sets.

    Returns:
        set, forms, SHARES, examples (of errors); NaN where a set or its counterpart has no forms.
    """
    labels = tuple(label_sets.names(train["label"]))
    baseline = longest_suffix(train, labels, options.suffix_length)
    original = label_sets.correct(predictions["label"], predictions["predicted"])
    lines: list[dict[str, Any]] = []
    for made in sets(train, predictions, lemmas, options):
        true = predictions["label"].take(pa.array(made.rows))
        predicted = predict(made.forms)["label"]
        by_suffix = pa.array(labels).take(pa.array(baseline(made.forms).argmax(1)))
        correct = label_sets.correct(true, predicted)
        errors = pa.array(np.flatnonzero(~correct)[:EXAMPLES])
        examples = (column.take(errors).to_pylist() for column in (made.forms, true, predicted))
        lines.append(
            {
                "set": made.name,
                "forms": len(made.forms),
                "accuracy": _mean(correct),
                "longest_suffix": _mean(label_sets.correct(true, pa.chunked_array([by_suffix]))),
                "untouched": _mean(original[made.counterparts]),
                "examples": ", ".join(f"{x} ({y} → {z})" for x, y, z in zip(*examples, strict=True)),
            }
        )
    return pd.DataFrame(lines)


def _mean(correct: Bools) -> float:
    return float(correct.mean()) if len(correct) else float("nan")
