from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from esetrag.core.errors import DataError, ParamsError
from esetrag.predict.predictor import Predictor
from esetrag.predict.serving import Served, load

COLUMNS = ["form", "label", "probability", "label_set", "unknown"]
FORMS = ["lomtara", "kepet", "verben", "kanaban"]


@pytest.fixture
def served(tiny_checkpoint: Path) -> Served:
    return load(tiny_checkpoint)


def test_a_table_of_forms_gives_label_and_probability_row_by_row(
    served: Served, tiny_checkpoint: Path
) -> None:
    answer = served.predict(pd.DataFrame({"more": [1, 2, 3, 4], "form": FORMS}))
    readings = Predictor.load(tiny_checkpoint).predict(FORMS)
    assert list(answer.columns) == COLUMNS
    assert answer["form"].tolist() == FORMS
    assert answer["label"].tolist() == [reading.labels[0] for reading in readings]
    assert answer["probability"].tolist() == [reading.probabilities[0] for reading in readings]
    assert answer["label_set"].tolist() == [reading.label_set for reading in readings]
    assert answer["unknown"].tolist() == [reading.unknown for reading in readings]


@pytest.mark.parametrize(
    "words",
    [FORMS, np.array(FORMS), pd.Series(FORMS), pd.DataFrame({"word": FORMS}), pd.DataFrame({0: FORMS})],
    ids=["list", "array", "series", "column of another name", "column without a name"],
)
def test_words_come_in_many_ways(served: Served, words: Any) -> None:
    pd.testing.assert_frame_equal(served.predict(words), served.predict(pd.DataFrame({"form": FORMS})))


def test_the_index_of_the_table_is_without_influence(served: Served) -> None:
    forms = pd.DataFrame({"form": ["kanaban", "kepet"]})
    expected = served.predict(forms)
    pd.testing.assert_frame_equal(served.predict(forms.set_index(pd.Index([7, 3]))), expected)
    pd.testing.assert_frame_equal(served.predict(forms, params={}), expected)


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
    assert sorted(everything) == sorted(served.reader.labels)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, float("nan"), "2", None, [2]])
def test_what_is_no_number_of_labels_is_refused(served: Served, value: Any) -> None:
    with pytest.raises(ParamsError, match="top_k: expected 1 label a word or more"):
        served.predict(FORMS, params={"top_k": value})


@pytest.mark.parametrize("value", [1, 1.5, None, float("nan"), True, b"a", ["a"], "\ud800", "x" * 1001])
def test_what_is_no_word_is_refused_and_its_row_named(served: Served, value: Any) -> None:
    with pytest.raises(DataError, match="word 2: expected") as caught:
        served.predict(["kepet", value])
    assert len(str(caught.value)) < 120


def test_a_table_without_the_column_is_refused(served: Served) -> None:
    with pytest.raises(DataError, match="expected a column form, found"):
        served.predict(pd.DataFrame({"lemma": ["a"], "label": ["b"]}))
