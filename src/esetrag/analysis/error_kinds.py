"""The kinds of errors: of each misread form the first reason that explains it.

The kinds stand in the order of precedence: first what no reader of the training rows could know
(symbols, length, a form of several values), then what is wrong with the row, then what makes a form
hard. What is left is the reader's own.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.analysis.endings import Endings
from esetrag.analysis.seen_in_training import UNSEEN, SeenInTraining
from esetrag.data.label_sets import values

KINDS = {
    "unknown symbol": "has a symbol that no training form has",
    "too long": "is longer than what is read of a form, which no training form exceeds",
    "ambiguous form": "bears another value too, in this row or another one of train, dev or test",
    "probable label error": (
        "in training, what became of its lemma almost never bears the label and mostly the value that was "
        "read, of which the reader was sure"
    ),
    "look-alike": (
        "is a form of the citation value that ends like another value's, or was taken for the citation "
        "value and ends like its forms"
    ),
    "unseen ending": "ends in three symbols in which no training form ends",
    "rest": "none of these",
}
"""Kind and what is true of a form of it; a form is of the first kind that it fits."""

SURE = 0.9
"""Probability of the value read, at least, where the label is doubted."""
ROWS, SHARE = 5, 0.1
"""A label is doubted if so many training rows change their lemma alike, and a smaller share bears it."""


def kinds(errors: pd.DataFrame, shown: SeenInTraining) -> list[str]:
    """The kind of each error.

    Args:
        errors: misread rows: lemma, form, label, predicted, probability, unknown.
        shown: the rows of the parts.

    Returns:
        (errors,) keys of KINDS.
    """
    if len(errors) == 0:
        return []
    texts = {name: pa.chunked_array([pa.array(errors[name], pa.string())]) for name in _TEXTS}
    rows = pa.table(texts)
    learnt = Endings(shown.parts["train"])
    trigram = shown.seen(rows).filter(like="trigram").iloc[:, 0]
    borne = learnt.bears_citation(rows["label"])
    read_as_citation = (errors["predicted"] == learnt.citation).to_numpy()
    alike = (borne & learnt.looks_inflected(rows["form"])) | (
        ~borne & read_as_citation & learnt.ends_as_citation(rows["form"])
    )
    found = [
        (errors["unknown"] != "").to_numpy(),
        (errors["form"].str.len() > (shown.longest or math.inf)).to_numpy(),
        _ambiguous(errors, shown),
        _doubtful(errors, learnt, rows),
        alike,
        (trigram == UNSEEN).to_numpy(),
    ]
    names: list[str] = np.select(found, list(KINDS)[:-1], list(KINDS)[-1]).tolist()
    return names


_TEXTS = ("lemma", "form", "label")


def _ambiguous(errors: pd.DataFrame, shown: SeenInTraining) -> npt.NDArray[np.bool_]:
    """Whether a form bears several values in the rows of all parts."""
    wanted = pa.array(errors["form"].unique(), pa.string())
    rows = pa.concat_tables(part.select(["form", "label"]) for part in shown.parts.values())
    some = rows.filter(pc.is_in(rows["form"], wanted)).to_pandas().drop_duplicates()
    some = some.assign(value=some["label"].map(values)).explode("value")
    several = some.groupby("form")["value"].nunique()
    found: npt.NDArray[np.bool_] = errors["form"].isin(several.index[several > 1]).to_numpy()
    return found


def _doubtful(errors: pd.DataFrame, learnt: Endings, rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether what became of the lemma speaks against the label and for the value read."""
    changes = learnt.changes(rows)
    counts = learnt.counts.set_index(["lost", "ending", "value"])["rows"]
    total = learnt.counts.groupby(["lost", "ending"])["rows"].sum()
    change = list(zip(changes["lost"], changes["ending"], strict=True))
    seen = np.array([total.get(key, 0) for key in change])
    bearing = np.array(
        [
            sum(counts.get((*key, value), 0) for value in values(label))
            for key, label in zip(change, errors["label"], strict=True)
        ]
    )
    read = np.array(
        [counts.get((*key, value), 0) for key, value in zip(change, errors["predicted"], strict=True)]
    )
    sure = (errors["probability"] >= SURE).to_numpy()
    found: npt.NDArray[np.bool_] = sure & (seen >= ROWS) & (bearing < SHARE * seen) & (read > seen / 2)
    return found


def counts(errors: pd.DataFrame) -> dict[str, int]:
    """Errors of each kind, none included, in the order of precedence."""
    return {kind: int((errors["kind"] == kind).sum()) for kind in KINDS}


def frame(errors: pd.DataFrame, examples: int = 5) -> pd.DataFrame:
    """The kinds of errors for people: kind, what it means, how many, their share, the surest ones.

    Args:
        errors: misread rows with their kind, the surest first.
        examples: forms a kind.
    """
    some = errors.assign(
        example=errors["form"] + " (" + errors["label"] + " → " + errors["predicted"] + ")",
    )
    shown = {kind: some.loc[some["kind"] == kind, "example"].head(examples) for kind in KINDS}
    found = counts(errors)
    return pd.DataFrame(
        {
            "kind": list(KINDS),
            "the form": list(KINDS.values()),
            "misread": list(found.values()),
            "share": [count / max(len(errors), 1) for count in found.values()],
            "for example": [", ".join(shown[kind]) for kind in KINDS],
        }
    )
