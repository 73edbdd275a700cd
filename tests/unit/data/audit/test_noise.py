from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from bench.audit import by_hand

from esetrag.core import features, tables
from esetrag.data import unimorph
from esetrag.data.audit import noise
from esetrag.data.audit.noise import Doubts
from esetrag.data.change import Changes
from esetrag.data.selection import select

Row = tuple[str, str, str]
CONSONANTS, VOWELS = "bdfgklmnprst", "aeiou"
STEMS = [a + b + c + d for a in CONSONANTS[:6] for b in VOWELS for c in CONSONANTS[6:] for d in VOWELS[:2]]


def table(rows: list[Row]) -> pa.Table:
    """Rows of lemma, form and a bundle with a case."""
    labels = [next(iter(features.values(row[2], "Case"))) for row in rows]
    lemmas, forms, bundles = zip(*rows, strict=True)
    return tables.sample(lemmas, forms, bundles, labels)


def doubts(rows: pa.Table) -> Doubts:
    beside = [features.others(bundle, "Case") for bundle in rows["features"].to_pylist()]
    return noise.doubts(rows, Changes.of(rows), np.unique(np.array(beside), return_inverse=True)[1])


def doubted(rows: pa.Table) -> list[tuple[str, str]]:
    """Form and label of the suspicious rows."""
    found = rows.filter(pa.array(doubts(rows).suspicious)).to_pylist()
    return [(row["form"], row["label"]) for row in found]


def shares(found: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Recall and precision."""
    both = (found & wrong).sum()
    return both / wrong.sum(), both / found.sum()


def shifted(rows: pa.Table, share: float) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """Some lemmas with the bundle and value of the next row of the same number; whether a row is wrong."""
    lemmas = sorted(pc.unique(rows["lemma"]).to_pylist())
    moved = set(np.random.default_rng(1).choice(lemmas, int(share * len(lemmas)), replace=False))

    def column(row: dict[str, str]) -> tuple[str, str]:
        return row["lemma"], row["features"].rpartition(";")[2]

    good = sorted(rows.to_pylist(), key=column)
    made = [
        row | {name: below[name] for name in ("features", "label")} if row["lemma"] in moved else row
        for row, below in pairwise(good)
        if row["lemma"] not in moved or column(row) == column(below)
    ]
    true = {(row["lemma"], row["form"], row["label"]) for row in good}
    wrong = [(row["lemma"], row["form"], row["label"]) not in true for row in made]
    return pa.Table.from_pylist(made, schema=rows.schema), np.array(wrong)


@pytest.fixture(scope="module")
def hungarian() -> pa.Table:
    """A tenth of the lemmas of the project's table."""
    path = Path(__file__).parents[4] / "data/raw/hun.tsv.gz"
    rows = select(unimorph.read(path), path, "N", "Case").table
    return rows.filter(pc.is_in(rows["lemma"], pc.unique(rows["lemma"])[::10]))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.25])
def test_paradigms_that_are_a_row_off_are_found(hungarian: pa.Table, share: float) -> None:
    rows, wrong = shifted(hungarian, share)
    recall, precision = shares(doubts(rows).suspicious, wrong)
    assert recall >= 0.95
    assert precision >= 0.95


def test_odd_rows_are_found_without_their_paradigm(hungarian: pa.Table) -> None:
    rng = np.random.default_rng(1)
    labels = hungarian["label"].to_numpy().copy()
    wrong = np.zeros(len(labels), dtype=bool)
    wrong[rng.choice(len(labels), 100, replace=False)] = True
    names = np.unique(labels)
    labels[wrong] = names[
        (np.searchsorted(names, labels[wrong].astype(str)) + 1 + rng.integers(0, 16, 100)) % 17
    ]
    recall, precision = shares(doubts(hungarian.set_column(3, "label", pa.array(labels))).suspicious, wrong)
    assert recall >= 0.95
    assert precision >= 0.95


def test_a_clean_table_is_hardly_doubted_and_the_likelier_value_is_that_of_the_form(
    hungarian: pa.Table,
) -> None:
    assert doubts(hungarian).suspicious.sum() <= 2
    rows, wrong = shifted(hungarian, 0.1)
    true = {(row["lemma"], row["form"]): row["label"] for row in hungarian.to_pylist()}
    found = doubts(rows)
    likelier = [found.labels[place] for place in found.likelier[wrong]]
    expected = [true[row["lemma"], row["form"]] for row in rows.filter(pa.array(wrong)).to_pylist()]
    assert np.mean(np.array(likelier) == np.array(expected)) > 0.95


def test_the_order_of_the_rows_is_without_influence(hungarian: pa.Table) -> None:
    rows, _ = shifted(hungarian.slice(0, 3000), 0.1)
    order = np.random.default_rng(1).permutation(len(rows))
    straight, shuffled = doubts(rows), doubts(rows.take(order))
    assert straight.labels == shuffled.labels
    np.testing.assert_allclose(straight.wrong[order], shuffled.wrong, atol=1e-9)
    assert (straight.suspicious[order] == shuffled.suspicious).all()


ENDINGS = {"NOM": "", "ACC": "m", "GEN": "s", "DAT": "n"}


def test_a_form_with_several_legitimate_values_is_no_noise() -> None:
    """As in Icelandic or German: the accusative of half the lemmas is the nominative."""
    rows = []
    for number, stem in enumerate(STEMS):
        for case, ending in ENDINGS.items():
            ending = "" if case == "ACC" and number % 2 else ending
            rows.append((stem, stem + ending, f"N;{case};SG"))
    assert doubted(table(rows)) == []


