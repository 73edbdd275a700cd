"""Two models on one test set, where the test sets of their runs differ."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from esetrag.tracking.run_state import ROW, State

if TYPE_CHECKING:
    from esetrag.predict.predictor import Predictor
    from esetrag.predict.sequence_predictor import SequencePredictor

ORDER = [(name, "ascending") for name in ROW]


def common(a: State, b: State) -> tuple[State, State]:
    """Both states with predictions of one test set: of the larger, the rows that neither knows from training.

    States with the same rows stay as they are, and those of which the model or the training rows are not
    at hand, as of MLflow runs, or whose rows are words of sentences.
    """
    rows_of_a, rows_of_b = (state.predictions.select(ROW).sort_by(ORDER) for state in (a, b))
    if a.files is None or b.files is None or rows_of_a.equals(rows_of_b):
        return a, b
    from esetrag import predict  # PyTorch

    with tempfile.TemporaryDirectory() as folder:
        layouts = [files(Path(folder) / side) for side, files in (("a", a.files), ("b", b.files))]
        predictors = [predict.load(layout.checkpoint) for layout in layouts]
        rows = max(a.predictions, b.predictions, key=len)
        for path in (layout.sample(part) for layout in layouts for part in ("train", "dev")):
            trained = pq.read_table(path, columns=["lemma", "form"])
            rows = rows.filter(pc.invert(pc.is_in(_group(rows), _group(trained).combine_chunks())))
        if not len(rows) or any(each.checkpoint.vocabulary.words for each in predictors):
            return a, b
        of_a, of_b = (_predicted(rows, predictor) for predictor in predictors)
        return replace(a, predictions=of_a), replace(b, predictions=of_b)


def _group(rows: pa.Table) -> pa.ChunkedArray:
    """What a split keeps apart: lemmas, or forms in a task without them."""
    return pc.coalesce(rows["lemma"], rows["form"])


def _predicted(rows: pa.Table, predictor: Predictor | SequencePredictor) -> pa.Table:
    """Rows with what a model predicts for them."""
    from esetrag.predict.sequence_predictor import SequencePredictor  # PyTorch

    queries = rows["form"]
    if predictor.bundles:
        queries = pc.binary_join_element_wise(queries, rows["features"], "\t")
    if isinstance(predictor, SequencePredictor):  # that of tags would leave out the names of the segments
        labels = SequencePredictor.predict_table(predictor, queries)["label"]
    else:
        labels = predictor.predict_table(queries)["label"]
    return rows.set_column(rows.schema.get_field_index("predicted"), "predicted", labels)
