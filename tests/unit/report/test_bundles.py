from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from esetrag.core import files
from esetrag.report import bundles, pages
from esetrag.report.context import Context
from tests.unit.report import artifacts
from tests.unit.report.artifacts import OPTIONS, table_of


def test_each_feature_stands_beside_the_baselines(tmp_path: Path) -> None:
    layout = artifacts.write(tmp_path)
    figures = artifacts.figures()
    scores = {name: {"accuracy": 0.5, "low": 0.4, "high": 0.6, "ece": 0.1} for name in figures["models"]}
    files.write_json(layout.metrics / "test.json", figures | {"features": {"Case": scores, "Number": scores}})
    pages.write(Context.read(layout, OPTIONS))
    table = table_of((layout.metrics / "model_card.md").read_text("utf-8"), "Each feature")
    assert table["feature"].tolist() == ["Case"] * 5 + ["Number"] * 5
    assert table["model"].tolist()[:5] == [
        "majority-class baseline",
        "longest-suffix baseline",
        "logistic regression",
        "n-grams",
        "BiLSTM",
    ]
    assert table["interval"][0] == "40.00%–60.00%"
    assert "Each feature" in (layout.metrics / "report.html").read_text("utf-8")


def test_features_that_are_wrong_together_are_counted() -> None:
    rows = [
        ("NOM;SG", "NOM;SG"),
        ("NOM;SG", "NOM;PL"),
        ("NOM;SG", "ACC;PL"),
        ("ACC;SG/NOM;SG", "ACC;PL"),
        ("ACC;SG/NOM;PL", "NOM;SG"),
    ]
    labels, predicted = zip(*rows, strict=True)
    table = pa.table({"label": labels, "predicted": predicted})
    found = bundles.wrong_together(table, ["Case", "Number"])
    assert found.to_numpy().tolist() == [["Number", 2], ["Case and Number", 1], ["the combination", 1]]
