from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pyarrow as pa
import pytest

from esetrag.report import plots
from esetrag.tracking import learning_curve
from esetrag.training.history import Epoch

Draw = Callable[[Path], None]


def forms(*words: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(words, pa.string())])


def read(pairs: list[tuple[str, str]]) -> pa.Table:
    return pa.table({"label": [gold for gold, _ in pairs], "predicted": [label for _, label in pairs]})


def course(*losses: float, accuracy: float = 0.9) -> list[Epoch]:
    return [Epoch(i, loss, accuracy, loss, accuracy, 0.01) for i, loss in enumerate(losses)]


def means(test: float, ceiling: float, reach: float, *forms: int) -> pd.DataFrame:
    tests = [*((name, test) for name in learning_curve.MODELS), (learning_curve.UPPER_BOUND, ceiling)]
    rows = [
        {"model": name, "forms": size, "seeds": 3, "test": of, "low": of - reach, "high": min(of + reach, 1)}
        for name, of in tests
        for size in forms
    ]
    return pd.DataFrame(rows)


PICTURES: dict[str, Draw] = {
    "lengths of other units": lambda path: plots.lengths(
        path, {"train": forms("ab"), "dev": forms("abc"), "test": forms("abcd")}, None
    ),
    "learning curve": lambda path: plots.learning_curve(path, means(0.8, 0.9, 0.05, 30, 100), "toy"),
    "learning curve without errors": lambda path: plots.learning_curve(path, means(1, 1, 0, 30, 100), "toy"),
    "learning curve of one point": lambda path: plots.learning_curve(
        path, means(0.8, 1, float("nan"), 30), "toy"
    ),
    "lengths": lambda path: plots.lengths(
        path, {"train": forms("a", "abc", "abcdef"), "dev": forms("ab"), "test": forms("őz", "\U0001f600")}, 5
    ),
    "lengths of one length": lambda path: plots.lengths(
        path, {"train": forms("ab"), "dev": forms("ab"), "test": forms("ab")}, 2
    ),
    "curves": lambda path: plots.curves(path, course(2.0, 1.0, 0.5, 0.7)),
    "curves of one epoch": lambda path: plots.curves(path, course(2.0, 1.0)),
    "curves without errors": lambda path: plots.curves(path, course(2.0, 1e-9, accuracy=1.0)),
    "confusion": lambda path: plots.confusion(
        path, read([("NOM", "NOM"), ("ACC", "NOM"), ("NOM", "IN+ESS"), ("ACC", "ACC")])
    ),
    "confusion of one label": lambda path: plots.confusion(path, read([("NOM", "NOM")] * 3)),
    "confusion without errors": lambda path: plots.confusion(path, read([("NOM", "NOM"), ("ACC", "ACC")])),
    "confusion of a label never borne": lambda path: plots.confusion(path, read([("NOM", "ACC")])),
    "confusion of many labels": lambda path: plots.confusion(
        path, read([(f"CASE{i}", f"CASE{(i * 7) % 40}") for i in range(40)])
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_png_of_the_same_bytes_each_time(tmp_path: Path, name: str) -> None:
    one, two = tmp_path / "one.png", tmp_path / "deep" / "two.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PICTURES[name](one)
    PICTURES[name](two)
    data = one.read_bytes()
    assert data == two.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert min(width, height) >= 300
    assert plt.get_fignums() == [], "a figure left open is memory lost"


def test_a_form_of_several_values_is_right_where_one_of_them_is_read(tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    plots.confusion(one, read([("ACC/NOM", "NOM"), ("ACC/NOM", "ACC"), ("ACC/NOM", "DAT")]))
    plots.confusion(other, read([("NOM", "NOM"), ("ACC", "ACC"), ("ACC", "DAT")]))
    assert one.read_bytes() == other.read_bytes()


def test_other_data_give_another_picture(tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    plots.confusion(one, read([("NOM", "NOM"), ("ACC", "NOM")]))
    plots.confusion(other, read([("NOM", "NOM"), ("ACC", "ACC")]))
    assert one.read_bytes() != other.read_bytes()
