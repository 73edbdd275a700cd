from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from esetrag.core import config, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS
from esetrag.data import sampling


def sample_of(**changed: Any) -> config.Sample:
    usual = {"suspicious": "keep", "split": "lemma", "seed": 1, "train": None, "dev": None, "test": None}
    return config.Sample.model_validate(usual | changed)


def table_of(rows: list[tuple[str, str, str, str]]) -> pa.Table:
    return pa.table([*zip(*rows, strict=True), [None] * len(rows)], schema=tables.LABELLED)


def paradigms(lemmas: int, forms: int = 3, order_seed: int | None = None) -> pa.Table:
    """Rows of invented lemmas, their order shuffled so that lemmas do not first appear sorted."""
    rows = [
        (f"l{lemma:03}", f"l{lemma:03}f{form}", f"N;{label};SG", label)
        for lemma in range(lemmas)
        for form, label in zip(range(forms), ("NOM", "ACC", "DAT", "GEN"), strict=False)
    ]
    if order_seed is not None:
        rows = [rows[i] for i in np.random.default_rng(order_seed).permutation(len(rows))]
    return table_of(rows)


def lemmas_of(table: pa.Table) -> set[str]:
    return set(table["lemma"].to_pylist())


def rows_of(table: pa.Table) -> list[tuple[str, ...]]:
    return [tuple(row.values())[:4] for row in table.to_pylist()]


