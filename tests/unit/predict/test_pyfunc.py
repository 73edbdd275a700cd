from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from esetrag.core.errors import DataError, ParamsError
from esetrag.predict.pyfunc import Served, load

COLUMNS = ["form", "label", "probability", "label_set", "unknown"]
FORMS = ["lomtara", "kepet", "27", "kanaban"]


@pytest.fixture
def served(tiny_checkpoint: Path) -> Served:
    return load(tiny_checkpoint)


def test_a_table_of_forms_gives_label_and_probability_row_by_row(served: Served) -> None:
    answer = served.predict(
        pd.DataFrame({"more": [1, 2, 3, 4], "form": FORMS}, index=[7, 3, 3, 1]), params={}
    )
    predictions = served.predictor.predict(FORMS)
    assert list(answer.columns) == COLUMNS
    assert list(answer.index) == [0, 1, 2, 3]
    for row, prediction in zip(answer.to_dict("records"), predictions, strict=True):
        assert row == {name: prediction.record(several=False)[name] for name in COLUMNS}


@pytest.mark.parametrize(
    "words",
    [FORMS, np.array(FORMS), pd.Series(FORMS), pd.DataFrame({"word": FORMS}), pd.DataFrame({0: FORMS})],
    ids=["list", "array", "series", "column of another name", "column without a name"],
)
def test_words_come_in_many_ways(served: Served, words: Any) -> None:
    pd.testing.assert_frame_equal(served.predict(words), served.predict(pd.DataFrame({"form": FORMS})))


def test_an_empty_table_gives_an_empty_answer(served: Served) -> None:
    answer = served.predict(pd.DataFrame({"form": []}))
    assert (list(answer.columns), len(answer)) == (COLUMNS, 0)


def test_more_labels_are_lists_beside_the_best(served: Served) -> None:
    answer = served.predict(FORMS, params={"top_k": np.int64(2)})
    assert list(answer.columns) == [*COLUMNS, "labels", "probabilities"]
    for row in answer.to_dict("records"):
        assert (len(row["labels"]), len(row["probabilities"])) == (2, 2)
        assert (row["labels"][0], row["probabilities"][0]) == (row["label"], row["probability"])
    everything = served.predict(FORMS, params={"top_k": 10**6})["labels"][0]
    assert sorted(everything) == sorted(served.predictor.labels)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, float("nan"), "2", None, [2]])
def test_what_is_no_number_of_labels_is_refused(served: Served, value: Any) -> None:
    with pytest.raises(ParamsError, match="top_k: expected 1 label a word or more"):
        served.predict(FORMS, params={"top_k": value})


def test_what_is_no_word_and_a_table_without_the_column_are_refused(served: Served) -> None:
    with pytest.raises(DataError, match="word 2: expected text"):
        served.predict(pd.DataFrame({"form": ["kepet", None]}))
    with pytest.raises(DataError, match="expected a column form, found"):
        served.predict(pd.DataFrame({"lemma": ["a"], "label": ["b"]}))
