from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, classification_report, f1_score

from esetrag import metrics, params

LABELS = st.sampled_from(["NOM", "ACC", "DAT", "nan"])
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=60)


def strings(values: list[str]) -> npt.NDArray[np.object_]:
    return np.array(values, dtype=object)


def how(seed: int = 1, resamples: int = 200, confidence: float = 0.95) -> params.Evaluate:
    return params.Evaluate(seed=seed, resamples=resamples, confidence=confidence, suffix_length=6)


def some_reading(lemmas: int = 40, forms: int = 5) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.object_]]:
    right = np.random.default_rng(3).random(lemmas * forms) < 0.9
    return right, np.repeat(np.array([f"l{i}" for i in range(lemmas)], dtype=object), forms)


def test_accuracy_is_the_share_of_rows_read_right_within_its_interval() -> None:
    right, lemmas = some_reading()
    found = metrics.accuracy(right, lemmas, how())
    assert found.value == accuracy_score(np.ones(len(right)), right)
    assert found.low < found.value < found.high


def test_the_interval_closes_when_all_rows_are_read_right_or_none() -> None:
    _, lemmas = some_reading()
    for share in (0.0, 1.0):
        found = metrics.accuracy(np.full(len(lemmas), share == 1), lemmas, how())
        assert (found.low, found.value, found.high) == (share, share, share)


def test_the_interval_of_one_lemma_closes() -> None:
    found = metrics.accuracy(np.array([True, False, True, True]), strings(["a"] * 4), how())
    assert (found.low, found.value, found.high) == (0.75, 0.75, 0.75)


def test_the_bootstrap_is_deterministic_and_follows_its_seed() -> None:
    right, lemmas = some_reading()
    assert metrics.accuracy(right, lemmas, how()) == metrics.accuracy(right, lemmas, how())
    assert metrics.accuracy(right, lemmas, how()) != metrics.accuracy(right, lemmas, how(seed=2))


def test_the_order_of_the_rows_is_without_influence() -> None:
    right, lemmas = some_reading()
    order = np.random.default_rng(1).permutation(len(right))
    assert metrics.accuracy(right[order], lemmas[order], how()) == metrics.accuracy(right, lemmas, how())


def test_more_confidence_is_a_wider_interval() -> None:
    right, lemmas = some_reading()
    narrow, wide = (metrics.accuracy(right, lemmas, how(confidence=share)) for share in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_forms_misread_together_widen_the_interval() -> None:
    lemmas = np.repeat(np.arange(50).astype(str).astype(object), 10)
    together = np.repeat(np.arange(50) % 5 > 0, 10)
    spread = np.tile(np.arange(10) % 5 > 0, 50)
    clustered, even = (metrics.accuracy(right, lemmas, how()) for right in (together, spread))
    assert clustered.value == even.value == 0.8
    assert clustered.high - clustered.low > 0.1
    assert even.high - even.low == pytest.approx(0)


def test_the_interval_is_about_that_of_the_normal_approximation() -> None:
    right = np.arange(1000) % 10 > 0
    found = metrics.accuracy(right, np.arange(1000).astype(str).astype(object), how(resamples=2000))
    half = 1.96 * np.sqrt(0.9 * 0.1 / 1000)
    assert found.low == pytest.approx(0.9 - half, abs=0.003)
    assert found.high == pytest.approx(0.9 + half, abs=0.003)


def test_precision_recall_and_f1_by_hand() -> None:
    gold = strings(["ACC", "ACC", "ACC", "NOM", "DAT"])
    read = strings(["ACC", "ACC", "NOM", "NOM", "GEN"])
    rows = {row.label: row for row in metrics.per_class(gold, read).itertuples()}
    assert list(rows) == ["ACC", "DAT", "GEN", "NOM"]
    assert (rows["ACC"].precision, rows["ACC"].recall, rows["ACC"].support) == (1.0, 2 / 3, 3)
    assert rows["ACC"].f1 == pytest.approx(0.8)
    assert (rows["NOM"].precision, rows["NOM"].recall, rows["NOM"].support) == (0.5, 1.0, 1)
    assert (rows["DAT"].precision, rows["DAT"].recall, rows["DAT"].support) == (0.0, 0.0, 1)
    assert (rows["GEN"].precision, rows["GEN"].recall, rows["GEN"].support) == (0.0, 0.0, 0)


def test_macro_f1_is_over_the_labels_that_occur() -> None:
    gold, read = strings(["ACC", "ACC", "NOM"]), strings(["ACC", "GEN", "NOM"])
    assert metrics.macro_f1(gold, read) == pytest.approx((2 / 3 + 1) / 2)


@settings(max_examples=40)
@for_all(PAIRS)
def test_figures_by_label_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold, read = strings([one for one, _ in pairs]), strings([other for _, other in pairs])
    expected = classification_report(gold, read, output_dict=True, zero_division=0.0)
    for row in metrics.per_class(gold, read).itertuples():
        known = expected[row.label]
        assert (row.precision, row.recall, row.f1, row.support) == (
            known["precision"],
            known["recall"],
            known["f1-score"],
            known["support"],
        )
    labels = sorted(set(gold))
    assert metrics.macro_f1(gold, read) == pytest.approx(
        f1_score(gold, read, labels=labels, average="macro", zero_division=0.0)
    )


def test_the_ceiling_is_the_share_of_each_forms_commonest_label() -> None:
    forms = strings(["a", "a", "a", "b", "b", "c", "null"])
    labels = strings(["NOM", "NOM", "ACC", "NOM", "ACC", "DAT", "ACC"])
    assert metrics.ceiling(forms, labels) == pytest.approx((2 + 1 + 1 + 1) / 7)


def test_the_ceiling_is_1_where_no_form_has_two_labels() -> None:
    assert metrics.ceiling(strings(["a", "b", "a"]), strings(["NOM", "ACC", "NOM"])) == 1.0
