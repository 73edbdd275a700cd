from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from esetrag.analysis import error_kinds
from tests.unit.showing import sample, shown

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
        (("zoga", "zogaban", "DAT", "IN+ESS", 0.85), "rest"),
        (("zogi", "zogi", "NOM", "ACC", 0.99), "unseen ending"),
        (("roba", "roban", "ACC", "IN+ESS", 0.5), "rest"),
    ],
)
def test_an_error_is_of_the_first_kind_that_it_fits(error: Error, expected: str) -> None:
    assert kind(error) == expected


def test_what_no_reader_could_know_comes_first() -> None:
    doubted = ("zoga", "zogaban", "NOM", "IN+ESS", 0.95)
    assert kind(doubted, unknown="z") == "unknown symbol"
    assert kind(doubted, unknown="z", longest=3) == "unknown symbol"
    assert kind(doubted, longest=6) == "too long"
    assert kind(doubted, longest=7) == "probable label error"


def test_a_label_that_a_tenth_of_the_like_rows_bears_is_not_doubted() -> None:
    error = pd.DataFrame(
        [("zoga", "zogaban", "NOM", "IN+ESS", 0.95, "")],
        columns=["lemma", "form", "label", "predicted", "probability", "unknown"],
    )
    rows = sample(("loma", "lomaban", "NOM"))
    [found] = error_kinds.kinds(error, shown(pa.concat_tables([TRAIN, rows])))
    assert found == "look-alike"


ERRORS = pd.DataFrame(
    {
        "form": ["nemzet", "lövet", "gallért"],
        "label": ["NOM", "NOM", "ACC"],
        "predicted": ["ACC", "ACC", "PRP"],
        "kind": ["look-alike", "look-alike", "rest"],
    }
)


def test_the_frame_shows_every_kind_with_count_share_and_the_surest_forms() -> None:
    found = error_kinds.frame(ERRORS, examples=1)
    assert found["kind"].tolist() == list(error_kinds.KINDS)
    shown_of = {
        row["kind"]: (row["misread"], row["share"], row["for example"]) for row in found.to_dict("records")
    }
    assert shown_of["look-alike"] == (2, pytest.approx(2 / 3), "nemzet (NOM → ACC)")
    assert shown_of["rest"] == (1, pytest.approx(1 / 3), "gallért (ACC → PRP)")
    assert shown_of["too long"] == (0, 0.0, "")


def test_no_errors_are_of_no_kind() -> None:
    none = ERRORS.iloc[:0].assign(lemma="", probability=0.0, unknown="")
    assert error_kinds.kinds(none, shown(TRAIN)) == []
    assert set(error_kinds.counts(none).values()) == {0}
    assert error_kinds.frame(none)["share"].tolist() == [0.0] * len(error_kinds.KINDS)
