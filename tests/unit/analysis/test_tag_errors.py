from __future__ import annotations

import pandas as pd

from esetrag.analysis import tag_errors
from esetrag.symbols.vocabulary import SPECIAL, Vocabulary

VOCABULARY = Vocabulary((*SPECIAL, *"abcé"), ("", "=", "|=", "|case:=", "|number:=", "|stem:=", "|é"))
ERRORS = {
    "unknown tag": ("ab", "ac", "ab"),
    "wrong label": ("ab", "stem:a|number:b", "stem:a|case:b"),
    "too many boundaries": ("abc", "ab|c", "a|b|c"),
    "too few boundaries": ("abc", "ab|c", "abc"),
    "boundary shifted": ("abc", "ab|c", "a|bc"),
    "wrong letters": ("abc", "éb|c", "ab|c"),
}


def test_each_error_has_the_first_kind_that_fits() -> None:
    errors = pd.DataFrame(ERRORS.values(), columns=["form", "label", "predicted"])
    assert tag_errors.kinds(errors, VOCABULARY) == list(ERRORS) == list(tag_errors.KINDS)
    assert tag_errors.kinds(errors[:0], VOCABULARY) == []


def test_what_is_confused_are_the_segments_that_differ() -> None:
    pairs = [("a|b|c", "a|bc"), ("a|b|c", "a|d|c"), ("a|a", "a"), ("a", "a|b")]
    frame = tag_errors.differences(pd.DataFrame(pairs, columns=["label", "predicted"]))
    assert frame.to_numpy().tolist() == [["b|c", "bc"], ["b", "d"], ["a", ""], ["", "b"]]
