from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from esetrag.core import tables
from esetrag.data import label_sets

VALUES = st.sampled_from(["ACC", "ESS", "IN+ESS", "NOM", "km/h", "50%2F"])
Cells = tuple[str | None, str, str | None, str, float | None]


def column(*texts: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


def rows(*cells: tuple[str, str, str, str]) -> pa.Table:
    return pa.table([*zip(*cells, strict=True), [None] * len(cells)], schema=tables.LABELLED)


@for_all(st.sets(st.text("a/%2F5", min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_label_is_its_values_whatever_their_text(values: set[str]) -> None:
    label = label_sets.join(values)
    assert set(label_sets.values(label)) == values
    assert label == label_sets.join([*values, *values])
    assert label.count("/") == len(values) - 1


@for_all(st.lists(st.sets(VALUES, min_size=1), min_size=1))
def test_labels_and_their_matrix_are_each_others_inverse(sets: list[set[str]]) -> None:
    labels = column(*map(label_sets.join, sets))
    names = label_sets.names(labels)
    matrix = label_sets.matrix(labels, names)
    assert [{names[i] for i in np.flatnonzero(row)} for row in matrix] == sets
    assert label_sets.labels(matrix, names) == labels.to_pylist()
    assert not label_sets.matrix(labels, ["other"]).any()


def test_more_values_than_a_number_has_bits_are_kept_apart() -> None:
    names = [f"v{number:03}" for number in range(130)]
    chosen = np.zeros((3, 130), dtype=bool)
    chosen[0, [0, 64]] = chosen[1, [0, 129]] = chosen[2, [0, 64]] = True
    assert label_sets.labels(chosen, names) == ["v000/v064", "v000/v129", "v000/v064"]


@for_all(st.lists(st.tuples(st.sets(VALUES, min_size=1), VALUES)))
def test_a_prediction_is_correct_if_it_is_one_of_the_true_values(pairs: list[tuple[set[str], str]]) -> None:
    labels = column(*(label_sets.join(values) for values, _ in pairs))
    predicted = column(*(value for _, value in pairs))
    assert label_sets.correct(labels, predicted).tolist() == [value in values for values, value in pairs]


def test_the_true_value_beside_a_prediction_is_the_same_if_that_is_true() -> None:
    beside = label_sets.beside(column("ACC/NOM", "ACC/NOM", "DAT"), column("NOM", "DAT", "DAT"))
    assert beside.to_pylist() == ["NOM", "ACC", "DAT"]


def test_a_form_stands_once_with_all_its_values_bundles_and_its_first_lemma() -> None:
    table = rows(
        ("Maus", "Mäuse", "N;NOM;PL", "NOM"),
        ("Haus", "Haus", "N;NOM;SG", "NOM"),
        ("Haus", "Haus", "N;ACC;SG", "ACC"),
        ("Aus", "Haus", "N;ACC;SG", "ACC"),
        ("Haus", "Häuser", "N;NOM/ACC;PL", "ACC/NOM"),
        ("Häuser", "Häuser", "N;NOM;SG", "NOM"),
    )
    expected = [
        ("Maus", "Mäuse", "N;NOM;PL", "NOM", 1.0),
        ("Aus", "Haus", "N;ACC;SG | N;NOM;SG", "ACC/NOM", 1.0),
        ("Haus", "Häuser", "N;NOM/ACC;PL | N;NOM;SG", "ACC/NOM", 1.0),
    ]
    assert [tuple(row.values()) for row in label_sets.of_forms(table).to_pylist()] == expected


def test_weights_of_a_form_are_added_and_missing_lemmas_stay_missing() -> None:
    cells: list[Cells] = [
        (None, "a", None, "x", 2.0),
        (None, "b", None, "x", 5.0),
        (None, "a", None, "y", 1.5),
    ]
    found = label_sets.of_forms(pa.table([*zip(*cells, strict=True)], schema=tables.LABELLED))
    assert found.schema.equals(tables.SAMPLE)
    expected = [(None, "a", None, "x/y", 3.5), (None, "b", None, "x", 5.0)]
    assert [tuple(row.values()) for row in found.to_pylist()] == expected


@pytest.mark.parametrize("times", [1, 2])
@for_all(
    cells=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["a", "b", "ab"]), VALUES), min_size=1)
)
def test_grouping_loses_nothing_and_keeps_the_order(times: int, cells: list[tuple[str, str, str]]) -> None:
    found = rows(*((lemma, form, f"N;{value}", label_sets.join([value])) for lemma, form, value in cells))
    for _ in range(times):
        found = label_sets.of_forms(found)
    assert found["form"].to_pylist() == list(dict.fromkeys(form for _, form, _ in cells))
    for row in found.to_pylist():
        own = [cell for cell in cells if cell[1] == row["form"]]
        assert set(label_sets.values(row["label"])) == {value for _, _, value in own}
        assert row["lemma"] == min(lemma for lemma, _, _ in own)


def test_rows_that_agree_in_form_and_features_are_one() -> None:
    columns = [("fő", "fő", "főz", "fő"), ("fő", "fő", "fő", "fő"), ("N;PL", "N;SG", "N;PL", "N;PL"),
               ("fők", "fő", "fejek", "fők"), (1, 2, 3, 4)]  # fmt: skip
    rows = pa.table([list(values) for values in columns], schema=tables.LABELLED)
    found = label_sets.of_forms(rows, ("form", "features")).to_pylist()
    assert [(row["features"], row["label"], row["weight"]) for row in found] == [
        ("N;PL", "fejek/fők", 8),
        ("N;SG", "fő", 2),
    ]
    (single,) = label_sets.of_forms(rows).to_pylist()
    assert (single["features"], single["label"]) == ("N;PL | N;SG", "fejek/fő/fők")
