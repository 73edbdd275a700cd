from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from esetrag.core import tables
from esetrag.data import pairs

ENDINGS = {"N;NOM;SG": "", "N;DAT;SG": "nak", "N;TERM;SG": "ig"}


def nouns(stems: list[str]) -> pa.Table:
    """Nouns that inflect in one of two ways: by their last vowel."""
    rows = [
        (stem, stem + (ending if "a" in stem[:2] else ending.replace("a", "e")), bundle)
        for stem in stems
        for bundle, ending in ENDINGS.items()
    ]
    lemmas, forms, bundles = (list(column) for column in zip(*rows, strict=True))
    return tables.sample(lemmas, forms, bundles, [""] * len(rows))


ROWS = nouns(["bara", "bola", "dara", "dola", "fala", "gosa"])
ALIKE = nouns([f"{stem}{end}" for stem in ("bara", "dola", "fala") for end in ("", "n", "ri", "nat")])


def valid(rows: pa.Table, table: pa.Table, seed: int = 1) -> pa.Table:
    return pairs.valid(rows, table, np.random.default_rng(seed))


def wrong_pairs(made: pa.Table) -> set[tuple[str, str]]:
    return {(row["form"], row["features"]) for row in made.to_pylist() if row["label"] == "wrong"}


def test_wrong_forms_are_what_another_lemma_does_or_those_of_other_cells() -> None:
    found = set[tuple[str, str]]()
    for seed in range(10):
        made = valid(ROWS, ROWS, seed)
        assert made.schema == tables.SAMPLE
        found |= wrong_pairs(made)
    assert {("bara\tbaranek", "N;DAT;SG"), ("bola\tbolanak", "N;DAT;SG")} <= found
    assert {("bara\tbaraig", "N;DAT;SG"), ("bara\tbaranak", "N;NOM;SG")} <= found
    assert ("bara\tbaranek", "N;NOM;SG") not in found


def test_each_lemma_and_cell_is_as_often_right_as_wrong() -> None:
    made = valid(ROWS, ROWS).group_by(["lemma", "features", "label"]).aggregate([([], "count_all")])
    assert pc.unique(made["count_all"]).to_pylist() == [1]
    assert pc.sum(pc.equal(made["label"], "wrong")).as_py() * 2 == len(made)


def test_a_lemma_of_one_form_gets_that_of_another_lemma() -> None:
    single = ROWS.filter(pc.equal(ROWS["features"], "N;DAT;SG"))
    assert len(valid(single, single)) == 2 * len(single)


def test_a_form_that_the_lemma_has_in_the_cell_is_never_wrong() -> None:
    both = pa.concat_tables([ROWS, tables.sample(["bara"], ["baranek"], ["N;DAT;SG"], [""])])
    for seed in range(10):
        assert not wrong_pairs(valid(ROWS, both, seed)) & {
            ("bara\tbaranek", "N;DAT;SG"),
            ("bara\tbaranak", "N;DAT;SG"),
        }


def test_what_a_change_cuts_off_must_be_there() -> None:
    rows = tables.sample(["alma", "ház", "kéz"], ["almát", "házat", "kezet"], ["N;ACC;SG"] * 3, [""] * 3)
    wrong = valid(rows, rows).filter(pc.equal(valid(rows, rows)["label"], "wrong"))["form"].to_pylist()
    assert {"ház\tházát", "alma\talmezet"}.isdisjoint(wrong)
    assert "alma\talmaat" in wrong


def test_words_that_inflect_at_their_beginning_are_paired_so() -> None:
    lemmas = ["mtoto", "kitabu", "mtu", "kiti"]
    rows = tables.sample(lemmas, ["watoto", "vitabu", "watu", "viti"], ["N;PL"] * 4, [""] * 4)
    made = valid(rows, rows)
    assert "kitabu\tvitabu" in made["form"].to_pylist() or not len(made)


@pytest.mark.parametrize("name", pairs.BUILDERS)
def test_pairs_of_the_same_seed_are_the_same(name: str) -> None:
    rows = ALIKE
    made = [pairs.BUILDERS[name](rows, rows, np.random.default_rng(7)) for _ in range(2)]
    assert made[0].equals(made[1])
    assert len(made[0])


def test_forms_of_other_lemmas_share_as_much_as_forms_of_the_same() -> None:
    rows = ALIKE
    made = pairs.same_lemma(rows, rows, np.random.default_rng(1))
    lemma_of = dict(zip(rows["form"].to_pylist(), rows["lemma"].to_pylist(), strict=True))
    shares: dict[str, list[float]] = {"same": [], "different": []}
    for row in made.to_pylist():
        first, second = row["form"].split("\t")
        assert (lemma_of[first] == lemma_of[second]) == (row["label"] == "same")
        shared = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
        shares[row["label"]].append(min(shared, len(second)) / max(len(first), len(second)))
        assert row["features"] is None
    assert len(shares["same"]) == len(shares["different"]) > 0
    assert np.abs(np.subtract(shares["same"], shares["different"])).max() <= pairs.CLOSE


def test_a_form_of_several_bundles_is_paired_once() -> None:
    bundles = pa.array([f"{bundle};INDF" for bundle in ALIKE["features"].to_pylist()])
    syncretic = pa.concat_tables([ALIKE, ALIKE.set_column(2, "features", bundles).cast(tables.SAMPLE)])
    rng = np.random.default_rng(1)
    made = pairs.same_lemma(syncretic, syncretic, rng)
    assert made.equals(pairs.same_lemma(ALIKE, ALIKE, rng))
    texts = made["form"].to_pylist()
    assert len({*texts}) == len(texts)


@pytest.mark.parametrize("missing", list(ENDINGS))
def test_two_forms_that_two_lemmas_share_are_a_pair_once_and_of_one_label(missing: str) -> None:
    homonym = ALIKE.filter((pc.field("lemma") == "baran") & (pc.field("features") != missing))
    homonym = homonym.set_column(0, "lemma", pa.array(["baran (2)"] * len(homonym))).cast(tables.SAMPLE)
    rows = pa.concat_tables([ALIKE, homonym])
    texts = pairs.same_lemma(rows, rows, np.random.default_rng(1))["form"].to_pylist()
    assert len({*texts}) == len(texts) > 0
    assert len(pairs.same_lemma(homonym, homonym, np.random.default_rng(1))) == 0  # no other lemma
