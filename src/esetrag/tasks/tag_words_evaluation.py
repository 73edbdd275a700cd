"""The test of a model that tags words: each word of a sentence is classified, beside the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.data import label_sets, sentences
from esetrag.scoring import ratios
from esetrag.scoring.ratios import Ratio
from esetrag.tasks import baselines, evaluation
from esetrag.tasks.base import Test, Tested
from esetrag.tasks.baselines import Trained
from esetrag.tasks.classify import Classify


@dataclass(frozen=True)
class Words(Classify):
    """Words of sentences."""

    def baselines(self, rows: pa.Table, labels: Sequence[str], suffix_length: int) -> Trained:
        """The most frequent tag of a word, or of the longest suffix that an unknown word has; see there."""
        groups = rows.group_by(["form", "label"], use_threads=False).aggregate([("weight", "sum")])
        rows = groups.rename_columns(["form", "label", "weight"])
        trained = baselines.train(rows, labels, suffix_length)
        whole = baselines.longest_suffix(
            _whole(rows), labels, int(pc.max(pc.utf8_length(rows["form"])).as_py()) + 1
        )
        return trained | {"longest_suffix": lambda forms: whole(_whole(pa.table({"form": forms}))["form"])}


def _whole(rows: pa.Table) -> pa.Table:
    """Rows whose forms have a mark in front, so that a suffix may be the whole word."""
    place = rows.column_names.index("form")
    return rows.set_column(place, "form", pc.binary_join_element_wise("^", rows["form"], ""))


def test(test: Test) -> Tested:
    """Tests a model that tags words; see ``testing``."""
    parts = {part: sentences.word_rows(rows, part == "test") for part, rows in test.parts.items()}
    tested = evaluation.tested(replace(test, parts=parts), Words())
    right = label_sets.correct(tested.predictions["label"], tested.predictions["predicted"])
    exact = pd.Series(right).groupby(tested.predictions["lemma"].to_numpy()).all()
    score = Ratio.mean(exact.to_numpy())
    interval = ratios.intervals({"exact": score}, exact.index.to_numpy(object), test.options)["exact"]
    known = 1 - tested.figures["unseen_labels"] / max(tested.figures["rows"], 1)
    bound = dict.fromkeys(("accuracy", "any_correct"), known)
    figures = tested.figures | {"upper_bound": bound, "exact_sentences": asdict(interval)}
    return replace(tested, figures=figures)