def test_a_citation_form_that_looks_inflected_is_no_noise() -> None:
    stems = [*STEMS, "bakas", "tukan", "larum"]
    assert doubted(table([(s, s + e, f"N;{c};SG") for s in stems for c, e in ENDINGS.items()])) == []


def test_prefixes_count_too() -> None:
    cells = {"NOM": "", "ACC": "wa", "GEN": "ki", "DAT": "mu"}
    rows = [(s, prefix + s, f"N;{c};SG") for s in STEMS for c, prefix in cells.items()]
    rows[17] = (rows[17][0], rows[17][1], "N;DAT;SG")
    assert doubted(table(rows)) == [("wa" + rows[17][0], "DAT")]


def test_articles_count_and_are_no_ending() -> None:
    """As in Romanian: the stem alternates behind the article, and each case has an article of its own."""
    articles = {"NOM": "", "ACC": "un ", "GEN": "unui ", "DAT": "la "}
    rows = [(s + "a", article + s + "e", f"N;{c};SG") for s in STEMS for c, article in articles.items()]
    assert doubted(table(rows)) == []
    rows[18] = (rows[18][0], rows[18][1], "N;ACC;SG")
    assert doubted(table(rows)) == [(rows[18][1], "ACC")]


def test_a_word_that_never_changes_is_no_noise() -> None:
    rows = [(s, s + e, f"N;{c};SG") for s in STEMS for c, e in ENDINGS.items()]
    rows += [(word, word, f"N;{c};SG") for word in ("kimono", "gaucho") for c in ENDINGS]
    assert doubted(table(rows)) == []


def test_words_that_change_in_their_middle_are_no_noise() -> None:
    """*câine de apă*, *câinelui de apă*: the head stands first."""
    rows = [(s, s + e, f"N;{c};SG") for s in STEMS for c, e in ENDINGS.items()]
    rows += [("kamon de las", f"kamon{e} de las", f"N;{c};SG") for c, e in ENDINGS.items()]
    assert doubted(table(rows)) == []


def test_stress_that_lemmas_do_not_show_is_no_change() -> None:
    cases = {"NOM": "", "ACC": "m", "GEN": "s", "DAT": "n"}
    rows = [(s + "x", f"{s[:2]}\u0301{s[2:]}x{e}", f"N;{c};SG") for s in STEMS for c, e in cases.items()]
    rows[17] = (rows[17][0], rows[17][1], "N;DAT;SG")
    assert doubted(table(rows)) == [(rows[17][1], "DAT")]


def test_a_paradigm_does_not_vouch_for_itself() -> None:
    """Its stem alternates as no other does, so that its changes are its own but one; the endings tell."""
    rows = [(s, s + e, f"N;{c};{n}") for s in STEMS for c, e in ENDINGS.items() for n in ("SG", "PL")]
    off = {"ACC": "s", "GEN": "n", "DAT": "m"}
    alternating = [("zuta", "zota" + e, f"N;{c};{n}") for c, e in off.items() for n in ("SG", "PL")]
    assert not doubted(table([*rows, *alternating])), "another declension would look the same"
    alternating[0] = ("zuta", "zutas", "N;ACC;SG")
    assert {form for form, _ in doubted(table([*rows, *alternating]))} == {"zutas", "zotas", "zotan", "zotam"}


@pytest.mark.parametrize("ending", ["", "n"])
def test_the_change_of_a_small_declension_is_no_noise(ending: str) -> None:
    """Belarusian *ванная* is an adjective; its *ваннай* is also a genitive, as such a change is elsewhere."""
    rows = [(s + "a", s + "a" + e, f"N;{c};SG") for s in STEMS for c, e in ENDINGS.items()]
    rows += [("vanny", "vanny" + e, f"N;{c};SG") for c, e in (ENDINGS | {"ACC": "n", "NOM": ending}).items()]
    assert doubted(table(rows)) == []


def test_witnesses_are_the_rows_of_other_lemmas() -> None:
    rows = [(s, s + e, f"N;{c};SG") for s in STEMS for c, e in ENDINGS.items()]
    rows[1] = (rows[1][0], rows[1][1], "N;GEN;SG")
    found = doubts(table(rows))
    assert found.suspicious.nonzero()[0].tolist() == [1]
    alike = sum(stem[-1] == rows[1][0][-1] for stem in STEMS) - 1
    assert found.witnesses[1].tolist() == [alike, 0, alike]
    assert found.labels[found.likelier[1]] == "ACC"


@pytest.mark.parametrize(
    "rows",
    [
        [("a", "a", "N;NOM;SG")],
        [("a", "an", "N;DAT;SG"), ("b", "bn", "N;DAT;SG")],
        [("a", "a" + e, f"N;{c};SG") for c, e in ENDINGS.items()],
    ],
)
def test_a_table_of_one_value_or_one_lemma_has_nothing_to_doubt(rows: list[Row]) -> None:
    assert doubted(table(rows)) == []


def test_rows_checked_by_hand_are_counted() -> None:
    """Of a table, ``bench.audit`` knows which rows are wrong by their lemma, form and tags."""
    rows = table([("мова", "мо́вы", "N;INS;SG"), ("любы", "лю́бых", "N;GEN;PL"), ("мова", "мо́вы", "N;GEN;SG")])
    assert by_hand("bel.tsv", rows).tolist() == ["wrong", "right", ""]
    assert not by_hand("est.tsv", rows).any()
