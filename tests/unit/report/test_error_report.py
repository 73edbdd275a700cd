from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from esetrag.analysis import error_analysis, stress
from esetrag.core import config, tables
from esetrag.report import error_report
from esetrag.symbols.vocabulary import Vocabulary
from tests.unit.showing import shown

LABELS = ["ACC", "NOM"]


def page(wrong: int, right: int, how: config.ErrorAnalysis, attributions: pa.Table | None = None) -> str:
    rows = [("NOM", [1 - i / 1000, i / 1000]) for i in range(wrong)] + [("NOM", [0.25, 0.75])] * right
    columns = {
        "lemma": [f"szó{i}" for i in range(len(rows))],
        "form": [f"szó{i}" for i in range(len(rows))],
        "features": ["N;NOM;SG"] * len(rows),
        "label": [label for label, _ in rows],
        "predicted": [LABELS[shares.index(max(shares))] for _, shares in rows],
        "predicted_set": [LABELS[shares.index(max(shares))] for _, shares in rows],
        "probability": [max(shares) for _, shares in rows],
        "probabilities": [shares for _, shares in rows],
    }
    predictions = pa.Table.from_pydict(columns, schema=tables.predictions(LABELS))
    vocabulary = Vocabulary.build(["szó0123456789"], LABELS)
    found = error_analysis.analyse(predictions, vocabulary, shown(predictions.select(tables.SAMPLE.names)))
    stressed = pd.DataFrame(
        [["capitals", 1234, 0.5, 0.25, float("nan"), "SZÓ (NOM → ACC)"]],
        columns=["set", "forms", *stress.SHARES, "examples"],
    )
    return error_report.page("hun-noun-case", found, stressed, how, attributions)


@pytest.fixture
def how() -> config.ErrorAnalysis:
    return config.ErrorAnalysis(examples=10, confusions=5)


def test_the_page_shows_share_confusions_slices_and_forms(how: config.ErrorAnalysis) -> None:
    text = page(3, 7, how)
    assert "3 of 10 test forms are misread (30.00%)." in text
    assert "| NOM | ACC | 3 |" in text
    assert "## Accuracy by length" in text
    assert "| 1–4 symbols | 10 | 3 | 70.00% |" in text
    assert "| seen | 10 | 3 | 70.00% |" in text.split("## Accuracy by family head in training")[1]
    assert "| capitals | 1,234 | 50.00% | 25.00% |  | SZÓ (NOM → ACC) |" in text
    assert "| rest | none of these | 3 | 100.00% | szó0 (NOM → ACC), " in text
    assert "| **szó0** | szó0 | N;NOM;SG | NOM | ACC | 100.0% | 0.0% |  |" in text
    assert "| **szó2** | szó2 | N;NOM;SG | NOM | ACC | 99.8% | 0.2% |  |" in text
    assert text.endswith("|\n")


def test_no_more_forms_are_shown_than_wanted_the_surest_first(how: config.ErrorAnalysis) -> None:
    text = page(30, 0, how)
    assert (
        "The 10 misread with most confidence of 30; all are in `data/hun-noun-case/errors.parquet`." in text
    )
    shown = [line.split("**")[1] for line in text.splitlines() if "**" in line]
    assert shown == [f"szó{i}" for i in range(10)]


def test_a_page_without_errors_has_no_empty_tables(how: config.ErrorAnalysis) -> None:
    text = page(0, 4, how)
    assert "0 of 4 test forms are misread (0.00%)." in text
    assert "confusions" not in text
    assert "Kinds of errors" not in text
    assert "## The forms" not in text
    assert "| NOM | 4 | 0 | 100.00% |" in text


def test_the_letters_that_did_most_are_in_bold(how: config.ErrorAnalysis) -> None:
    looked = {
        "form": ["szó0", "szó1", "szó2"],
        "label": ["NOM"] * 3,
        "predicted": ["ACC"] * 3,
        "against": ["NOM"] * 3,
        "rest": [0.0] * 3,
        "letters": [[0.0, 1.9, 0.1, 3.0], [2.0, 0.9, 2.0, 2.0], [-1.0, -2.0, 0.0, 0.0]],
    }
    text = page(4, 0, how, pa.Table.from_pydict(looked, schema=tables.ATTRIBUTIONS))
    shown = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if "N;NOM;SG" in line]
    assert shown == ["s**z**ó**0**", "**s**z**ó1**", "szó2", "**szó3**"], "the last was not looked at"
    assert "In bold what did most for the label read." in text
