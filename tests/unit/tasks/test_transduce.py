"""What a task that writes words does at each stage before training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from esetrag.core import config
from esetrag.core.errors import DataError
from esetrag.data import edits
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import EOS, PAD, SPECIAL, UNK, Vocabulary
from esetrag.tasks import transduce
from esetrag.tasks.transduce import Transduce
from tests import writing
from tests.samples import column
from tests.writing import asked

ROWS = asked(
    ("alma", "N;DAT;SG", "almának"), ("ház", "N;NOM;SG", "ház"), ("ház", "N;ACC;PL", "házat|házakat")
)


def vocabulary(rows: pa.Table = ROWS, **changed: Any) -> Vocabulary:
    return writing.task(**changed).vocabulary([rows], writing.BUILD)


def test_the_vocabulary_has_letters_values_bundles_and_edits() -> None:
    found = vocabulary()
    assert "".join(found.symbols[4:]) == "ahlmzá"
    assert found.features == ("ACC", "DAT", "N", "NOM", "PL", "SG")
    assert found.bundles == ("N;ACC;PL", "N;DAT;SG", "N;NOM;SG")
    # Of several right words, training shows the first.
    assert found.labels == ("a", "cut(0,0)", "cut(0,1)", "k", "n", "t", "á")
    assert found.writes_edits
    assert found.size == len(found.symbols) + 6


def test_letters_are_written_as_they_are() -> None:
    found = vocabulary(output="letters")
    assert "".join(found.labels) == "aahklmntzá"[1:]
    assert not found.writes_edits
    data = writing.encoded(writing.task(output="letters"), ROWS, found)
    names = (*SPECIAL, *found.labels)
    assert "".join(names[i] for i in data.targets[1]).startswith("ház<EOS>")
    made = transduce.written(data.targets[:, None].astype(np.int64), np.array(["x"] * 3), found)
    assert made[:, 0].tolist() == ["almának", "ház", "házakat"]


def test_a_capital_is_written_as_a_capital() -> None:
    rows = asked(("ab", None, "AB"), ("ab", None, "ab"))
    kind = writing.task(output="letters", source=["form"], target="lemma")
    found = kind.vocabulary([rows.slice(1)], writing.BUILD)
    targets = writing.encoded(kind, rows, found).targets
    assert targets[0, :2].tolist() == [UNK, UNK]
    assert UNK not in targets[1]
    assert writing.encoded(kind, asked(("AB", None, "ab")), found).ids.max() > UNK, (
        "but read as its small letter"
    )


def test_targets_are_scripts_that_make_the_first_right_word() -> None:
    found = vocabulary()
    data = writing.encoded(writing.task(), ROWS, found)
    made = transduce.written(data.targets[:, None].astype(np.int64), np.array(["alma", "ház", "ház"]), found)
    assert made[:, 0].tolist() == ["almának", "ház", "házakat"]
    assert [row[row != PAD][-1] for row in data.targets] == [EOS] * 3
    assert sum(map(edits.is_cut, found.outputs)) == 2


def test_a_word_that_is_written_anew_has_room_for_its_cut() -> None:
    rows = asked(("van", "N", "lesz"), ("ház", "N", "ház"))
    found = writing.task().vocabulary([rows], writing.BUILD)
    data = writing.encoded(writing.task(), rows, found)
    made = transduce.written(data.targets[:, None].astype(np.int64), np.array(["van", "ház"]), found)
    assert made[:, 0].tolist() == ["lesz", "ház"]


def test_lemmatisation_reads_no_features() -> None:
    kind = Transduce(config.InflectionTask.model_validate(writing.LEMMATISATION))
    rows = asked(("almának", "N;DAT;SG", "alma"), ("házat", "N;ACC;SG", "ház"))
    found = kind.vocabulary([rows], writing.BUILD)
    assert (found.features, found.bundles) == ((), ())
    assert kind.texts(rows, found).to_pylist() == ["almának", "házat"]
    assert dict(kind.unseen(asked(("kertnek", "N;XXX", "kert")), found)) == {"cut(0,3)": 1}


def test_what_training_does_not_have_is_counted() -> None:
    rows = asked(("ház", "N;DU;SG", "ház"), ("ház", "N;DU;ACC", "házq"), ("ló", "V;SG", "ló"))
    found = dict(writing.task().unseen(rows, vocabulary()))
    assert found == {"DU": 2, "V": 1, "q": 1}


def test_unknown_values_are_left_out_of_what_is_read() -> None:
    found = vocabulary()
    one, other = (
        writing.task().texts(asked(("ház", b, "x")), found).to_pylist() for b in ("N;SG", "N;DU;SG")
    )
    assert one == other
    assert len(one[0]) == len("ház") + 2


def test_any_right_word_is_right_and_no_word_never_is() -> None:
    words = np.array([["házat", "x"], ["házakat", ""], ["ház", ""]])
    labels = column(["házakat/házat", "házakat/házat", "házat"])
    assert transduce.right(words, labels).tolist() == [[True, False], [True, False], [False, False]]
    assert not transduce.right(np.array([[""]]), column([""])).any()


@pytest.mark.parametrize("changed", [{}, {"output": "letters"}, {"source": ["form"], "target": "lemma"}])
def test_encoded_rows_survive_their_file(tmp_path: Path, changed: dict[str, Any]) -> None:
    kind = writing.task(**changed)
    found = kind.vocabulary([ROWS], writing.BUILD)
    data = writing.encoded(kind, ROWS, found)
    path = tmp_path / "rows.parquet"
    encoding.write(path, data, found.size)
    again = encoding.read(path, found)
    for name in ("ids", "lengths", "targets", "weights"):
        assert getattr(again, name).tolist() == getattr(data, name).tolist()
    assert again.targets.dtype != np.bool_
    fewer = Vocabulary(found.symbols, found.labels[:-3], features=found.features, bundles=found.bundles)
    with pytest.raises(DataError, match="beyond its vocabulary; make it anew"):
        encoding.read(path, fewer)
    if found.features:
        with pytest.raises(DataError, match="beyond its vocabulary; make it anew"):
            encoding.read(path, Vocabulary(found.symbols, found.labels, features=found.features[:-2]))
