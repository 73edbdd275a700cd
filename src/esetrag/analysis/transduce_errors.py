"""Which words were written wrongly, and in what way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from esetrag.analysis.error_analysis import Analysis, steps, summarised
from esetrag.core import features
from esetrag.data import edits, label_sets
from esetrag.data.change import words
from esetrag.scoring.edit_distance import distances
from esetrag.symbols.vocabulary import Vocabulary

KINDS = {
    "unknown value": "was asked for with a value of a feature that no training row has",
    "copied": "was left as it is, though it changes",
    "truncated": "lacks letters at its end; all others are right",
    "repeated": "has letters too many at its end; all others are right",
    "other vowels": "differs in vowels alone, as where harmony is wrong",
    "stem": "has the right ending on another stem",
    "ending": "has the right stem with another ending",
    "other": "differs in stem and ending",
}
"""Kind and what is true of its words; an error is of the first kind that fits."""


@dataclass(frozen=True)
class ErrorKinds:
    """What the errors of a kind of task are."""

    names: Mapping[str, str]
    """Kind and what is true of its words."""
    kinds: Callable[[pd.DataFrame, Vocabulary], list[str]]
    """The kind of each error, keys of ``names``."""
    pairs: Callable[[pd.DataFrame], pd.DataFrame]
    """What is confused in each error: ``label`` and ``predicted``."""


VOWELS = "aáàâäãåāăąeéèêëēėęěiíìîïīįıoóòôöõőōøuúùûüűūůųyýæœαεηιουωаеёиоуыэюяіїє"


def analyse(
    predictions: pa.Table, vocabulary: Vocabulary, kinds_of_errors: ErrorKinds | None = None
) -> Analysis:
    """Summarises the errors.

    Args:
        predictions: what the stage ``evaluate`` wrote (``tables.TRANSDUCTIONS``).
        vocabulary: of input and output.
        kinds_of_errors: of what errors are, usually of words that are written.
    """
    kinds_of_errors = kinds_of_errors or WRITING
    rows = predictions.select(
        ["lemma", "form", "features", "label", "predicted", "predicted_set", "probability"]
    ).to_pandas()
    listed = zip(predictions["candidates"].to_pylist(), predictions["probabilities"].to_pylist(), strict=True)
    true = [{*label_sets.values(label)} for label in rows["label"]]
    shares = [
        sum(p for c, p in zip(*pair, strict=True) if c in t) for pair, t in zip(listed, true, strict=True)
    ]
    rows = rows.assign(label_probability=shares, unknown=[vocabulary.unknown(form) for form in rows["form"]])
    groups = {"length": steps(rows["form"])}
    if vocabulary.features:
        groups["value"] = rows["features"].map(lambda bundle: features.all_tags(bundle or "")).explode()
    return summarised(
        rows,
        lambda errors: kinds_of_errors.kinds(errors, vocabulary),
        kinds_of_errors.names,
        groups,
        kinds_of_errors.pairs,
    )


def changes(errors: pd.DataFrame) -> pd.DataFrame:
    """What was to be done to each word, ``label``, and what was done, ``predicted``."""
    columns = {name: pa.array(errors[name], pa.string()) for name in ("form", "label", "predicted")}
    return edits.confusion(pa.table(columns))


def kinds(errors: pd.DataFrame, vocabulary: Vocabulary) -> list[str]:
    """The kind of each error, keys of ``KINDS``, against the right word nearest to what was written."""
    if errors.empty:
        return []
    forms, written = (
        pa.chunked_array([pa.array(errors[name], pa.string())]) for name in ("form", "predicted")
    )
    several = [label_sets.values(label) for label in errors["label"]]
    flat = [(row, word) for row, options in enumerate(several) for word in options]
    row = np.array([number for number, _ in flat])
    distance = distances(words(written)[row], np.array([word for _, word in flat]))
    best = {
        number: word
        for (number, word), _ in sorted(zip(flat, distance, strict=True), key=lambda x: (x[0][0], -x[1]))
    }
    true = [best[number] for number in range(len(several))]
    right, made = (
        edits.scripts(forms, pa.chunked_array([pa.array(w, pa.string())])).to_pylist()
        for w in (true, written.to_pylist())
    )
    known = {*vocabulary.features}
    result = []
    columns = zip(errors["features"], forms.to_pylist(), written.to_pylist(), true, right, made, strict=True)
    for bundle, form, word, wanted, script, other in columns:
        tests = {
            "unknown value": bool(known) and not known.issuperset(features.all_tags(bundle or "")),
            "copied": word == form,
            "truncated": wanted.startswith(word),
            "repeated": word.startswith(wanted),
            "other vowels": _consonants(word) == _consonants(wanted) and len(word) == len(wanted),
            "stem": _ending(script) == _ending(other),
            "ending": _stem(script, form) == _stem(other, form),
        }
        result.append(next((kind for kind, fits in tests.items() if fits), "other"))
    return result


def _consonants(word: str) -> list[str]:
    return ["V" if letter in VOWELS else letter for letter in word.lower()]


def _ending(script: str) -> str:
    return script[next(n for n, symbol in enumerate(script) if edits.is_cut(symbol)) + 1 :]


def _stem(script: str, form: str) -> str:
    place = next(n for n, symbol in enumerate(script) if edits.is_cut(symbol))
    before, behind = edits.cut_of(script[place])
    return script[:place] + form[before : len(form) - behind]


WRITING = ErrorKinds(KINDS, kinds, changes)
"""Of words that are written."""
