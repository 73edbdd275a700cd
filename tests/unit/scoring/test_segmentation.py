from __future__ import annotations

import pytest

from esetrag.scoring import segmentation

TRUE = [["fél", "ez", "ned"], ["makró", "k", "ban"], ["térség", "en"]]
PREDICTED = [["felez", "ned"], ["makró", "k", "ban"], ["tér", "ség", "en"]]


def test_f1_is_that_of_the_shared_task() -> None:
    # In common are ned; all three; en: 5 of 8 true and of 8 predicted segments.
    assert segmentation.common(TRUE, PREDICTED).tolist() == [1, 3, 1]
    assert segmentation.f1(TRUE, PREDICTED).value == pytest.approx(2 * 5 / (8 + 8))


def test_the_order_of_segments_counts() -> None:
    assert segmentation.common([["a", "b", "a"]], [["b", "a", "a"]]).tolist() == [2]
    assert segmentation.common([["a", "b"]], [["b", "a"]]).tolist() == [1]


def test_precision_and_recall_have_one_mean_over_all_words() -> None:
    precision, recall = 2 / 2, 2 / 4
    f1 = segmentation.f1([["a", "b", "c"], ["d"]], [["a"], ["d"]])
    assert f1.value == pytest.approx(2 * precision * recall / (precision + recall))
    assert segmentation.f1([], []).value == 0
