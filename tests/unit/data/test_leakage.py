from __future__ import annotations

from pathlib import Path

import pytest

from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.data import leakage
from esetrag.data.families import Families
from tests.unit.showing import sample

TRAIN = sample(("legény", "legény", "NOM"), ("kutya", "kutyát", "ACC"))
OTHER = sample(("alma", "almát", "ACC"))
SAME_FORM = sample(("kuty", "kutyát", "ACC"))
SAME_HEAD = sample(("agglegény", "agglegényt", "ACC"))
PATH = Path("data/toy/sample/test.parquet")
SAME_LEMMA = sample(("kutya", "kutyába", "IN+ALL"))
FAMILIES = Families.of(sample(("legény", "legényt", "ACC"), ("agglegény", "agglegényt", "ACC"))).table


@pytest.mark.parametrize(
    ("split", "test", "told"),
    [
        ("lemma", SAME_LEMMA, "share 1 lemma(s), 'kutya' for one, which sample.split: lemma rules out"),
        ("notebook", SAME_LEMMA, "share 1 lemma(s), 'kutya' for one, which sample.split: notebook rules out"),
        ("family", SAME_LEMMA, "share 1 lemma(s), 'kutya' for one, which sample.split: family rules out"),
        ("family", SAME_HEAD, "share 1 family head(s), 'legény' for one, which sample.split: family rules"),
        ("form", SAME_FORM, "share 1 form(s), 'kutyát' for one, which sample.split: form rules out"),
    ],
)
def test_what_a_split_rules_out_is_refused_in_one_line_with_the_mend(
    split: str, test: object, told: str
) -> None:
    with pytest.raises(DataError) as caught:
        leakage.check(leakage.mark(TRAIN, split), leakage.mark(test, split), FAMILIES, PATH)
    message = str(caught.value)
    assert message.startswith("data/toy/sample/test.parquet: train and test share ")
    assert told in message
    assert message.endswith("make the samples anew: dvc repro -f")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("split", "test"),
    [
        *((split, OTHER) for split in leakage.GUARANTEES),
        ("lemma", SAME_FORM),
        ("lemma", SAME_HEAD),
        ("form", SAME_LEMMA),
        ("form", SAME_HEAD),
    ],
)
def test_what_a_split_allows_is_let_through(split: str, test: object) -> None:
    leakage.check(leakage.mark(TRAIN, split), leakage.mark(test, split), FAMILIES, PATH)


def test_parts_that_do_not_say_how_they_were_split_are_held_to_lemmas() -> None:
    leakage.check(TRAIN, OTHER, FAMILIES, PATH)
    with pytest.raises(DataError, match=r"share 1 lemma"):
        leakage.check(TRAIN, SAME_LEMMA, FAMILIES, PATH)


def test_parts_of_two_splits_are_refused() -> None:
    with pytest.raises(DataError, match=r"train was split by 'lemma', test by 'form'"):
        leakage.check(leakage.mark(TRAIN, "lemma"), leakage.mark(SAME_LEMMA, "form"), FAMILIES, PATH)


def test_every_split_there_is_says_what_it_guarantees() -> None:
    [kinds] = [config.Sample.model_fields["split"].annotation]
    assert set(leakage.GUARANTEES) == set(getattr(kinds, "__args__", ()))


def test_the_account_counts_what_test_and_train_share() -> None:
    drawn = {"train": TRAIN, "dev": OTHER, "test": SAME_HEAD}
    families = Families.of(
        sample(*((lemma, lemma + "t", "ACC") for lemma in ("legény", "agglegény", "kutya")))
    )
    account = leakage.account("lemma", drawn, families)
    assert account["test_shares_with_train"] == {"lemmas": 0, "forms": 0, "family_heads": 1}
    assert (account["kind"], account["families"], account["heads_passed_over"]) == ("lemma", 2, [])
