"""Errors, confusions and slices."""

from __future__ import annotations

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


def predictions(rows: list[Row], names: list[str] = LABELS) -> pa.Table:
    lemmas, forms, labels, shares = zip(*rows, strict=True)
    base = sample(*zip(lemmas, forms, labels, strict=True))
    predicted = pa.array([names[share.index(max(share))] for share in shares])
    schema = tables.predictions(names)
    vectors = pa.array(shares, schema.field("probabilities").type)
    highest = pa.array([max(share) for share in shares], pa.float32())
    return pa.Table.from_arrays(
        [*base.select(tables.ROWS.names).columns, predicted, predicted, highest, vectors], schema=schema
    )


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


@pytest.mark.parametrize("rows", [ROWS, ROWS[::-1]])
def test_errors_come_most_confident_first_and_confusions_most_frequent_first(rows: list[Row]) -> None:
    found = analyse(*rows)
    columns = ["form", "label", "predicted", "probability", "label_probability", "unknown"]
    assert [tuple(row) for row in found.errors[columns].itertuples(index=False)] == [
        ("cdt", "ACC", "NOM", 0.875, 0.125, ""),
        ("cxy", "NOM", "ACC", 0.875, 0.125, "xy"),
        ("abt", "ACC", "NOM", 0.625, 0.375, ""),
        ("ddddd", "DAT", "ACC", 0.5, 0.0, ""),
    ]
    assert [tuple(row) for row in found.confusions.itertuples(index=False)] == [
        ("ACC", "NOM", 2),
        ("DAT", "ACC", 1),
        ("NOM", "ACC", 1),
    ]


def test_slices_share_length_symbols_label_or_what_was_seen_in_training() -> None:
    found = analyse(*ROWS, ("a", "\U0001f600" * 4, "NOM", [0.25, 0.75])).slices
    assert [tuple(row) for row in found.iloc[:, :4].itertuples(index=False)] == [
        ("length", "1–4 symbols", 5, 3),
        ("length", "5–8 symbols", 1, 1),
        ("unknown symbols", "none", 4, 3),
        ("unknown symbols", "some", 2, 1),
        ("values", "one", 6, 4),
        ("true value", "ACC", 2, 2),
        ("true value", "DAT", 1, 1),
        ("true value", "NOM", 3, 1),
        ("lemma in training", "seen", 2, 1),
        ("lemma in training", "unseen", 4, 3),
        ("family head in training", "seen", 3, 2),  # abcd ends in cd
        ("family head in training", "unseen", 3, 2),
        ("form in training", "seen", 1, 1),
        ("form in training", "unseen", 5, 3),
        ("final trigram in training", "seen", 1, 1),
        ("final trigram in training", "unseen", 5, 3),
        ("symbols in training", "seen", 4, 3),
        ("symbols in training", "unseen", 2, 1),
    ]
    assert (found["accuracy"] == 1 - found["errors"] / found["rows"]).all()


def test_a_form_of_several_labels_is_an_error_if_none_of_them_is_predicted() -> None:
    found = analyse(
        ("ab", "ab", "ACC/NOM", [0.25, 0.75]),
        ("ab", "abt", "ACC", [0.125, 0.875]),
        ("dd", "dd", "DAT/GEN", [0.5, 0.5]),
        ("dx", "dt", "DAT/NOM", [0.625, 0.375]),
    )
    columns = ["form", "label", "predicted", "probability", "label_probability"]
    assert [tuple(row) for row in found.errors[columns].itertuples(index=False)] == [
        ("abt", "ACC", "NOM", 0.875, 0.125),
        ("dt", "DAT/NOM", "ACC", 0.625, 0.375),
        ("dd", "DAT/GEN", "ACC", 0.5, 0.0),
    ]
    labels = found.slices[found.slices["slice"] == "true value"]
    assert [tuple(row) for row in labels[["value", "rows", "errors"]].to_numpy()] == [
        ("ACC", 2, 1),
        ("DAT", 2, 2),
        ("GEN", 1, 1),
        ("NOM", 2, 1),
    ]


@pytest.mark.parametrize(("rows", "errors"), [(ROWS, 4), (ROWS[:1], 0)])
def test_the_table_has_its_schema_and_the_summary_counts(rows: list[Row], errors: int) -> None:
    found = analyse(*rows)
    assert error_analysis.table(found).schema.equals(tables.ERRORS, check_metadata=True)
    summary = error_analysis.summary(found)
    assert (summary["rows"], summary["errors"]) == (len(rows), errors)
    assert sum(summary["kinds"].values()) == errors


def test_the_probability_of_a_form_of_several_labels_is_that_of_all_of_them() -> None:
    names = ["ACC", "DAT", "NOM"]
    table = predictions([("ab", "abt", "ACC/DAT", [0.25, 0.125, 0.625])], names)
    found = error_analysis.analyse(table, Vocabulary.build(["abcdt"], names), shown(TRAIN, table))
    assert found.errors["label_probability"].tolist() == [0.375]
