"""Doubtful rows of a table, by a model that knows one rule: each cell has its ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from esetrag.core.config import BuiltPairsTask
from esetrag.core.errors import CheckpointError, DataError
from esetrag.models.checkpoint import Checkpoint
from esetrag.predict import doubts
from esetrag.predict.predictor import Predictor
from esetrag.symbols.vocabulary import SPECIAL, Vocabulary

ENDINGS = {"N;NOM;SG": "", "N;DAT;SG": "nak", "N;TERM;SG": "ig", "N;VOC;SG": ""}
LEMMAS = ["bara", "bola", "dara", "dola", "fala"]
TASK = BuiltPairsTask(kind="pair", raw="-", model="siamese", pos="N", builder="valid")
HEAD = "kind\tlemma\tform\tfeatures\tstated\tlikelier\tprobability\tevidence"


class Model(Predictor):
    """Stands in for a trained one."""

    share = 0.9

    def __init__(self, *labels: str) -> None:
        vocabulary = Vocabulary(SPECIAL, labels, features=("DAT", "N", "NOM", "SG", "TERM", "VOC"))
        super().__init__(Checkpoint(cast("Any", None), vocabulary, cast("Any", None)))

    def predict_table(self, queries: pa.ChunkedArray, top_k: int = 1) -> pa.Table:
        cells = (query.split("\t") for query in queries.to_pylist())
        right = [form == lemma + ENDINGS[bundle] for lemma, form, bundle in cells]
        labels = ["right" if is_right else "wrong" for is_right in right]
        return pa.table({"label": pa.array(labels, pa.string()), "probability": [self.share] * len(labels)})


def rows(*added: str) -> list[str]:
    return [f"{lemma}\t{lemma}{end}\t{cell}" for lemma in LEMMAS for cell, end in [*ENDINGS.items()][:3]] + [
        *added
    ]


def audited(folder: Path, lines: list[str], *labels: str) -> list[list[str]]:
    path = folder / "table.tsv"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    head, *found = doubts.tsv(Model(*labels or ("right", "wrong")), path, TASK).splitlines()
    assert head == HEAD
    return [line.split("\t") for line in found]


def test_a_form_of_another_cell_stands_first_and_a_wrong_form_behind_it(tmp_path: Path) -> None:
    found = audited(tmp_path, rows("gosa\tgosanok\tN;DAT;SG", "gosa\tgosaig\tN;DAT;SG"))
    assert [row[:7] for row in found] == [
        ["cell", "gosa", "gosaig", "N;DAT;SG", "N;DAT;SG", "N;TERM;SG", "0.9000"],
        ["form", "gosa", "gosanok", "N;DAT;SG", "N;DAT;SG", "", "0.9000"],
    ]
    assert found[0][7] == "+ig: 1 rows N;DAT;SG, 5 N;TERM;SG"


def test_a_table_without_errors_has_no_doubtful_rows(tmp_path: Path) -> None:
    assert audited(tmp_path, rows()) == []


def test_a_form_that_is_right_in_two_cells_is_not_doubted_in_the_rarer_one(tmp_path: Path) -> None:
    assert audited(tmp_path, rows("gosa\tgosa\tN;VOC;SG")) == []


def test_of_two_cells_that_a_form_fits_the_one_of_more_rows_is_likelier(tmp_path: Path) -> None:
    (found,) = audited(tmp_path, rows("bara\tbara\tN;VOC;SG", "gosa\tgosa\tN;TERM;SG"))
    assert found[1:6] == ["gosa", "gosa", "N;TERM;SG", "N;TERM;SG", "N;NOM;SG"]


def test_a_form_that_no_cell_fits_better_is_wrong_as_a_form(tmp_path: Path) -> None:
    found = audited(tmp_path, rows("gosa\tgosanok\tN;DAT;SG", "fola\tfolanok\tN;TERM;SG"))
    assert [row[0] for row in found] == ["form", "form"]


def test_a_row_is_listed_even_if_the_model_is_not_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "share", 0.6)
    assert "gosanok" in {row[2] for row in audited(tmp_path, rows("gosa\tgosanok\tN;DAT;SG"))}
    monkeypatch.setattr(Model, "share", 0.8)
    assert [row[2] for row in audited(tmp_path, rows("gosa\tgosanok\tN;DAT;SG"))] == ["gosanok"]


def test_features_that_training_lacks_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audited(tmp_path, rows("gosa\tgosak\tN;NOM;PL")) == []
    assert "1 rows have features that training has not" in capsys.readouterr().err
    with pytest.raises(
        DataError, match="no row has features that training has; known: DAT N NOM SG TERM VOC"
    ):
        audited(tmp_path, ["gosa\tgosak\tN;NOM;PL"])


def test_a_model_of_other_labels_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="right and wrong, found different, same"):
        audited(tmp_path, rows(), "different", "same")
