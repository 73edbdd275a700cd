from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from esetrag.analysis import seen_in_training
from esetrag.analysis.seen_in_training import SeenInTraining
from esetrag.core import files, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS, Layout
from esetrag.symbols.vocabulary import Vocabulary
from tests.unit.showing import sample, shown

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
def test_each_row_says_what_training_showed_of_it(lemma: str, form: str, seen: set[str]) -> None:
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


def test_the_frame_for_people_holds_what_training_showed_alone() -> None:
    slices = pd.DataFrame(
        [("length", "1–4 symbols", 9, 3, 2 / 3), ("lemma in training", "seen", 4, 1, 0.75)],
        columns=["slice", "value", "rows", "errors", "accuracy"],
    )
    found = seen_in_training.frame(slices)
    assert found.to_dict("records") == [
        {"of the form": "lemma", "in training": "seen", "forms": 4, "misread": 1, "accuracy": 0.75}
    ]


def test_what_was_shown_is_read_from_the_artifacts(tmp_path: Path) -> None:
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
