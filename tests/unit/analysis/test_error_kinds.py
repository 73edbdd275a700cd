"""Kinds of errors."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from esetrag.analysis import error_kinds
from tests.unit.showing import sample, shown, without_lemmas

STEMS = ("kana", "lomta", "dara", "mosza", "vero", "birse")
TRAIN = sample(
    *((stem, stem, "NOM") for stem in STEMS),
    *((stem, stem + "ban", "IN+ESS") for stem in STEMS),
    *((stem, stem + "t", "ACC") for stem in STEMS),
)
Error = tuple[str, str, str, str, float]  # lemma, form, label, predicted, probability


def kind(error: Error, unknown: str = "", longest: int = 12) -> str:
    frame = pd.DataFrame([error], columns=["lemma", "form", "label", "predicted", "probability"])
    lemma, form, label, *_ = error
    test = sample((lemma, form, label), ("két", "két", "NOM"), ("ké", "két", "ACC"))
    [found] = error_kinds.kinds(frame.assign(unknown=unknown), shown(TRAIN, test, longest))
    return found


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (("nemzet", "nemzet", "NOM", "ACC", 0.99), "look-alike"),
        (("turban", "turban", "NOM", "IN+ESS", 0.5), "look-alike"),
        (("rete", "retera", "ON+ALL", "NOM", 0.5), "look-alike"),
        (("két", "két", "NOM", "ACC", 0.99), "ambiguous form"),
        (("ne", "net", "ACC/NOM", "DAT", 0.99), "ambiguous form"),
        (("zoga", "zogaban", "NOM", "IN+ESS", 0.95), "probable label error"),
        (("zoga", "zogaban", "DAT", "IN+ESS", 0.95), "probable label error"),
        (("zoga", "zogaban", "DAT", "IN+ESS", 0.9), "probable label error"),
        (("zoga", "zogaban", "DAT", "IN+ESS", 0.85), "other"),
        (("zoga", "zogaban", "DAT", "ACC", 0.95), "other"),  # nor do such rows have the predicted label
        (("zogi", "zogi", "NOM", "ACC", 0.99), "unseen ending"),
        (("roba", "roban", "ACC", "IN+ESS", 0.5), "other"),
    ],
)
def test_an_error_is_of_the_first_kind_that_it_fits(error: Error, expected: str) -> None:
    assert kind(error) == expected


def test_what_no_model_could_know_comes_first() -> None:
    doubted = ("zoga", "zogaban", "NOM", "IN+ESS", 0.95)
    assert kind(doubted, unknown="z") == "unknown symbol"
    assert kind(doubted, unknown="z", longest=3) == "unknown symbol"
    assert kind(doubted, longest=6) == "too long"
    assert kind(doubted, longest=7) == "probable label error"


def test_a_label_of_a_tenth_of_the_rows_with_this_change_is_not_doubted() -> None:
    error = pd.DataFrame(
        [("zoga", "zogaban", "NOM", "IN+ESS", 0.95, "")],
        columns=["lemma", "form", "label", "predicted", "probability", "unknown"],
    )
    rows = sample(("loma", "lomaban", "NOM"))
    [found] = error_kinds.kinds(error, shown(pa.concat_tables([TRAIN, rows])))
    assert found == "look-alike"


def test_without_lemmas_there_are_no_kinds_that_need_some() -> None:
    assert len(error_kinds.meanings(with_lemmas=True)) == 7
    assert error_kinds.meanings(with_lemmas=True).keys() - error_kinds.meanings(with_lemmas=False) == {
        "probable label error",
        "look-alike",
    }


def test_without_lemmas_the_kinds_that_need_none_remain() -> None:
    train = without_lemmas(TRAIN)
    errors = [("turban", "NOM", "IN+ESS"), ("zogi", "NOM", "ACC")]
    frame = pd.DataFrame(errors, columns=["form", "label", "predicted"])
    frame = frame.assign(lemma=None, probability=0.99, unknown="")
    assert error_kinds.kinds(frame, shown(train)) == ["other", "unseen ending"]


def test_no_errors_are_of_no_kind() -> None:
    none = pd.DataFrame(columns=["lemma", "form", "label", "predicted", "probability", "unknown", "kind"])
    assert error_kinds.kinds(none, shown(TRAIN)) == []
