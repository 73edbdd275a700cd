from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from esetrag.core import tables
from esetrag.core.errors import DataError


def test_a_table_survives_its_file(tmp_path: Path, tiny_rows: pa.Table) -> None:
    path = tmp_path / "deep" / "rows.parquet"
    tables.write(path, tiny_rows)
    assert tables.read(path, tables.SAMPLE).equals(tiny_rows)
    assert tables.read(path).equals(tiny_rows)


def test_an_empty_table_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    tables.write(path, tables.ERRORS.empty_table())
    assert len(tables.read(path, tables.ERRORS)) == 0


def test_the_same_rows_give_the_same_bytes(tmp_path: Path, tiny_rows: pa.Table) -> None:
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    tables.write(one, tiny_rows)
    tables.write(two, tiny_rows)
    assert one.read_bytes() == two.read_bytes()


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path, tiny_rows: pa.Table) -> None:
    path = tmp_path / "split=train" / "rows.parquet"
    tables.write(path, tiny_rows)
    assert tables.read(path, tables.SAMPLE).equals(tiny_rows)


def test_a_missing_table_is_told_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with pytest.raises(DataError) as caught:
        tables.read(path)
    assert str(caught.value) == f"{path}: no such file; run the stage that makes it: dvc repro"


@pytest.mark.parametrize("kept", [0, 3, 100, -1, -9])
def test_a_damaged_table_is_refused(tmp_path: Path, tiny_rows: pa.Table, kept: int) -> None:
    path = tmp_path / "rows.parquet"
    tables.write(path, tiny_rows)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        DataError, match=r"rows\.parquet: not a whole parquet file .*; make it anew: dvc repro -f"
    ):
        tables.read(path, tables.SAMPLE)


def test_a_text_file_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_text("lemma,form,features,label\n")
    with pytest.raises(DataError, match="not a whole parquet file"):
        tables.read(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop_columns(["label"]),
        lambda table: table.append_column("more", table["form"]),
        lambda table: table.rename_columns(["lemma", "form", "bundle", "label", "weight"]),
        lambda table: table.select(["form", "lemma", "features", "label"]),
        lambda table: table.set_column(0, "lemma", table["lemma"].cast(pa.large_string())),
    ],
)
def test_other_columns_are_refused_with_those_expected_and_found(
    tmp_path: Path, tiny_rows: pa.Table, change: object
) -> None:
    path = tmp_path / "rows.parquet"
    assert callable(change)
    other = change(tiny_rows)
    tables.write(path, other)
    with pytest.raises(DataError) as caught:
        tables.read(path, tables.SAMPLE)
    expected = "lemma: string, form: string, features: string, label: string, weight: float"
    found = ", ".join(f"{field.name}: {field.type}" for field in other.schema)
    assert str(caught.value) == f"{path}: expected columns {expected}, found {found}"


@pytest.mark.parametrize(
    ("symbols", "kind"),
    [(1, "u1"), (256, "u1"), (257, "<u2"), (65536, "<u2"), (65537, "<u4")],
)
def test_the_narrowest_type_holds_every_id(symbols: int, kind: str) -> None:
    assert tables.id_type(symbols) == np.dtype(kind)
    assert np.array(symbols - 1).astype(kind) == symbols - 1


def test_predictions_name_the_labels_behind_the_probabilities() -> None:
    schema = tables.predictions(["ACC", "IN+ESS"])
    assert schema.metadata == {b"labels": b"ACC\tIN+ESS"}
    assert schema.field("probabilities").type.list_size == 2
