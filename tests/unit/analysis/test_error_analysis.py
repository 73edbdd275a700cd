"""Errors, confusions and slices."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.analysis import error_analysis
from esetrag.analysis.error_analysis import Analysis
from esetrag.core import tables
from esetrag.symbols.vocabulary import Vocabulary
from tests.unit.showing import sample, shown

LABELS = ["ACC", "NOM"]
VOCABULARY = Vocabulary.build(["abcdt"], LABELS)
TRAIN = sample(("abcd", "abcd", "NOM"), ("ab", "abt", "ACC"))

Row = tuple[str, str, str, list[float]]  # lemma, form, true label, probabilities


def predictions(rows: list[Row]) -> pa.Table:
    schema = tables.predictions(LABELS)
    columns = {
        "lemma": [row[0] for row in rows],
        "form": [row[1] for row in rows],
        "features": [f"N;{row[2]};SG" for row in rows],
        "label": [row[2] for row in rows],
        "predicted": [LABELS[row[3].index(max(row[3]))] for row in rows],
        "predicted_set": [LABELS[row[3].index(max(row[3]))] for row in rows],
        "probability": [max(row[3]) for row in rows],
        "probabilities": [row[3] for row in rows],
    }
    return pa.Table.from_pydict(columns, schema=schema)


def analyse(*rows: Row) -> Analysis:
    table = predictions(list(rows))
    return error_analysis.analyse(table, VOCABULARY, shown(TRAIN, table))


ROWS: list[Row] = [
    ("ab", "ab", "NOM", [0.25, 0.75]),
    ("ab", "abt", "ACC", [0.375, 0.625]),
    ("cd", "cdt", "ACC", [0.125, 0.875]),
    ("cx", "cxy", "NOM", [0.875, 0.125]),
    ("dd", "ddddd", "DAT", [0.5, 0.5]),
]


def test_the_errors_come_most_confident_first_with_the_probability_of_the_true_label() -> None:
    found = analyse(*ROWS)
    assert found.rows == 5
    columns = ["form", "label", "predicted", "probability", "label_probability", "unknown"]
    assert [tuple(row) for row in found.errors[columns].itertuples(index=False)] == [
        ("cdt", "ACC", "NOM", 0.875, 0.125, ""),
        ("cxy", "NOM", "ACC", 0.875, 0.125, "xy"),
        ("abt", "ACC", "NOM", 0.625, 0.375, ""),
        ("ddddd", "DAT", "ACC", 0.5, 0.0, ""),
    ]


def test_the_order_of_the_rows_is_without_influence() -> None:
    one, other = analyse(*ROWS), analyse(*reversed(ROWS))
    assert one.errors.equals(other.errors)
    assert one.confusions.equals(other.confusions)
    assert one.slices.equals(other.slices)


def test_confusions_come_most_frequent_first_then_by_alphabet() -> None:
    found = analyse(*ROWS).confusions
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("ACC", "NOM", 2),
        ("DAT", "ACC", 1),
        ("NOM", "ACC", 1),
    ]


def test_slices_share_length_symbols_label_or_what_was_seen_in_training() -> None:
    found = analyse(*ROWS).slices
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("length", "1–4 symbols", 4, 3, 0.25),
        ("length", "5–8 symbols", 1, 1, 0.0),
        ("unknown symbols", "none", 4, 3, 0.25),
        ("unknown symbols", "some", 1, 1, 0.0),
        ("values", "one", 5, 4, 1 - 4 / 5),
        ("true value", "ACC", 2, 2, 0.0),
        ("true value", "DAT", 1, 1, 0.0),
        ("true value", "NOM", 2, 1, 0.5),
        ("lemma in training", "seen", 2, 1, 0.5),
        ("lemma in training", "unseen", 3, 3, 0.0),
        ("family head in training", "seen", 3, 2, 1 - 2 / 3),  # abcd ends in cd
        ("family head in training", "unseen", 2, 2, 0.0),
        ("form in training", "seen", 1, 1, 0.0),
        ("form in training", "unseen", 4, 3, 0.25),
        ("final trigram in training", "seen", 1, 1, 0.0),
        ("final trigram in training", "unseen", 4, 3, 0.25),
        ("symbols in training", "seen", 4, 3, 0.25),
        ("symbols in training", "unseen", 1, 1, 0.0),
    ]


SETS: list[Row] = [
    ("ab", "ab", "ACC/NOM", [0.25, 0.75]),
    ("cd", "cd", "ACC/NOM", [0.75, 0.25]),
    ("ab", "abt", "ACC", [0.125, 0.875]),
    ("dd", "dd", "DAT/GEN", [0.5, 0.5]),
    ("dx", "dt", "DAT/NOM", [0.625, 0.375]),
]


def test_a_form_of_several_labels_is_an_error_if_none_of_them_is_predicted() -> None:
    errors = analyse(*SETS).errors
    columns = ["form", "label", "predicted", "predicted_set", "probability", "label_probability"]
    assert [tuple(row) for row in errors[columns].itertuples(index=False)] == [
        ("abt", "ACC", "NOM", "NOM", 0.875, 0.125),
        ("dt", "DAT/NOM", "ACC", "ACC", 0.625, 0.375),
        ("dd", "DAT/GEN", "ACC", "ACC", 0.5, 0.0),
    ]


def test_the_probabilities_of_the_true_labels_add_up() -> None:
    labels = ["ABL", "ACC", "NOM"]
    columns = {
        "lemma": ["ab"], "form": ["ab"], "features": ["N;ACC | N;NOM"], "label": ["ACC/NOM"],
        "predicted": ["ABL"], "predicted_set": ["ABL/ACC"], "probability": [0.5],
        "probabilities": [[0.5, 0.375, 0.125]],
    }  # fmt: skip
    table = pa.Table.from_pydict(columns, schema=tables.predictions(labels))
    found = error_analysis.analyse(table, Vocabulary.build(["ab"], labels), shown(TRAIN, table))
    assert found.errors["label_probability"].tolist() == [0.5]
    assert found.errors["predicted_set"].tolist() == ["ABL/ACC"]


def test_a_form_counts_under_each_of_its_values() -> None:
    found = analyse(*SETS).slices
    assert [tuple(row) for row in found[found["slice"].str.startswith(("val", "true"))].to_numpy()] == [
        ("values", "one", 1, 1, 0.0),
        ("values", "several", 4, 2, 0.5),
        ("true value", "ACC", 3, 1, pytest.approx(2 / 3)),
        ("true value", "DAT", 2, 2, 0.0),
        ("true value", "GEN", 1, 1, 0.0),
        ("true value", "NOM", 3, 1, pytest.approx(2 / 3)),
    ]


@pytest.mark.parametrize("length", [1, 4, 5, 8, 9, 40])
def test_every_form_is_in_one_slice_of_length(length: int) -> None:
    found = analyse(("a", "a" * length, "NOM", [0.25, 0.75])).slices
    [named] = found.loc[found["slice"] == "length", "value"].tolist()
    low, high = (int(edge) for edge in str(named).removesuffix(" symbols").split("–"))
    assert low <= length <= high


def test_lengths_are_counted_in_symbols() -> None:
    found = analyse(("a", "\U0001f600" * 4, "NOM", [0.25, 0.75])).slices
    assert found["value"].tolist()[0] == "1–4 symbols"


def test_the_table_of_errors_has_its_schema_and_survives_its_file(tmp_path: Path) -> None:
    found = error_analysis.table(analyse(*ROWS))
    assert found.schema.equals(tables.ERRORS, check_metadata=True)
    tables.write(tmp_path / "errors.parquet", found)
    assert tables.read(tmp_path / "errors.parquet", tables.ERRORS).equals(found)
    assert found["form"].to_pylist() == ["cdt", "cxy", "abt", "ddddd"]


def test_there_may_be_no_errors() -> None:
    found = analyse(ROWS[0])
    assert (found.rows, len(found.errors), len(found.confusions)) == (1, 0, 0)
    table = error_analysis.table(found)
    assert (len(table), table.schema.equals(tables.ERRORS)) == (0, True)
    assert error_analysis.summary(found)["errors"] == 0


def test_the_summary_is_json_of_a_few_figures() -> None:
    content = json.loads(json.dumps(error_analysis.summary(analyse(*ROWS)), allow_nan=False))
    assert sum(content.pop("kinds").values()) == 4
    assert content == {"rows": 5, "errors": 4, "confused_pairs": 3, "with_unknown_symbols": 1}
