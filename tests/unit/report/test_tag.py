"""Tables of words that were split wrongly."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa

from esetrag.core import tables
from esetrag.report import tag, transduce
from esetrag.report.section import Letters
from tests.unit.report.artifacts import OPTIONS

ERRORS = {
    "form": ["házak", "kertet"],
    "label": ["stem:ház|number:ak", "a/b"],
    "predicted": ["stem:háza|number:k", "a"],
    "predicted_set": ["stem:háza|number:k", "a/b"],
    "probability": [0.9, 0.5],
    "label_probability": [0.1, 0.4],
    "kind": ["boundary shifted", "other"],
    "lemma": ["ház", "kertet"],
    "features": ["N", "N"],
    "unknown": ["", "x"],
}


def context(letters: list[float]) -> Any:
    """What the tables need of all artifacts."""
    rows = [["házak"], ["stem:ház|number:ak"], ["stem:háza|number:k"], [letters]]
    return SimpleNamespace(
        analysis=SimpleNamespace(errors=pd.DataFrame(ERRORS)),
        attributions=pa.table(rows, schema=tables.TAGGED),
        options=OPTIONS,
    )


def test_segments_differ_in_colour() -> None:
    shown = tag.coloured("stem:ház|number:ak|case:ban|x")
    assert shown == Letters("ház|ak|ban|x", (0, 0, 0, 0, 1, 1, 0, -1, -1, -1, 0, 0))


def test_letters_whose_tags_are_uncertain_stand_out() -> None:
    frame = tag.errors(context([1.0, 1.0, 1.0, 0.5, 0.875])).frame
    assert frame["form"].tolist() == [Letters("házak", (0, 0, 0, 0.5, 0.125)), "kertet"]
    assert frame["label"][0] == tag.coloured("stem:ház|number:ak")
    assert [value for value in frame["predicted_set"] if isinstance(value, str)] == ["a/b"]


def test_of_words_written_wrongly_only_what_says_more_is_shown() -> None:
    frame = transduce.errors(context([])).frame
    assert [value for value in frame["predicted_set"] if isinstance(value, str)] == ["a/b"]
    assert [value for value in frame["lemma"] if isinstance(value, str)] == ["ház"]