@pytest.mark.parametrize("split", ["lemma", "notebook"])
@pytest.mark.parametrize("lemmas", [3, 7, 10, 25, 100])
def test_no_lemma_is_in_two_parts_and_no_row_is_lost(split: str, lemmas: int) -> None:
    table = paradigms(lemmas, order_seed=5)
    parts = sampling.split(table, sample_of(split=split))
    assert list(parts) == list(PARTS)
    held_out = max(1, lemmas // 10)
    assert [len(lemmas_of(part)) for part in parts.values()] == [lemmas - 2 * held_out, held_out, held_out]
    assert sorted(row for part in parts.values() for row in rows_of(part)) == sorted(rows_of(table))


@pytest.mark.parametrize("split", ["lemma", "family", "form"])
@settings(max_examples=20)
@for_all(order=st.permutations(range(36)), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_is_without_influence(split: str, order: list[int], seed: int) -> None:
    table, sample = paradigms(12), sample_of(split=split, seed=seed, train=10, dev=2, test=1)
    drawn = sampling.draw(sampling.split(table, sample), sample)
    drawn_of_shuffled = sampling.draw(sampling.split(table.take(order), sample), sample)
    assert all(drawn[part].equals(drawn_of_shuffled[part]) for part in PARTS)


def test_another_seed_gives_other_parts_and_other_samples() -> None:
    table = paradigms(100)
    one, other = (sampling.split(table, sample_of(seed=seed)) for seed in (1, 2))
    assert lemmas_of(one["test"]) != lemmas_of(other["test"])
    drawn, drawn_other = (sampling.draw(one, sample_of(seed=seed, train=50)) for seed in (1, 2))
    assert drawn["train"] != drawn_other["train"]


@settings(max_examples=30)
@for_all(smaller=st.integers(1, 90), larger=st.integers(1, 90), seed=st.integers(0, 1000))
def test_a_bigger_sample_holds_the_smaller(smaller: int, larger: int, seed: int) -> None:
    smaller, larger = sorted((smaller, larger))
    parts = sampling.split(paradigms(30), sample_of(seed=seed))
    few = sampling.draw(parts, sample_of(seed=seed, train=smaller))["train"]
    many = sampling.draw(parts, sample_of(seed=seed, train=larger))["train"]
    assert set(rows_of(few)) <= set(rows_of(many))


def test_each_part_has_the_size_wanted() -> None:
    sample = sample_of(train=50, dev=4, test=5)
    drawn = sampling.draw(sampling.split(paradigms(100), sample), sample)
    assert [len(drawn[part]) for part in PARTS] == [50, 4, 5]
    assert len(set(rows_of(drawn["train"]))) == 50


@pytest.mark.parametrize("split", ["lemma", "notebook"])
@pytest.mark.parametrize("size", [None, 30, 31, 10_000])
def test_null_and_sizes_beyond_what_there_is_give_all_rows(split: str, size: int | None) -> None:
    sample = sample_of(split=split, dev=size)
    parts = sampling.split(paradigms(100), sample)
    assert rows_of(sampling.draw(parts, sample)["dev"]) == rows_of(parts["dev"])


def test_the_size_of_one_part_does_not_move_another() -> None:
    parts = sampling.split(paradigms(100), sample_of())
    one, other = (sampling.draw(parts, sample_of(train=train, test=7)) for train in (10, 200))
    assert one["test"].equals(other["test"])


@pytest.mark.parametrize("split", ["lemma", "notebook"])
def test_fewer_than_three_lemmas_are_refused(split: str) -> None:
    with pytest.raises(DataError, match=r"^2 lemma\(s\) cannot be split into train, dev, test"):
        sampling.split(paradigms(2, forms=4), sample_of(split=split))


@pytest.mark.parametrize("lemmas", [10, 57, 200])
@pytest.mark.parametrize("seed", [1, 99])
def test_the_notebooks_split_is_reproduced_to_the_row(lemmas: int, seed: int) -> None:
    table = paradigms(lemmas, order_seed=8)
    sample = sample_of(split="notebook", seed=seed, train=11, dev=2, test=1)
    found = sampling.draw(sampling.split(table, sample), sample)

    frame = table.to_pandas()
    shuffled = list(frame["lemma"].unique())
    np.random.seed(12)
    np.random.shuffle(shuffled)
    tenth = int(0.1 * lemmas)
    lemmas_by_part = {
        "train": shuffled[: -2 * tenth],
        "dev": shuffled[-2 * tenth : -tenth],
        "test": shuffled[-tenth:],
    }
    for part, size in (("train", 11), ("dev", 2), ("test", 1)):
        rows = frame[frame["lemma"].isin(lemmas_by_part[part])].sample(size, random_state=1)
        assert rows_of(found[part]) == [tuple(row)[:4] for row in rows.itertuples(index=False)]


def test_a_split_by_form_keeps_the_rows_of_a_form_together_and_parts_lemmas() -> None:
    rows = [
        (f"l{lemma}", f"f{(lemma * 7 + i) % 60}", "N", label)
        for lemma in range(30)
        for i, label in enumerate(("NOM", "ACC", "DAT", "GEN"))
    ]
    parts = sampling.split(table_of(rows), sample_of(split="form"))
    forms = [set(part["form"].to_pylist()) for part in parts.values()]
    assert [len(some) for some in forms] == [48, 6, 6]
    assert len(set.union(*forms)) == 60
    assert lemmas_of(parts["train"]) & lemmas_of(parts["test"])


def test_a_split_by_family_keeps_compounds_of_a_head_together() -> None:
    heads = [f"{letter}átok" for letter in "bdfghjklmnprstvz"]
    lemmas = [first + head for head in heads for first in ("", "kis", "nagy")]
    rows = [(lemma, lemma + ending, "N", ending) for lemma in lemmas for ending in ("t", "ban")]
    of_family, of_lemma = (
        sampling.split(table_of(rows), sample_of(split=split)) for split in ("family", "lemma")
    )

    def heads_in_two_parts(parts: dict[str, pa.Table]) -> int:
        found = [{lemma[-5:] for lemma in lemmas_of(part)} for part in parts.values()]
        return sum(map(len, found)) - len(heads)

    assert heads_in_two_parts(of_family) == 0
    assert heads_in_two_parts(of_lemma) > 0
    assert [len(lemmas_of(of_family[part])) for part in PARTS] == [42, 3, 3]


def test_fewer_than_three_families_or_forms_are_refused() -> None:
    table = paradigms(3, forms=1)
    of_one = table.set_column(0, table.schema.field("lemma"), pa.array(["ház", "faház", "kisház"]))
    with pytest.raises(DataError, match=r"^1 families of lemmas cannot be split into train, dev, test"):
        sampling.split(of_one, sample_of(split="family"))
    with pytest.raises(DataError, match=r"^2 form\(s\) cannot be split into train, dev, test"):
        sampling.split(table.slice(0, 2), sample_of(split="form"))


@pytest.mark.parametrize("split", ["lemma", "notebook"])
def test_a_form_stands_once_in_a_part_with_all_its_values(split: str) -> None:
    rows = [
        (f"l{lemma:02}", f"l{lemma:02}{end}", f"N;{case};SG", case)
        for lemma in range(20)
        for end, case in (("", "NOM"), ("", "ACC"), ("t", "DAT"), ("", "NOM"))
    ]
    parts = sampling.split(table_of(rows), sample_of(split=split))
    for part in sampling.draw(parts, sample_of(split=split)).values():
        assert part.schema.equals(tables.SAMPLE)
        assert len(set(part["form"].to_pylist())) == len(part) == 2 * len(lemmas_of(part))
        for lemma, form, bundles, label in rows_of(part):
            expected = ("N;DAT;SG", "DAT") if form == f"{lemma}t" else ("N;ACC;SG | N;NOM;SG", "ACC/NOM")
            assert (bundles, label) == expected
    drawn = sampling.draw(parts, sample_of(split=split, train=10))["train"]
    assert len(set(drawn["form"].to_pylist())) == len(drawn) == (10 if split == "lemma" else 9)
