from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from esetrag.core import tables
from esetrag.data import label_sets

VALUES = st.sampled_from(["ACC", "ESS", "IN+ESS", "NOM"])


def column(*texts: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


def rows(*cells: tuple[str, str, str, str]) -> pa.Table:
    return pa.Table.from_arrays(
        [pa.array(part, pa.string()) for part in zip(*cells, strict=True)], schema=tables.ROWS
    )


def test_a_label_is_its_values_sorted_each_once() -> None:
    assert label_sets.join(["NOM", "ACC", "NOM"]) == "ACC/NOM"
    assert label_sets.values("ACC/NOM") == ("ACC", "NOM")


@for_all(st.lists(st.sets(VALUES, min_size=1), min_size=1))
def test_labels_and_their_matrix_are_each_others_inverse(sets: list[set[str]]) -> None:
    labels = column(*map(label_sets.join, sets))
    names = label_sets.names(labels)
    matrix = label_sets.matrix(labels, names)
    assert [{names[i] for i in np.flatnonzero(row)} for row in matrix] == sets
    assert label_sets.labels(matrix, names) == labels.to_pylist()


def test_more_values_than_a_number_has_bits_are_kept_apart() -> None:
    names = [f"v{number:03}" for number in range(130)]
    chosen = np.zeros((3, 130), dtype=bool)
    chosen[0, [0, 64]] = chosen[1, [0, 129]] = chosen[2, [0, 64]] = True
    assert label_sets.labels(chosen, names) == ["v000/v064", "v000/v129", "v000/v064"]


def test_values_beyond_the_names_have_no_column() -> None:
    assert label_sets.matrix(column("ACC/NOM", "DAT"), ["NOM"]).tolist() == [[True], [False]]


@for_all(st.lists(st.tuples(st.sets(VALUES, min_size=1), VALUES), min_size=1))
def test_a_form_is_read_right_if_it_bears_the_value_read(pairs: list[tuple[set[str], str]]) -> None:
    labels, read = (
        column(*(label_sets.join(values) for values, _ in pairs)),
        column(*(value for _, value in pairs)),
    )
    assert label_sets.correct(labels, read).tolist() == [value in values for values, value in pairs]


def test_a_value_within_another_one_is_not_that_one() -> None:
    assert label_sets.correct(column("IN+ESS"), column("ESS")).tolist() == [False]


def test_nothing_is_right_of_no_rows() -> None:
    assert label_sets.correct(column(), column()).tolist() == []


def test_the_true_value_shown_is_the_one_read_where_the_form_bears_it() -> None:
    shown = label_sets.beside(column("ACC/NOM", "ACC/NOM", "DAT"), column("NOM", "DAT", "DAT"))
    assert shown.to_pylist() == ["NOM", "ACC", "DAT"]


def test_a_form_stands_once_with_all_its_values_bundles_and_its_first_lemma() -> None:
    table = rows(
        ("Maus", "Mäuse", "N;NOM;PL", "NOM"),
        ("Haus", "Haus", "N;NOM;SG", "NOM"),
        ("Haus", "Haus", "N;ACC;SG", "ACC"),
        ("Aus", "Haus", "N;ACC;SG", "ACC"),
        ("Haus", "Häuser", "N;NOM/ACC;PL", "ACC/NOM"),
        ("Häuser", "Häuser", "N;NOM;SG", "NOM"),
    )
    assert label_sets.of_forms(table).to_pylist() == [
        {"lemma": "Maus", "form": "Mäuse", "features": "N;NOM;PL", "label": "NOM"},
        {"lemma": "Aus", "form": "Haus", "features": "N;ACC;SG | N;NOM;SG", "label": "ACC/NOM"},
        {"lemma": "Haus", "form": "Häuser", "features": "N;NOM/ACC;PL | N;NOM;SG", "label": "ACC/NOM"},
    ]


@for_all(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["a", "b", "ab", "ba"]), VALUES), min_size=1)
)
def test_grouping_loses_nothing_and_keeps_the_order(cells: list[tuple[str, str, str]]) -> None:
    table = rows(*((lemma, form, f"N;{value}", value) for lemma, form, value in cells))
    found = label_sets.of_forms(table)
    assert found.schema.equals(tables.SAMPLE)
    assert found["form"].to_pylist() == list(dict.fromkeys(form for _, form, _ in cells))
    for row in found.to_pylist():
        own = [cell for cell in cells if cell[1] == row["form"]]
        assert set(label_sets.values(row["label"])) == {value for _, _, value in own}
        assert row["lemma"] == min(lemma for lemma, _, _ in own)


def test_grouping_twice_is_grouping_once() -> None:
    table = label_sets.of_forms(
        rows(("a", "a", "N;NOM", "NOM"), ("a", "a", "N;ACC", "ACC"), ("b", "b", "N;ACC", "ACC"))
    )
    assert label_sets.of_forms(table).equals(table)


@pytest.mark.parametrize("label", ["NOM", "ACC/NOM"])
def test_one_form_is_enough(label: str) -> None:
    assert label_sets.matrix(column(label), label_sets.names(column(label))).all()
