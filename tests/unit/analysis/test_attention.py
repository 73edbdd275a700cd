"""Where the decoder looks."""

from __future__ import annotations

from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from esetrag.analysis import attention, masking
from esetrag.core import tables
from esetrag.data import change
from esetrag.models.transducer import Transducer
from esetrag.report import figures
from esetrag.scoring.calibration import UNCALIBRATED
from esetrag.symbols.batch import Batch
from esetrag.tasks.transduce_evaluation import Ranked, predictions
from tests import writing
from tests.project import STEMS
from tests.samples import CPU

pytestmark = pytest.mark.usefixtures("single_thread")


def test_weights_of_some_words_are_a_table_and_a_picture() -> None:
    data, network = writing.toy(), cast("Transducer", writing.trained().network)
    rows = writing.paradigms(STEMS[20:30])
    words, batch = change.words(rows["form"]), Batch.of(data.dev, CPU)
    ranked = Ranked.of(network, UNCALIBRATED, batch, words, data.vocabulary)
    made = predictions(rows, ranked)
    table = attention.table(network, data.dev, made, data.vocabulary, 1)
    assert table.schema.equals(tables.ATTENTION)
    assert len(table) == attention.ROWS
    assert table.equals(attention.table(network, data.dev, made, data.vocabulary, 1))
    for row in table.to_pylist():
        assert row["read"][0] == "<BOS>"
        assert row["read"][-1] == row["written"][-1] == "<EOS>"
        assert "".join(name for name in row["read"] if len(name) == 1 and name.islower()) == row["form"]
        assert sum(name.startswith("cut(") for name in row["written"]) == 1
        weights = np.array(row["weights"]).reshape(len(row["written"]), len(row["read"]))
        assert weights.sum(1) == pytest.approx(np.ones(len(weights)), abs=1e-4)
        (axes,) = figures.attention(row).axes
        assert axes.get_title(loc="left").startswith(
            f"{row['form']} {row['features']} → {row['predicted']} ("
        )
        assert [label.get_text() for label in axes.get_xticklabels()] == row["read"]
        assert [label.get_text() for label in axes.get_yticklabels()] == row["written"]


def test_features_stay_where_letters_are_hidden() -> None:
    data, network = writing.toy(), cast("Transducer", writing.trained().network)
    found = masking.curve(network, data.dev, len(data.vocabulary.symbols), 1, 20)
    assert (found["forms"] == 20).all()
    assert found["without_last"].iloc[0] > 0.8, "nothing is hidden"
    none = masking.curve(network, data.dev, 4, 1, 20)
    assert none["only_last"].iloc[0] == found["without_last"].iloc[0], "no id is that of a letter"


def test_half_of_the_words_are_wrong_ones_where_there_are_as_many() -> None:
    data, network = writing.toy(), cast("Transducer", writing.trained().network)
    rows = writing.paradigms(STEMS[20:30])
    ranked = Ranked.of(
        network, UNCALIBRATED, Batch.of(data.dev, CPU), change.words(rows["form"]), data.vocabulary
    )
    made = predictions(rows, ranked)
    place = made.column_names.index("predicted")
    every = pa.array([None if row % 2 else "x" for row in range(len(rows))], pa.string())
    mixed = made.set_column(place, "predicted", pc.coalesce(every, rows["label"].combine_chunks()))
    table = attention.table(network, data.dev, mixed, data.vocabulary, 1)
    assert table["predicted"].to_pylist().count("x") == attention.ROWS // 2
