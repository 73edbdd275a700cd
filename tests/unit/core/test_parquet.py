from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.core import parquet
from esetrag.core.errors import DataError

COLUMNS = {
    "text": pa.array(["ház", None, "ház"]),
    "large": pa.array(["a", "b", "b"], pa.large_string()),
    "view": pa.array(["a", "b", None], pa.string_view()),
    "dictionary": pa.array(["a", "b", "b"]).dictionary_encode(),
    "binary": pa.array([b"\xff", b"", None]),
    "fixed": pa.array([b"ab", b"cd", b"ef"], pa.binary(2)),
    "number": pa.array([1, None, 3]),
    "list": pa.array([["x", "yy"], None, []]),
    "struct": pa.array([{"k": "v", "n": 1}, None, {"k": None, "n": 2}]),
    "map": pa.array([[("k", "v")], [], None], pa.map_(pa.string(), pa.string())),
    "vector": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float32(), 2)),
}


def written(folder: Path, table: pa.Table) -> Path:
    pq.write_table(table, folder / "t.parquet")
    return folder / "t.parquet"


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_columns_of_every_kind_come_back_as_they_were(tmp_path: Path, rows: int) -> None:
    table = pa.table(COLUMNS)
    empty, *parts = parquet.batches(written(tmp_path, table), rows)
    assert len(empty) == 0
    assert [len(part) for part in parts] == {1: [1, 1, 1], 2: [2, 1], 100: [3]}[rows]
    assert all(part.schema.equals(table.schema) for part in (empty, *parts))
    assert pa.concat_tables(parts).to_pylist() == table.to_pylist()


@pytest.mark.parametrize("kind", ["text", "list", "struct", "map"])
def test_texts_that_come_to_too_much_are_refused_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    word, rows = "x" * 1000, 3000
    values = {"text": word, "list": [word], "struct": {"k": word}, "map": [("k", word)]}
    kinds = {"map": pa.map_(pa.string(), pa.string())}
    path = written(tmp_path, pa.table({"a": pa.array([values[kind]] * rows, kinds.get(kind))}))
    assert sum(len(part) for part in parquet.batches(path, rows)) == rows
    monkeypatch.setattr(parquet, "LARGEST", 2**20)
    with pytest.raises(DataError, match=r"t\.parquet: .* 1,048,576 bytes at most in memory, found 3,0"):
        list(parquet.batches(path, rows))


def test_values_of_one_fixed_width_are_taken_as_many_as_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, pa.table({"a": pa.array([b"x" * 1000] * 3000, pa.binary(1000))}))
    monkeypatch.setattr(parquet, "LARGEST", 2**20)
    parts = list(parquet.batches(path, 3000))
    assert max(map(len, parts)) == 131
    assert sum(map(len, parts)) == 3000
    monkeypatch.setattr(parquet, "LARGEST", 999)
    with pytest.raises(DataError, match="at most in memory"):
        list(parquet.batches(path, 3000))
