"""What of the test forms was seen in training."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from esetrag.analysis import seen_in_training
from esetrag.analysis.seen_in_training import SeenInTraining
from esetrag.core import files, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS, Layout
from esetrag.symbols.vocabulary import Vocabulary
from tests.unit.showing import sample, shown, without_lemmas

TRAIN = sample(("legény", "legényben", "IN+ESS"), ("kutya", "kutyát", "ACC"))


@pytest.mark.parametrize(
    ("lemma", "form", "seen"),
    [
        ("kutya", "kutyát", {"lemma", "family head", "form", "final trigram", "symbols"}),
        ("kutya", "kutyák", {"lemma", "family head", "symbols"}),
        ("agglegény", "agglegényben", {"family head", "final trigram"}),
        ("bátyá", "bátyát", {"final trigram", "symbols"}),
        ("cé", "cé", set()),
    ],
)
def test_each_row_says_what_of_it_was_seen_in_training(lemma: str, form: str, seen: set[str]) -> None:
    train = pa.concat_tables([TRAIN, sample(("gágk", "gágk", "NOM"))])
    test = sample((lemma, form, "NOM"))
    [found] = shown(train, test).seen(test).to_dict("records")
    assert {name for name, value in found.items() if value == seen_in_training.SEEN} == seen
    assert set(found.values()) <= {seen_in_training.SEEN, seen_in_training.UNSEEN}


def test_where_words_inflect_at_the_beginning_it_is_the_first_trigram() -> None:
    train = sample(("mtoto", "watoto", "PL"), ("mzee", "wazee", "PL"))
    test = sample(("mtaka", "wataka", "PL"), ("mlima", "walima", "PL"))
    found = shown(train, test).seen(test)
    assert found["first trigram"].tolist() == [seen_in_training.SEEN, seen_in_training.UNSEEN]


def test_without_lemmas_the_forms_are_compared() -> None:
    rows = without_lemmas(TRAIN)
    assert list(shown(rows).seen(rows)) == ["form", "final trigram", "symbols"]


def test_the_rows_come_from_the_artifacts(tmp_path: Path) -> None:
    layout = Layout("toy", tmp_path)
    for part in PARTS:
        tables.write(layout.sample(part), TRAIN)
    files.write_json(layout.metrics / "encoding.json", {"width": 12})
    with pytest.raises(DataError, match=r"families\.parquet: no such file"):
        SeenInTraining.read(layout, Vocabulary.build([], ["NOM"]))
    tables.write(layout.families, shown(TRAIN).families)
    found = SeenInTraining.read(layout, Vocabulary.build([], ["NOM"]))
    assert found.longest == 10
    assert found.parts["dev"].equals(TRAIN)
