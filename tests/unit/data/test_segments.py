from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from esetrag.data import segments
from esetrag.data.change import words


def column(*texts: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


PAIRS = {
    "házakból": "stem:ház|number:ak|case:ból",  # the word in parts
    "felezned": "fél|ez|ned",  # a letter replaced
    "markoljátok": "marok|ol|játok",  # a letter put in
    "léptetésünk": "lép|tet|és|jünk",  # letters put in at a boundary
    "xab": "abc",  # letters left out and put in
    "a": "stem:a",
    "Los Angelesed": "Los Angeles|ed",  # with a space
    "𝔞b": "𝔞|b",  # beyond the basic plane
    "ab": "case:a:b|c",  # a colon, and a name that is only at the beginning of a segment
}


def test_each_segmentation_is_a_sequence_of_tags_and_back() -> None:
    forms, labels = column(*PAIRS), column(*PAIRS.values())
    tags, counts = segments.tags(forms, labels)
    assert counts.tolist() == [len(form) for form in PAIRS]
    known = sorted({*tags.to_pylist()})
    ids = np.full((len(counts), counts.max()), -1)
    ids[np.arange(counts.max()) < counts[:, None]] = [known.index(tag) for tag in tags.to_pylist()]
    assert segments.applied(ids, words(forms), known).tolist() == list(PAIRS.values())


@pytest.mark.parametrize(
    ("form", "label", "expected"),
    [
        ("házak", "stem:ház|number:ak", "|stem:= = = |number:= ="),
        ("makrók", "makró|k", "|= = = = = |="),
        ("felez", "fél|ez", "|= é = |= ="),
        ("szopik", "szop", "|= = = =  "),
        ("hát", "hát|ak", "|= = =|ak"),
    ],
)
def test_tags_say_what_is_written_in_the_place_of_each_letter(form: str, label: str, expected: str) -> None:
    assert " ".join(segments.tags(column(form), column(label))[0].to_pylist()) == expected


def test_nothing_has_no_tags() -> None:
    assert len(segments.tags(column(), column())[0]) == 0
    assert segments.tags(column(""), column(""))[1].tolist() == [0]
    assert segments.applied(np.zeros((0, 0), int), words(column()), []).tolist() == []
    assert segments.applied(np.full((1, 2), -1), words(column("ab")), ["|="]).tolist() == [""]


def test_words_are_shown_without_names() -> None:
    assert segments.shown("stem:ház|case:ban") == "ház|ban"
    assert segments.shown("ab:c|stem") == "ab:c|stem"


def test_confusion_is_between_kinds_of_segments() -> None:
    rows = pa.table(
        {"label": ["stem:a|case:b", "a|b", "a|b/ab"], "predicted": ["stem:a|number:b", "ab", "ab"]}
    )
    frame = segments.confusion(rows)
    assert frame["label"].tolist() == ["stem case", "2 segments", "1 segments"]
    assert frame["predicted"].tolist() == ["stem number", "1 segments", "1 segments"]
