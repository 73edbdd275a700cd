from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from esetrag.reader import Reader
from esetrag.serving import Served, _load_pyfunc


@pytest.fixture
def served(tiny_checkpoint: Path) -> Served:
    return _load_pyfunc(str(tiny_checkpoint))


def test_a_table_of_forms_gives_label_and_probability_row_by_row(
    served: Served, tiny_checkpoint: Path
) -> None:
    forms = ["lomtara", "kepet", "verben", "kanaban"]
    answer = served.predict(pd.DataFrame({"more": [1, 2, 3, 4], "form": forms}))
    readings = Reader.load(tiny_checkpoint).predict(forms)
    assert list(answer.columns) == ["label", "probability"]
    assert answer["label"].tolist() == [reading.labels[0] for reading in readings]
    assert answer["probability"].tolist() == [reading.probabilities[0] for reading in readings]


def test_the_index_of_the_table_is_without_influence(served: Served) -> None:
    forms = pd.DataFrame({"form": ["kanaban", "kepet"]})
    expected = served.predict(forms)
    pd.testing.assert_frame_equal(served.predict(forms.set_index(pd.Index([7, 3]))), expected)
    pd.testing.assert_frame_equal(served.predict(forms, params={}), expected)


def test_an_empty_table_gives_an_empty_answer(served: Served) -> None:
    answer = served.predict(pd.DataFrame({"form": []}))
    assert (list(answer.columns), len(answer)) == (["label", "probability"], 0)
