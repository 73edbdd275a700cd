from __future__ import annotations

from collections import Counter, defaultdict

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esetrag.baselines import SuffixTable, suffixes

FORMS = st.text("abé\U0001f600", max_size=5)
ROWS = st.lists(st.tuples(FORMS, st.sampled_from(["NOM", "ACC", "IN+ESS"])), min_size=1, max_size=30)


def column(values: list[str], chunk: int | None = None) -> pa.ChunkedArray:
    array = pa.array(values, pa.string())
    size = chunk or max(len(values), 1)
    return pa.chunked_array([array.slice(i, size) for i in range(0, len(values), size)], pa.string())


def train(rows: list[tuple[str, str]], longest: int, chunk: int | None = None) -> SuffixTable:
    return SuffixTable.train(
        column([form for form, _ in rows], chunk), column([label for _, label in rows], chunk), longest
    )


def by_dictionary(rows: list[tuple[str, str]], longest: int, form: str) -> str:
    """The label of the longest known suffix, with dictionaries."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for known, label in rows:
        for length in range(min(longest, len(known)) + 1):
            seen[known[len(known) - length :]][label] += 1
    suffix = next(
        form[len(form) - length :]
        for length in range(min(longest, len(form)), -1, -1)
        if form[len(form) - length :] in seen
    )
    return min(seen[suffix], key=lambda label: (-seen[suffix][label], label))


@given(rows=ROWS, forms=st.lists(FORMS, min_size=1), longest=st.integers(0, 6), chunk=st.integers(1, 30))
def test_it_reads_the_label_of_the_longest_known_suffix(
    rows: list[tuple[str, str]], forms: list[str], longest: int, chunk: int
) -> None:
    table = train(rows, longest, chunk)
    assert table.read(column(forms)).to_pylist() == [by_dictionary(rows, longest, form) for form in forms]


def test_a_longer_suffix_overrules_a_shorter_one() -> None:
    table = train([("kanaban", "INE"), ("bon", "SUE"), ("kan", "SUE"), ("lan", "SUE")], longest=3)
    assert table.read(column(["xban", "xxan", "n", "zzz"])).to_pylist() == ["INE", "SUE", "SUE", "SUE"]


def test_ties_are_broken_by_the_alphabet_not_by_the_order_of_the_rows() -> None:
    rows = [("at", "NOM"), ("bt", "ACC"), ("ct", "DAT")]
    for some in (rows, rows[::-1]):
        assert train(some, longest=1).read(column(["xt", "q"])).to_pylist() == ["ACC", "ACC"]


def test_length_0_is_the_commonest_label() -> None:
    table = train([("a", "NOM"), ("b", "ACC"), ("c", "ACC")], longest=0)
    assert table.read(column(["a", "b", "", "zzz"])).to_pylist() == ["ACC"] * 4


def test_a_form_is_no_suffix_of_a_length_it_does_not_have() -> None:
    table = train([("t", "ACC"), ("et", "NOM"), ("et", "NOM")], longest=4)
    assert table.read(column(["t", "et", "het", ""])).to_pylist() == ["NOM", "NOM", "NOM", "NOM"]
    assert train([("t", "ACC"), ("et", "NOM")], longest=4).read(column(["at"])).to_pylist() == ["ACC"]


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, ["", "", ""]), (1, ["c", "\U0001f600", None]), (2, ["bc", None, None]), (4, [None, None, None])],
)
def test_suffixes_are_counted_in_symbols(length: int, expected: list[str | None]) -> None:
    assert suffixes(column(["abc", "\U0001f600", ""]), length).to_pylist() == expected
