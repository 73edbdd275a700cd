from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.pyfunc import load_model, save_model

from esetrag.core.errors import DataError, ParamsError
from esetrag.predict.pyfunc import SIGNATURE, Served, load
from esetrag.tracking import log_run, store

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


@pytest.mark.parametrize(
    "words",
    ["kepet", {"form": "kepet"}, {"form": ["kepet"]}, [{"form": "kepet"}], np.array([["kepet"]])],
    ids=["text", "record", "columns", "records", "array of rows"],
)
def test_a_record_is_no_list_of_its_names(served: Served, words: Any) -> None:
    assert list(served.predict(words)["form"]) == ["kepet"]


def saved(checkpoint: Path, folder: Path) -> Any:
    """The model as MLflow loads it."""
    save_model(
        str(folder),
        python_model=str(log_run.MODEL_CODE),
        artifacts={store.CHECKPOINT: str(checkpoint)},
        signature=ModelSignature.from_dict(SIGNATURE),
        pip_requirements=[],
    )
    return load_model(str(folder))


def test_mlflow_hands_on_the_column_of_words_not_the_first_one(tiny_checkpoint: Path, tmp_path: Path) -> None:
    model = saved(tiny_checkpoint, tmp_path / "model")
    table = pd.DataFrame({"more": ["x", "y"], "form": ["kepet", "kanaban"]})
    answer = model.predict(table, params={"top_k": 2})
    assert list(answer["form"]) == list(model.predict(["kepet", "kanaban"])["form"]) == ["kepet", "kanaban"]
    assert [len(labels) for labels in answer["labels"]] == [2, 2]
    with pytest.raises(DataError, match="expected a column form, found"):
        model.predict(table.rename(columns={"form": "word"}))


def test_mlflow_hands_on_words_with_their_features(toy_checkpoint: Path, tmp_path: Path) -> None:
    model = saved(toy_checkpoint, tmp_path / "model")
    table = pd.DataFrame({"features": ["N;ACC;SG", "N;DAT;SG"], "form": ["bara", "dora"]})
    assert list(model.predict(table)["label"]) == ["barat", "doranak"]
    assert list(model.predict(["bara\tN;ACC;SG"])["label"]) == ["barat"]
    with pytest.raises(DataError, match=r"word 2: expected text in UTF-8, found"):
        model.predict(table.assign(form=pd.Series(["bara", None])))
