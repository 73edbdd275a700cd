from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.core.errors import DataError
from esetrag.data import distinct, selection, unimorph
from esetrag.data.distinct import Distinct
from esetrag.data.selection import COLUMNS, select

CELLS = st.text(st.sampled_from("abő\U0001f600"), max_size=3)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30)
Row = tuple[str, str, str]


def columns(rows: list[Row]) -> list[pa.Array]:
    return [pa.array([row[number] for row in rows], pa.string()) for number in range(3)]


def table(rows: list[Row]) -> pa.Table:
    lemma, form, bundle = columns(rows)
    return pa.table(
        {"lemma": lemma.dictionary_encode(), "form": form, "features": bundle.dictionary_encode()}
    )


@given(ROWS, st.integers(0, 5))
def test_rows_have_one_hash_if_they_are_the_same(rows: list[Row], start: int) -> None:
    whole, some = (columns(some) for some in (rows, rows[start:]))
    hashed = distinct.hashes(whole)
    assert hashed.dtype == np.uint64
    assert len(set(hashed.tolist())) == len(set(rows))
    encoded = [column.dictionary_encode() for column in whole]
    assert distinct.hashes(encoded).tolist() == hashed.tolist()
    sliced = [column.slice(start) for column in whole]
    assert distinct.hashes(sliced).tolist() == distinct.hashes(some).tolist() == hashed[start:].tolist()


@given(ROWS)
def test_each_row_is_left_where_it_stands_first(rows: list[Row]) -> None:
    expected = sorted({row: place for place, row in reversed(list(enumerate(rows)))}.values())
    found = distinct.first(table(rows), distinct.hashes(columns(rows)))
    assert (list(range(len(rows))) if found is None else found.tolist()) == expected


def test_rows_that_share_a_hash_are_not_taken_for_the_same() -> None:
    rows = [("a", "a", "x"), ("b", "a", "x"), ("a", "a", "x"), ("c", "a", "x"), ("b", "a", "x")]
    found = distinct.first(table(rows), np.zeros(5, np.uint64))
    assert found is not None
    assert found.tolist() == [0, 1, 3]


@pytest.mark.parametrize("in_memory", [0, 100, 10**6])
def test_rows_are_counted_once_wherever_they_wait(monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr(distinct, "IN_MEMORY", in_memory)
    chance = np.random.default_rng(1)
    numbers = chance.integers(2**64, size=500, dtype=np.uint64)
    kinds = chance.integers(4, size=500)
    with Distinct() as counted:
        assert counted.counts(5).tolist() == [0] * 5
        for _ in range(6):
            some = chance.integers(400, size=300)
            counted.add(numbers[some], kinds[some])
        counted.add(numbers[:400], kinds[:400])
        assert counted.counts(5).tolist() == np.bincount(kinds[:400], minlength=5).tolist()


def test_a_disk_without_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct, "IN_MEMORY", 1)
    with Distinct() as counted, Path("/dev/full").open("w+b", buffering=0) as full:
        monkeypatch.setattr(counted, "_file", full)
        with pytest.raises(DataError, match=r"cannot be written \(No space left on device\); see TMPDIR"):
            counted.add(np.arange(9, dtype=np.uint64), np.zeros(9, np.int64))


@given(ROWS, st.sampled_from([1, 2, 7, 100]))
def test_batches_and_repeats_are_without_influence_on_what_is_selected(rows: list[Row], size: int) -> None:
    words = [(lemma, form, f"{'NV'[len(bundle) % 2]};{bundle}NOM/ACC") for lemma, form, bundle in rows]
    words.append(("a", "b", "N;NOM"))
    raw = pa.table(dict(zip(COLUMNS, columns([*words, *words[::2]]), strict=True)))
    before = selection.SETTLE
    expected = select(raw, Path("t.tsv"), "N", "Case")
    try:
        selection.SETTLE = 3
        found = select(raw.to_batches(size), Path("t.tsv"), "N", "Case")
    finally:
        selection.SETTLE = before
    assert found.table.equals(expected.table)
    assert found.headings.equals(expected.headings)
    for name in ("rows", "duplicates", "parts_of_speech", "dropped", "examples", "bundles"):
        assert getattr(found, name) == getattr(expected, name)
    distinct_rows = {row for row in words if row[2].startswith("N")}
    assert found.parts_of_speech["N"] == len(distinct_rows)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 64])
def test_blocks_end_with_lines_whatever_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, end: bytes
) -> None:
    monkeypatch.setattr(unimorph, "BLOCK", block)
    path = tmp_path / "t.tsv"
    lines = ["ő\tőt\tN;ACC", "", "  ", "b\tbt\tN;ACC", ""]
    path.write_bytes(b"\xef\xbb\xbf" + end.join(line.encode() for line in lines * 3))
    rows = unimorph.read(path).to_pylist()
    assert [row["form"] for row in rows] == ["őt", "bt"] * 3
    path.write_bytes(end.join(line.encode() for line in [*lines * 3, "c\tct"]))
    with pytest.raises(DataError, match=r"t\.tsv, line 16: .* found 2 column"):
        unimorph.read(path)
