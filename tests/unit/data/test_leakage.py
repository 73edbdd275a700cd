from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.core import config, tables
from esetrag.core.errors import DataError
from esetrag.data import leakage
from esetrag.data.families import Families
from tests.unit.showing import sample

TRAIN = sample(("legény", "legény", "NOM"), ("kutya", "kutyát", "ACC"))
OTHER = sample(("alma", "almát", "ACC"))
SAME_FORM = sample(("kuty", "kutyát", "ACC"))
SAME_HEAD = sample(("agglegény", "agglegényt", "ACC"))
SAME_LEMMA = sample(("kutya", "kutyába", "IN+ALL"))
PATH = Path("data/toy/sample/test.parquet")
FAMILIES = Families.of(sample(("legény", "legényt", "ACC"), ("agglegény", "agglegényt", "ACC")))


@pytest.mark.parametrize(
    ("split", "test", "problem"),
    [
        *((split, SAME_LEMMA, "1 lemma(s), 'kutya'") for split in ("lemma", "notebook", "family")),
        ("family", SAME_HEAD, "1 family head(s), 'legény'"),
        ("form", SAME_FORM, "1 form(s), 'kutyát'"),
    ],
)
def test_what_a_split_rules_out_is_refused_in_one_line_with_the_mend(
    split: str, test: pa.Table, problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        leakage.check(leakage.mark(TRAIN, split), leakage.mark(test, split), FAMILIES.table, PATH)
    assert str(caught.value) == (
        f"{PATH}: train and test share {problem} for one, which sample.split: {split} rules out; "
        "make the samples anew: dvc repro -f"
    )


@pytest.mark.parametrize(
    ("split", "test"),
    [
        *((split, OTHER) for split in leakage.GUARANTEES),
        *(("lemma", test) for test in (SAME_FORM, SAME_HEAD)),
        *(("form", test) for test in (SAME_LEMMA, SAME_HEAD)),
        *((leakage.GIVEN, test) for test in (SAME_LEMMA, SAME_FORM, SAME_HEAD)),
    ],
)
def test_what_a_split_allows_is_let_through(split: str, test: pa.Table) -> None:
    leakage.check(leakage.mark(TRAIN, split), leakage.mark(test, split), FAMILIES.table, PATH)


def test_unmarked_parts_are_held_to_lemmas_and_two_splits_are_refused() -> None:
    leakage.check(TRAIN, OTHER, FAMILIES.table, PATH)
    with pytest.raises(DataError, match="share 1 lemma"):
        leakage.check(TRAIN, SAME_LEMMA, FAMILIES.table, PATH)
    with pytest.raises(DataError, match="train was split by 'lemma', test by 'form'"):
        leakage.check(leakage.mark(TRAIN, "lemma"), leakage.mark(OTHER, "form"), FAMILIES.table, PATH)


def test_every_split_says_what_it_guarantees() -> None:
    kinds = getattr(config.Sample.model_fields["split"].annotation, "__args__", ())
    assert set(leakage.GUARANTEES) == {*kinds, leakage.GIVEN}


def test_the_summary_counts_what_parts_share() -> None:
    families = Families.of(sample(*((x, x + "t", "ACC") for x in ("legény", "agglegény", "kutya"))))
    summary = leakage.summary("lemma", {"train": TRAIN, "dev": SAME_FORM, "test": SAME_HEAD}, families)
    assert summary["test_shares_with_train"] == {"lemmas": 0, "forms": 0, "family_heads": 1}
    assert summary["dev_shares_with_train"] == {"lemmas": 0, "forms": 1, "family_heads": 0}
    assert (summary["kind"], summary["families"], summary["heads_passed_over"]) == ("lemma", 2, [])


def test_without_lemmas_forms_alone_are_counted_and_refused() -> None:
    rows = tables.sample([None, None], ["a", "b"], [None, None], ["x", "y"])
    summary = leakage.summary("form", dict.fromkeys(("train", "dev", "test"), rows), Families.of(rows))
    assert summary["test_shares_with_train"] == {"lemmas": None, "forms": 2, "family_heads": None}
    with pytest.raises(
        DataError, match=r"t\.tsv: expected no form of the training rows, found 2, 'a' for one"
    ):
        leakage.refuse(rows, rows, Path("t.tsv"))
    with pytest.raises(DataError, match="expected no lemma"):
        leakage.refuse(TRAIN, SAME_LEMMA, Path("t.tsv"))
    leakage.refuse(TRAIN, SAME_FORM, Path("t.tsv"))
