"""Kinds of errors: the first reason that explains a misclassified form.

The order is one of precedence: first what no model of the training rows could know (symbols, length, a form
of several labels), then what is wrong with the row, then what makes a form hard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.analysis.endings import Endings, has_lemmas
from esetrag.analysis.seen_in_training import UNSEEN, SeenInTraining
from esetrag.data.label_sets import values

OTHER = "other"
KINDS = {
    "unknown symbol": "has a symbol that no training form has",
    "too long": "is longer than the longest training form, so that the model does not get all of it",
    "ambiguous form": "has another label too, in this row or another one of train, dev or test",
    "probable label error": (
        "has a lemma and an ending that hardly ever have this label in training and mostly the predicted "
        "one, of which the model is confident"
    ),
    "look-alike": (
        "is a citation form that ends like another label's forms, or was classified as a citation form and "
        "ends like one"
    ),
    "unseen ending": "ends in three symbols in which no training form ends",
    OTHER: "none of these",
}
"""Kind and what is true of its forms; a form is of the first kind that fits."""
NEED_LEMMAS = frozenset({"probable label error", "look-alike"})

CONFIDENT = 0.9
"""Probability of the prediction, at least, where the label is doubted."""
ROWS, SHARE = 5, 0.1
"""A label is doubted if so many training rows change the lemma alike, and a smaller share of them has it."""

Bools = npt.NDArray[np.bool_]


def kinds(errors: pd.DataFrame, seen: SeenInTraining) -> list[str]:
    """The kind of each error, keys of KINDS; without lemmas none of NEED_LEMMAS.

    Args:
        errors: misclassified rows: lemma, form, label, predicted, probability, unknown.
        seen: the rows of the parts.
    """
    if errors.empty:
        return []
    rows = pa.table(
        {name: pa.chunked_array([pa.array(errors[name], pa.string())]) for name in ("lemma", "form", "label")}
    )
    fits: dict[str, Any] = {
        "unknown symbol": errors["unknown"] != "",
        "too long": errors["form"].str.len() > (seen.longest or math.inf),
        "ambiguous form": _ambiguous(errors, seen.parts),
    }
    if has_lemmas(seen.parts["train"]):
        endings = Endings(seen.parts["train"])
        citation, forms = endings.has_citation(rows["label"]), rows["form"]
        as_citation = ~citation & (errors["predicted"] == endings.citation) & endings.ends_as_citation(forms)
        fits["probable label error"] = _doubtful(errors, endings, rows)
        fits["look-alike"] = as_citation | (citation & endings.looks_inflected(forms))
    fits["unseen ending"] = seen.seen(rows).filter(like="trigram").iloc[:, 0] == UNSEEN
    names: list[str] = np.select([np.asarray(fit) for fit in fits.values()], list(fits), OTHER).tolist()
    return names


def _ambiguous(errors: pd.DataFrame, parts: Mapping[str, pa.Table]) -> pd.Series[bool]:
    """Whether a form has several labels in the rows of all parts."""
    rows = pa.concat_tables(part.select(["form", "label"]) for part in parts.values())
    rows = rows.filter(pc.is_in(rows["form"], pa.array(errors["form"].unique(), pa.string()))).to_pandas()
    labels = rows.assign(label=rows["label"].map(values)).explode("label").groupby("form")["label"]
    several = labels.nunique()
    return errors["form"].isin(several.index[several > 1])


def _doubtful(errors: pd.DataFrame, endings: Endings, rows: pa.Table) -> Bools:
    """Whether the change of the lemma speaks against the label and for the prediction."""
    counts, total = endings.counts, endings.counts.groupby(["lost", "ending"]).sum()
    doubtful = []
    columns = (errors[name] for name in ("label", "predicted", "probability"))
    for change, label, predicted, probability in zip(
        endings.changes(rows).itertuples(index=False, name=None), *columns, strict=True
    ):
        seen, own = total.get(change, 0), sum(counts.get((*change, value), 0) for value in values(label))
        contradicted = own < SHARE * seen and counts.get((*change, predicted), 0) > seen / 2
        doubtful.append(probability >= CONFIDENT and seen >= ROWS and contradicted)
    return np.array(doubtful, dtype=bool)


def meanings(with_lemmas: bool) -> dict[str, str]:
    """KINDS, in the order of precedence; without lemmas none of NEED_LEMMAS."""
    return {kind: text for kind, text in KINDS.items() if with_lemmas or kind not in NEED_LEMMAS}
