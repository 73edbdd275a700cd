"""The rows of a table that a model of right and wrong forms doubts (``builder: valid``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import config
from esetrag.core.errors import CheckpointError, DataError
from esetrag.core.features import all_tags
from esetrag.core.streams import tell
from esetrag.data import selection, unimorph
from esetrag.data.audit import review as audit
from esetrag.data.audit.review import Review
from esetrag.data.change import Changes
from esetrag.data.pairs import CELL, RIGHT, WRONG, joined
from esetrag.predict.predictor import Predictor

ANOTHER, NOWHERE = "cell", "form"
"""Kinds of doubtful rows: another cell fits the form better; none does, but the model finds it wrong."""
DOUBTED = 0.3
"""Rows that the model finds wrong with a lower probability are not listed, so that homographs are not."""
LEAST = 1e-6
"""The lowest probability that is told from none."""


def tsv(predictor: Predictor, path: Path, task: config.BuiltPairsTask) -> str:
    """The doubtful rows of a UniMorph table as a table with a head.

    Args:
        predictor: of the task.
        path: of the table; it is read as the task's own.
        task: says which parts of speech count, and the order of the columns.

    Raises:
        CheckpointError: if the model tells no right forms from wrong ones.
        DataError: if the table cannot be used or has no features that training has.
    """
    rows = selection.select(unimorph.batches(path, task.columns), path, task.pos, None).table
    known = {*predictor.checkpoint.vocabulary.features}
    bundles = [text for text in pc.unique(rows["features"]).to_pylist() if known >= {*all_tags(text)}]
    kept = rows.filter(pc.is_in(rows["features"], pa.array(bundles, pa.string())))
    if not len(kept):
        raise DataError(f"{path}: no row has features that training has; known: {' '.join(sorted(known))}")
    if len(kept) < len(rows):
        tell(f"{path}: {len(rows) - len(kept):,} rows have features that training has not; left out")
    return audit.tsv(review(predictor, kept))


def review(predictor: Predictor, rows: pa.Table) -> Review:
    """The doubtful rows, most doubtful first (``review.COLUMNS``).

    Rows are doubtful if the model finds them wrong. Where the form belongs is asked of the model and of the
    table: the probability that it is right in a cell is multiplied with the rows of the cell that change
    their lemma likewise. First stand forms that fit another cell better, by how much better it is; then the
    others, by the model's probability.

    Args:
        predictor: of a task of pairs whose builder is ``valid``.
        rows: distinct, with the columns ``lemma``, ``form`` and ``features``, of bundles that training has.

    Raises:
        CheckpointError: if the model tells no right forms from wrong ones.
    """
    if {*predictor.labels} != {RIGHT, WRONG}:
        found = ", ".join(predictor.labels[:5])
        raise CheckpointError(f"expected a model of the labels {RIGHT} and {WRONG}, found {found}; dvc repro")
    change = Changes.of(rows)
    table = rows.select(CELL).to_pandas()
    table["change"] = joined(change.front, change.dropped, change.ending).to_pandas()
    cells = table.groupby(["change", "features"], as_index=False).size()
    table = table.merge(cells, how="left")
    table["right"] = _right(predictor, table, "features")
    table = table[table["right"] <= 1 - DOUBTED]
    others = table.reset_index(names="row").merge(cells, on="change", suffixes=("", "_other"))
    is_other = others["features_other"] != others["features"]
    # One that could not win if the form were surely right there is not asked for.
    others = others[is_other & (others["size_other"] > others["size"] * others["right"])]
    better = others["size_other"] * _right(predictor, others, "features_other")
    others = others.assign(odds=better / (others["size"] * others["right"]))
    others = others.sort_values("odds", ascending=False, kind="stable").drop_duplicates("row")
    others = others[others["odds"] > 1]
    alone = table.drop(others["row"]).sort_values("right", kind="stable")
    alone = alone.reset_index(names="row")
    listed: Review = []
    for kind, part in ((ANOTHER, others), (NOWHERE, alone)):
        for row in part.to_dict("records"):
            likelier = row.get("features_other", "")
            why = f"{change.text(row['row'])}: {row['size']} rows {row['features']}"
            why += f", {row['size_other']} {likelier}" if likelier else ""
            texts = (row["lemma"], row["form"], row["features"], row["features"], likelier)
            listed.append((kind, *texts, f"{1 - row['right']:.4f}", why))
    return listed


def _right(predictor: Predictor, table: pd.DataFrame, bundles: str) -> npt.NDArray[np.float64]:
    """The probability of each form to be right in a cell, (n,)."""
    columns = [pa.chunked_array([pa.array(table[name], pa.string())]) for name in ("lemma", "form", bundles)]
    answers = predictor.predict_table(joined(*columns))
    stated = answers["probability"].to_numpy().astype(np.float64)
    is_right = answers["label"].to_pandas().to_numpy() == RIGHT
    right: npt.NDArray[np.float64] = np.maximum(np.where(is_right, stated, 1 - stated), LEAST)
    return right
