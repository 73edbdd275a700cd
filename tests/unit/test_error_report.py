from __future__ import annotations

import pyarrow as pa
import pytest

from esetrag import analysis, error_report, params, tables
from esetrag.vocab import Vocabulary

LABELS = ["ACC", "NOM"]


def page(wrong: int, right: int, how: params.ErrorAnalysis) -> str:
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
    return error_report.page("hun-noun-case", analysis.analyse(predictions, vocabulary), how)


@pytest.fixture
def how() -> params.ErrorAnalysis:
    return params.ErrorAnalysis(examples=10, confusions=5)


def test_the_page_shows_share_confusions_slices_and_forms(how: params.ErrorAnalysis) -> None:
    text = page(3, 7, how)
    assert "3 of 10 test forms are misread (30.00%)." in text
    assert "| NOM | ACC | 3 |" in text
    assert "## Accuracy by length" in text
    assert "| 1–4 symbols | 10 | 3 | 70.00% |" in text
    assert "| **szó0** | szó0 | N;NOM;SG | NOM | ACC | 100.0% | 0.0% |  |" in text
    assert "| **szó2** | szó2 | N;NOM;SG | NOM | ACC | 99.8% | 0.2% |  |" in text
    assert text.endswith("|\n")


def test_no_more_forms_are_shown_than_wanted_the_surest_first(how: params.ErrorAnalysis) -> None:
    text = page(30, 0, how)
    assert (
        "The 10 misread with most confidence of 30; all are in `data/hun-noun-case/errors.parquet`." in text
    )
    shown = [line.split("**")[1] for line in text.splitlines() if "**" in line]
    assert shown == [f"szó{i}" for i in range(10)]


def test_a_page_without_errors_has_no_empty_tables(how: params.ErrorAnalysis) -> None:
    text = page(0, 4, how)
    assert "0 of 4 test forms are misread (0.00%)." in text
    assert "confusions" not in text
    assert "## The forms" not in text
    assert "| NOM | 4 | 0 | 100.00% |" in text
