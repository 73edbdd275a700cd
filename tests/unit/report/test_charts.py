from __future__ import annotations

import warnings
from collections.abc import Callable
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from esetrag.report import charts
from esetrag.training.history import Epoch


def results(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["reader", "accuracy", "low", "high"])


def course(*losses: float, accuracy: float = 0.9) -> list[Epoch]:
    return [Epoch(i, loss, accuracy, loss, accuracy, 0.01) for i, loss in enumerate(losses)]


BINS = pd.DataFrame(
    {
        "reader": ["this reader"] * 2 + ["suffix"] * 2,
        "low": [0.0, 0.5] * 2,
        "high": [0.5, 1.0] * 2,
        "forms": [0, 40, 3, 37],
        "confidence": [np.nan, 0.9, 0.4, 0.8],
        "accuracy": [np.nan, 0.95, 0.5, 0.9],
    }
)
MASKED = pd.DataFrame({"symbols": range(9), "without_last": 0.1, "only_last": 0.9, "forms": 100})
COVERED = pd.DataFrame({"coverage": [0.5, 1.0], "risk": [0.0, 0.1], "threshold": [0.9, 0.2]})

PICTURES: dict[str, Callable[[], str]] = {
    "readers": lambda: charts.readers(results(("suffix", 0.9, 0.88, 0.92), ("this", 0.95, 0.94, 0.96)), 1.0),
    "readers all alike": lambda: charts.readers(results(("this reader", 1.0, 1.0, 1.0)), 1.0),
    "learning": lambda: charts.learning(course(2.0, 1.0, 0.5, 0.7)),
    "learning of one epoch": lambda: charts.learning(course(2.0)),
    "learning without errors": lambda: charts.learning(course(0.0, 0.0, accuracy=1.0)),
    "masked": lambda: charts.masked(MASKED),
    "reliability": lambda: charts.reliability(BINS),
    "coverage": lambda: charts.coverage(COVERED),
    "coverage without errors": lambda: charts.coverage(COVERED.assign(risk=0.0)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_an_svg_of_the_same_bytes_each_time(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = PICTURES[name]()
    assert one == PICTURES[name]()
    tree = ET.fromstring(one)
    assert tree.tag == "svg"
    assert "viewBox" in tree.attrib
    assert any(element.text for element in tree.iter("text")), "letters are letters, not curves"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_takes_its_colours_from_the_page_and_nothing_from_elsewhere(name: str) -> None:
    svg = PICTURES[name]()
    assert "var(--ink)" in svg or "var(--soft)" in svg
    assert "http" not in svg
    assert "matplotlib" not in svg.lower()
    assert not any(colour in svg for colour in charts.VARIABLES)


def test_two_pictures_of_a_page_have_no_id_in_common() -> None:
    ids = [
        {element.attrib["id"] for element in ET.fromstring(draw()).iter() if "id" in element.attrib}
        for draw in (PICTURES["learning"], PICTURES["masked"], PICTURES["reliability"], PICTURES["coverage"])
    ]
    assert all(ids)
    assert len(set().union(*ids)) == sum(map(len, ids))


def test_what_a_picture_refers_to_is_in_it() -> None:
    tree = ET.fromstring(PICTURES["learning"]())
    ids = {element.attrib["id"] for element in tree.iter() if "id" in element.attrib}
    used = {element.attrib["href"][1:] for element in tree.iter("use")}
    assert used
    assert used <= ids
