"""Two models on one test set, where the test sets of their runs differ."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from esetrag.core.layout import Layout
from esetrag.tracking.run_state import ROW, State


def common(a: State, b: State) -> tuple[State, State]:
    """Both states with predictions of one test set: of the larger, the rows that neither knows from training.

    States with the same rows stay as they are, and those of which the model or the training rows are not
    at hand, as of MLflow runs.
    """
    keys = [state.predictions.select(ROW) for state in (a, b)]
    rows_differ = len(keys[0]) != len(keys[1]) or len(keys[0].join(keys[1], ROW, join_type="left anti")) > 0
    if a.files is None or b.files is None or not rows_differ:
        return a, b
    with tempfile.TemporaryDirectory() as folder:
        layouts = [files(Path(folder) / side) for side, files in (("a", a.files), ("b", b.files))]
        rows = max(a.predictions, b.predictions, key=len)
        for path in (layout.sample(part) for layout in layouts for part in ("train", "dev")):
            trained = pq.read_table(path, columns=["lemma", "form"])
            rows = rows.filter(pc.invert(pc.is_in(_group(rows), _group(trained).combine_chunks())))
        if not len(rows):
            return a, b
        return (
            replace(a, predictions=_predicted(rows, layouts[0])),
            replace(b, predictions=_predicted(rows, layouts[1])),
        )


def _group(rows: pa.Table) -> pa.ChunkedArray:
    """What a split keeps apart: lemmas, or forms in a task without them."""
    return pc.coalesce(rows["lemma"], rows["form"])


def _predicted(rows: pa.Table, layout: Layout) -> pa.Table:
    """Rows with what a checkpoint predicts for them."""
    from esetrag import predict  # PyTorch

    predictor = predict.load(layout.checkpoint)
    queries = rows["form"]
    if predictor.bundles:
        queries = pc.binary_join_element_wise(queries, rows["features"], "\t")
    labels = predictor.predict_table(queries)["label"]
    return rows.set_column(rows.schema.get_field_index("predicted"), "predicted", labels)
