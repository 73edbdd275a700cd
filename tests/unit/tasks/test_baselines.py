"""What the baselines predict."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from sklearn import linear_model
from sklearn.feature_extraction.text import CountVectorizer

from esetrag.data import label_sets
from esetrag.scoring import calibration
from esetrag.tasks import baselines
from esetrag.tasks.baselines import logistic_regression, longest_suffix, suffixes

Rows = list[tuple[str, str]]  # form, label
FORMS = st.text("abé\U0001f600", max_size=5)
ROWS = st.lists(st.tuples(FORMS, st.sampled_from(["NOM", "ACC", "IN+ESS"])), min_size=1, max_size=30)


def column(values: list[str], chunk: int | None = None) -> pa.ChunkedArray:
    array = pa.array(values, pa.string())
    size = chunk or max(len(values), 1)
    return pa.chunked_array([array.slice(i, size) for i in range(0, len(values), size)], pa.string())


def table(rows: Rows, chunk: int | None = None) -> pa.Table:
    forms, labels = zip(*rows, strict=True)
    weights = pa.array([1.0] * len(rows), pa.float32())
    return pa.table(
        {"form": column(list(forms), chunk), "label": column(list(labels), chunk), "weight": weights}
    )


def predicted(rows: Rows, longest: int, forms: list[str], chunk: int | None = None) -> list[str]:
    labels = sorted({label for _, label in rows})
    logits = longest_suffix(table(rows, chunk), labels, longest)(column(forms))
    return [labels[place] for place in logits.argmax(1)]


def by_dictionary(rows: Rows, longest: int, form: str) -> str:
    """The label of the longest known suffix, with dictionaries."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for known, label in rows:
        for length in range(min(longest, len(known)) + 1):
            seen[known[len(known) - length :]][label] += 1
    ends = (form[len(form) - length :] for length in range(min(longest, len(form)), -1, -1))
    suffix = next(end for end in ends if end in seen)
    return min(seen[suffix], key=lambda label: (-seen[suffix][label], label))


@for_all(rows=ROWS, forms=st.lists(FORMS, min_size=1), longest=st.integers(0, 6), chunk=st.integers(1, 30))
def test_the_label_of_the_longest_known_suffix_is_predicted(
    rows: Rows, forms: list[str], longest: int, chunk: int
) -> None:
    expected = [by_dictionary(rows, longest, form) for form in forms]
    assert predicted(rows, longest, forms, chunk) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, ["", "", ""]), (1, ["c", "\U0001f600", None]), (2, ["bc", None, None]), (4, [None, None, None])],
)
def test_suffixes_are_counted_in_symbols(length: int, expected: list[str | None]) -> None:
    assert suffixes(column(["abc", "\U0001f600", ""]), length).to_pylist() == expected


def test_a_form_of_two_labels_counts_for_both() -> None:
    rows, labels = table([("at", "ACC/NOM"), ("bt", "ACC"), ("k", "NOM")]), ("ACC", "NOM")
    shares = calibration.probabilities(longest_suffix(rows, labels, 1)(column(["xt", "q"])), "softmax")
    assert shares == pytest.approx(np.array([[2.5 / 4, 1.5 / 4], [0.5, 0.5]]))
    both = table([("at", "ACC/NOM"), ("ban", "INE")])
    regression = logistic_regression(both, ("ACC", "INE", "NOM"))(column(["xt"]))[0]
    assert regression[0] == pytest.approx(regression[2], abs=1e-3)
    assert regression[0] > regression[1]


def test_a_form_of_two_labels_is_two_rows_of_half_the_weight() -> None:
    several = table([("at", "ACC/NOM"), ("ban", "INE")])
    halves = table([("at", "ACC"), ("at", "NOM"), ("ban", "INE")])
    halves = halves.set_column(2, "weight", pa.array([0.5, 0.5, 1.0], pa.float32()))
    one, two = (
        logistic_regression(rows, ("ACC", "INE", "NOM"))(column(["xt"])) for rows in (several, halves)
    )
    assert one == pytest.approx(two, abs=1e-3)


def test_a_label_without_a_row_is_hardly_possible() -> None:
    rows = table([("at", "ACC"), ("ban", "INE")])
    shares = np.exp(logistic_regression(rows, ("ACC", "DAT", "INE"))(column(["xt"])))[0]
    assert (shares.sum(), shares[1]) == pytest.approx((1, 0), abs=1e-6)


def test_the_regression_is_scikit_learn_s_on_counts_of_suffixes(tiny_rows: pa.Table) -> None:
    train, test = tiny_rows.slice(0, 60), tiny_rows.slice(60)
    labels = label_sets.names(train["label"])

    def suffixes_of(form: str) -> list[str]:
        text = f"^{form}"
        return [text[-size:] for size in range(1, min(8, len(text)) + 1)]

    counts = CountVectorizer(analyzer=suffixes_of)
    model = linear_model.LogisticRegression(C=10.0, max_iter=1000).fit(
        counts.fit_transform(train["form"].to_pylist()), train["label"].to_pylist()
    )
    expected = model.predict_proba(counts.transform(test["form"].to_pylist()))
    logits = logistic_regression(train, labels)(test["form"])
    assert np.exp(logits) == pytest.approx(expected, abs=0.01)


def test_any_form_has_scores_after_any_training(tiny_rows: pa.Table) -> None:
    labels = label_sets.names(tiny_rows["label"])
    forms = column(["bor" * 30 + "ban", "xyz", "", "^"])
    for rows in (tiny_rows, tiny_rows.slice(0, 1)):
        for name, baseline in baselines.train(rows, labels, 6).items():
            assert name in baselines.NAMES
            assert np.isfinite(baseline(forms)).all()
            assert baseline(column([])).shape == (0, 7)
    trained = baselines.train(tiny_rows, labels, 6)
    assert labels[trained["logistic_regression"](forms)[0].argmax()] == "IN+ESS"
    assert set(trained["majority"](forms).argmax(1)) == {0}, "all are as frequent: the first one"


def test_a_row_of_weight_2_is_two_rows() -> None:
    once = table([("at", "ACC"), ("et", "NOM"), ("ot", "NOM")])
    weighted = once.set_column(2, "weight", pa.array([2.0, 1.0, 1.0], pa.float32()))
    twice = pa.concat_tables([once.slice(0, 1), once])
    for name, logits in baselines.train(weighted, ("ACC", "NOM"), 2).items():
        expected = baselines.train(twice, ("ACC", "NOM"), 2)[name](column(["at", "bt"]))
        assert logits(column(["at", "bt"])) == pytest.approx(expected, abs=1e-3)
