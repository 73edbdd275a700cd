"""Sentences as rows, and as rows of their words."""

from __future__ import annotations

from esetrag.core import tables
from esetrag.data import label_sets, sentences


def test_words_without_a_tag_are_no_rows_and_others_know_their_sentence() -> None:
    labels = [label_sets.join(["DET _ A/B"]), label_sets.join(["X"])]
    rows = tables.sample([None] * 2, ["a b c", "a"], [None] * 2, labels, [1, 2])
    words = sentences.word_rows(rows, named=True).to_pylist()
    assert [(w["form"], w["features"], w["lemma"]) for w in words] == [
        ("a", "1", "1: a b c"),
        ("c", "3", "1: a b c"),
        ("a", "1", "2: a"),
    ]
    assert [label_sets.values(w["label"]) for w in words] == [("DET",), ("A/B",), ("X",)]
    assert [w["weight"] for w in words] == [1, 1, 2]


def test_inside_goes_on_with_its_own_span_only() -> None:
    tags = ["B-LOC", "B-PER", "I-LOC", "O"]
    follows = sentences.legal(tags)
    may_stand_before = [tag for tag, legal in zip([*tags, "^"], follows[:, 2], strict=True) if legal]
    assert may_stand_before == ["B-LOC", "I-LOC"]
    assert follows[:, [0, 1, 3]].all()


def test_other_tags_may_stand_anywhere() -> None:
    assert sentences.legal(["ADJ", "I-LOC", "O"]).all()
