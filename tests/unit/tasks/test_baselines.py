from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from esetrag.data import label_sets
from esetrag.scoring import calibration
from esetrag.tasks.baselines import NgramRegression, SuffixTable, suffixes

FORMS = st.text("abé\U0001f600", max_size=5)
ROWS = st.lists(st.tuples(FORMS, st.sampled_from(["NOM", "ACC", "IN+ESS"])), min_size=1, max_size=30)


def column(values: list[str], chunk: int | None = None) -> pa.ChunkedArray:
    array = pa.array(values, pa.string())
    size = chunk or max(len(values), 1)
    return pa.chunked_array([array.slice(i, size) for i in range(0, len(values), size)], pa.string())


def train(rows: list[tuple[str, str]], longest: int, chunk: int | None = None) -> SuffixTable:
    labels = column([label for _, label in rows], chunk)
    return SuffixTable.train(column([form for form, _ in rows], chunk), labels, known(rows), longest)


def known(rows: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted({label for _, label in rows}))


def read(rows: list[tuple[str, str]], longest: int, forms: list[str], chunk: int | None = None) -> list[str]:
    best = train(rows, longest, chunk).logits(column(forms)).argmax(1)
    return [known(rows)[place] for place in best]


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
    expected = [by_dictionary(rows, longest, form) for form in forms]
    assert read(rows, longest, forms, chunk) == expected


def test_a_longer_suffix_overrules_a_shorter_one() -> None:
    rows = [("kanaban", "INE"), ("bon", "SUE"), ("kan", "SUE"), ("lan", "SUE")]
    assert read(rows, 3, ["xban", "xxan", "n", "zzz"]) == ["INE", "SUE", "SUE", "SUE"]


def test_ties_are_broken_by_the_alphabet_not_by_the_order_of_the_rows() -> None:
    rows = [("at", "NOM"), ("bt", "ACC"), ("ct", "DAT")]
    for some in (rows, rows[::-1]):
        assert read(some, 1, ["xt", "q"]) == ["ACC", "ACC"]


def test_length_0_is_the_commonest_label() -> None:
    rows = [("a", "NOM"), ("b", "ACC"), ("c", "ACC")]
    assert read(rows, 0, ["a", "b", "", "zzz"]) == ["ACC"] * 4


def test_a_form_is_no_suffix_of_a_length_it_does_not_have() -> None:
    rows = [("t", "ACC"), ("et", "NOM"), ("et", "NOM")]
    assert read(rows, 4, ["t", "et", "het", ""]) == ["NOM", "NOM", "NOM", "NOM"]
    assert read([("t", "ACC"), ("et", "NOM")], 4, ["at"]) == ["ACC"]


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, ["", "", ""]), (1, ["c", "\U0001f600", None]), (2, ["bc", None, None]), (4, [None, None, None])],
)
def test_suffixes_are_counted_in_symbols(length: int, expected: list[str | None]) -> None:
    assert suffixes(column(["abc", "\U0001f600", ""]), length).to_pylist() == expected


def test_shares_are_those_of_the_suffix_and_a_form_of_two_values_counts_for_both() -> None:
    table = SuffixTable.train(column(["at", "bt", "k"]), column(["ACC/NOM", "ACC", "NOM"]), ("ACC", "NOM"), 1)
    shares = calibration.probabilities(table.logits(column(["xt", "q"])), "softmax")
    assert shares[0] == pytest.approx([2.5 / 4, 1.5 / 4])
    assert shares[1] == pytest.approx([0.5, 0.5])


def test_the_regression_is_that_of_scikit_learn(tiny_rows: pa.Table) -> None:
    train, test = tiny_rows.slice(0, 60), tiny_rows.slice(60)
    known = tuple(label_sets.names(train["label"]))
    ours = NgramRegression.train(train["form"], train["label"], known).logits(test["form"])

    def suffixes_of(form: str) -> list[str]:
        text = f"^{form}"
        return [text[-size:] for size in range(1, min(8, len(text)) + 1)]

    counts = CountVectorizer(analyzer=suffixes_of)
    fitted = LogisticRegression(C=10.0, max_iter=5000, tol=1e-8).fit(
        counts.fit_transform(train["form"].to_pylist()), train["label"].to_pylist()
    )
    theirs = fitted.predict_proba(counts.transform(test["form"].to_pylist()))
    assert np.abs(calibration.probabilities(ours, "softmax") - theirs).max() < 0.02
    assert (ours.argmax(1) == theirs.argmax(1)).all()


def test_the_regression_reads_forms_longer_than_any_it_was_trained_on(tiny_rows: pa.Table) -> None:
    known = tuple(label_sets.names(tiny_rows["label"]))
    fitted = NgramRegression.train(tiny_rows["form"], tiny_rows["label"], known)
    found = fitted.logits(column(["bor" * 30 + "ban", "xyz"]))
    assert known[found[0].argmax()] == "IN+ESS"
    assert np.isfinite(found).all()
