"""Stress sets: test forms that are hard on purpose, made from the data by rule.

The value of each form is known by construction, so no one has to label anything; how much worse they
are read than the forms they were made of says what the reader leans on (Ribeiro et al. 2020, *Beyond
Accuracy*, for the idea of behavioural tests made by rule).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.analysis.endings import Endings
from esetrag.analysis.nonce import coin
from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.data import label_sets
from esetrag.tasks.baselines import SuffixTable

Read = Callable[[pa.ChunkedArray], pa.Table]
"""Forms to a table with the value read, ``label``, as ``Predictor.predict_table`` does it."""

EXAMPLES = 5
MARKS = {"full stop": ".", "comma": ",", "quotation mark": '"', "bracket": ")"}
"""Punctuation that a careless tokeniser leaves behind a word."""
COLUMNS: dict[str, Any] = {
    "set": pd.StringDtype(),
    "forms": "int64",
    "accuracy": "float64",
    "suffix": "float64",
    "untouched": "float64",
    "examples": pd.StringDtype(),
}
"""Of ``stress.csv``. Accuracies of the reader, of the suffix baseline, and of the reader on the
untouched counterparts; examples of misread forms."""


@dataclass(frozen=True)
class Set:
    """Forms of one kind."""

    name: str
    forms: pa.ChunkedArray  # (n,)
    rows: npt.NDArray[np.int64]  # (n,) the test rows that they were made of, and whose labels they bear
    counterparts: npt.NDArray[np.int64]
    """Test rows to compare with: those same rows, or for look-alikes the other citation forms."""


def sets(train: pa.Table, test: pa.Table, lemmas: pa.ChunkedArray, how: config.Evaluate) -> Iterator[Set]:
    """Makes the sets.

    - look-alikes: test forms of the citation value that end in a telling ending of another value;
      beside them the other forms of the citation value.
    - invented stems: endings of test rows on stems that no table has (``nonce.coin``).
    - first letter, all letters capital; letters without their accents, as far as training knows both;
      a punctuation mark behind the form. Forms that this leaves as they are do not count.

    Args:
        train: training rows.
        test: test rows.
        lemmas: all lemmas of the table, none of which is invented anew.
        how: ``seed``, and ``stress``, the forms of a set; fewer if there are no more.
    """
    learnt, forms = Endings(train), test["form"]
    alone = (
        pc.equal(test["label"], learnt.citation).to_numpy() if learnt.citation else np.zeros(len(test), bool)
    )
    alike = learnt.looks_inflected(forms)
    rows = _some(alone & alike, 0, how)
    yield Set("look-alikes", forms.take(pa.array(rows)), rows, np.flatnonzero(alone & ~alike))

    coined, rows = coin(train, test, lemmas, learnt, how.stress, np.random.default_rng([how.seed, 1]))
    yield Set("invented stems", coined, rows, rows)

    first, rest = pc.utf8_slice_codeunits(forms, 0, 1), pc.utf8_slice_codeunits(forms, 1)
    changed = {
        "first letter capital": pc.binary_join_element_wise(pc.utf8_upper(first), rest, ""),
        "all letters capital": pc.utf8_upper(forms),
        "accents missing": _bare(forms, train["form"]),
        **{f"{name} behind": pc.binary_join_element_wise(forms, mark, "") for name, mark in MARKS.items()},
    }
    for number, (name, others) in enumerate(changed.items(), start=2):
        rows = _some(pc.not_equal(others, forms).to_numpy(), number, how)
        yield Set(name, others.take(pa.array(rows)), rows, rows)


def _some(wanted: npt.NDArray[np.bool_], number: int, how: config.Evaluate) -> npt.NDArray[np.int64]:
    """So many of the rows that are wanted, drawn by a generator of the set's own, in their order."""
    rows = np.flatnonzero(wanted)
    chance = np.random.default_rng([how.seed, number])
    return np.sort(chance.permutation(rows)[: how.stress])


def _bare(forms: pa.ChunkedArray, known: pa.ChunkedArray) -> pa.ChunkedArray:
    """The forms without accents: of letters that training knows, to letters that it knows too."""
    alphabet = set("".join(pc.unique(known).to_pylist()))
    bare = {}
    for letter in alphabet:
        base, *marks = list(unicodedata.normalize("NFD", letter))
        # Marks that are letters of their own, as the vowels of Devanagari, decompose from nothing.
        if marks and all(map(unicodedata.combining, marks)) and base in alphabet:
            bare[ord(letter)] = base
    text = "\n".join(forms.to_pylist()).translate(bare)
    return pa.chunked_array([pa.array(text.split("\n")[: len(forms)], pa.string())])


def examine(
    train: pa.Table, predictions: pa.Table, lemmas: pa.ChunkedArray, read: Read, how: config.Evaluate
) -> pd.DataFrame:
    """Has the stress sets read.

    Args:
        train: training rows.
        predictions: test rows with the value read, ``predicted``.
        lemmas: all lemmas of the table.
        read: the reader.
        how: the suffix baseline, seed and size of the sets.

    Returns:
        COLUMNS; NaN where a set or its counterpart has no forms.
    """
    known = tuple(label_sets.names(train["label"]))
    baseline = SuffixTable.train(train["form"], train["label"], known, how.suffix_length)
    untouched = label_sets.right(predictions["label"], predictions["predicted"])
    made = list(sets(train, predictions, lemmas, how))
    # All sets are read at once: the reader is fastest on many forms.
    everything = pa.chunked_array([pa.concat_arrays([some.forms.combine_chunks() for some in made])])
    answers = read(everything)["label"]
    guesses = pa.chunked_array([pa.array(known).take(pa.array(baseline.logits(everything).argmax(1)))])
    lines, start = [], 0
    for some in made:
        n = len(some.forms)
        label = predictions["label"].take(pa.array(some.rows))
        answer, guess = answers.slice(start, n), guesses.slice(start, n)
        found = label_sets.right(label, answer)
        wrong = pa.array(np.flatnonzero(~found)[:EXAMPLES])
        shown = zip(*(column.take(wrong).to_pylist() for column in (some.forms, label, answer)), strict=True)
        lines.append(
            (
                some.name,
                n,
                _mean(found),
                _mean(label_sets.right(label, guess)),
                _mean(untouched[some.counterparts]),
                ", ".join(f"{form} ({true} → {read_as})" for form, true, read_as in shown),
            )
        )
        start += n
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _mean(found: npt.NDArray[np.bool_]) -> float:
    return float(found.mean()) if len(found) else float("nan")


def figures(stressed: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """The accuracies by set, as JSON; None where there are none."""
    columns = ("forms", "accuracy", "suffix", "untouched")
    return {
        line["set"]: {name: None if pd.isna(line[name]) else line[name] for name in columns}
        for line in stressed.to_dict("records")
    }


def read_csv(path: Path) -> pd.DataFrame:
    """Reads the table.

    Raises:
        DataError: if it is missing or not such a table.
    """
    try:
        return pd.read_csv(
            path, dtype=COLUMNS, keep_default_na=False, na_values={name: [""] for name in _NUMBERS}
        )
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a table of stress sets ({error}); make it anew: dvc repro") from error


_NUMBERS = ("accuracy", "suffix", "untouched")


def frame(stressed: pd.DataFrame) -> pd.DataFrame:
    """The sets that have forms, for people."""
    names: dict[str, Any] = {
        "accuracy": "read right",
        "suffix": "by the longest known suffix",
        "untouched": "untouched counterparts",
        "examples": "misread, for example",
    }
    return stressed[stressed["forms"] > 0].rename(columns=names).reset_index(drop=True)
