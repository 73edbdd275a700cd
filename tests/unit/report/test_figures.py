from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from esetrag.core import files
from esetrag.report import drawing, figures
from esetrag.training.history import Epoch


def epochs(*losses: float, accuracy: float = 0.9) -> list[Epoch]:
    return [Epoch(number, loss, accuracy, loss, accuracy, 0.01) for number, loss in enumerate(losses)]


def counts(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["label", "predicted", "forms"])


def lengths(train: list[str], test: list[str], longest: int | None) -> Figure:
    parts = {"train": pa.chunked_array([pa.array(train)]), "test": pa.chunked_array([pa.array(test)])}
    return figures.lengths(parts, longest)


def means(test: float, bound: float, reach: float, *forms: int) -> pd.DataFrame:
    models = {
        **dict.fromkeys(["majority", "suffix", "logistic", "bilstm", "ngram"], test),
        "upper bound": bound,
    }
    return pd.DataFrame(
        [
            {
                "model": name,
                "forms": size,
                "seeds": 3,
                "test": of,
                "low": of - reach,
                "high": min(of + reach, 1),
            }
            for name, of in models.items()
            for size in forms
        ]
    )


MASKED = pd.DataFrame({"symbols": range(9), "without_last": 0.1, "only_last": 0.9, "forms": 100})
COVERED = pd.DataFrame({"coverage": [0.5, 1.0], "risk": [0.0, 0.1], "threshold": [0.9, 0.2]})
PICTURES: dict[str, Callable[[], Figure]] = {
    "curves": lambda: figures.curves(epochs(2.0, 1.0, 0.5, 0.7)),
    "curves of one epoch": lambda: figures.curves(epochs(2.0)),
    "curves without errors": lambda: figures.curves(epochs(0.0, 0.0, accuracy=1.0)),
    "confusion": lambda: figures.confusion(
        counts(("NOM", "NOM", 9), ("ACC", "NOM", 1), ("NOM", "IN+ESS", 4))
    ),
    "confusion of one label": lambda: figures.confusion(counts(("NOM", "NOM", 3))),
    "confusion of a label of no form": lambda: figures.confusion(counts(("NOM", "ACC", 1))),
    "confusion of many labels": lambda: figures.confusion(
        counts(*((f"CASE{i}", f"CASE{(i * 7) % 60}", 1) for i in range(60)))
    ),
    "lengths": lambda: lengths(["a", "abcdef"], ["őz", "\U0001f600"], 5),
    "lengths of other units": lambda: lengths(["ab"], ["abcd"], None),
    "reliability": lambda: figures.reliability(np.linspace(0.2, 1, 50), np.r_[np.zeros(10), np.ones(40)]),
    "reliability of one form": lambda: figures.reliability(np.array([1.0]), np.array([0.5])),
    "coverage": lambda: figures.coverage(COVERED),
    "coverage without errors": lambda: figures.coverage(COVERED.assign(risk=0.0)),
    "masking": lambda: figures.masking(MASKED),
    "learning curve": lambda: figures.learning_curve(means(0.8, 0.9, 0.05, 30, 100), "toy"),
    "learning curve without errors": lambda: figures.learning_curve(means(1, 1, 0, 30, 100), "toy"),
    "learning curve of one point": lambda: figures.learning_curve(means(0.8, 1, float("nan"), 30), "toy"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_each_time_and_takes_its_colours_from_the_page(
    name: str, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for file in ("one", "two"):
            figure = PICTURES[name]()
            files.write_text(tmp_path / f"{file}.svg", drawing.svg(figure, "name"))
            drawing.write_png(tmp_path / f"{file}.png", figure)
    svg = (tmp_path / "one.svg").read_text("utf-8")
    assert svg == (tmp_path / "two.svg").read_text("utf-8")
    data = (tmp_path / "one.png").read_bytes()
    assert data == (tmp_path / "two.png").read_bytes()
    assert min(struct.unpack(">II", data[16:24])) >= 300
    assert plt.get_fignums() == [], "a figure left open is memory lost"
    tree = ET.fromstring(svg)
    assert tree.tag == "svg"
    assert "viewBox" in tree.attrib
    assert any(element.text for element in tree.iter("text")), "letters are letters, not curves"
    assert "var(--ink)" in svg or "var(--soft)" in svg
    assert not any(text in svg.lower() for text in ("http", "matplotlib", drawing.INK, *drawing.SERIES))
    ids = {element.attrib["id"] for element in tree.iter() if "id" in element.attrib}
    assert {element.attrib["href"][1:] for element in tree.iter("use")} <= ids


def test_two_pictures_of_a_page_have_no_id_in_common() -> None:
    names = ("curves", "masking", "reliability", "coverage")
    trees = [ET.fromstring(drawing.svg(PICTURES[name](), name)) for name in names]
    ids = [{element.attrib["id"] for element in tree.iter() if "id" in element.attrib} for tree in trees]
    assert all(ids)
    assert len(set().union(*ids)) == sum(map(len, ids))


def test_of_very_many_labels_those_with_most_errors_are_shown() -> None:
    rows = [(f"L{number:02}", f"L{number:02}", 5) for number in range(60)] + [("L59", "L58", 3)]
    figure = figures.confusion(counts(*rows))
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert len(labels) == figures.MOST_LABELS
    assert {"L58", "L59"} <= {*labels}
    assert "3" in [text.get_text() for text in figure.axes[0].texts]
    assert "62.5" in [text.get_text() for text in figure.axes[0].texts], "recall of L59"
