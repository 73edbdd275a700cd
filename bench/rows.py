"""The rows that everything is measured on: the task's table, split and drawn as the pipeline does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from bench.child import REPO
from bench.copies import TASK
from esetrag.core import config
from esetrag.data import label_sets, sampling, unimorph
from esetrag.data.selection import select


@dataclass(frozen=True)
class Source:
    """A task's labelled rows and the project's parameters."""

    given: config.Params
    table: pa.Table

    @classmethod
    def read(cls, raw: Path | None = None, feature: str | None = None) -> Source:
        """Reads the project's task.

        Args:
            raw: another table in the place of the task's.
            feature: likewise.
        """
        given = config.load(REPO / "params.yaml")
        task = given.task(TASK)
        raw = raw or REPO / task.raw
        return cls(given, select(unimorph.batches(raw), raw, task.pos, feature or task.feature).table)

    def parts(self, seed: int, train: int | None, dev: int | None = None, test: int | None = None) -> Parts:
        """Splits by lemma and draws.

        Args:
            seed: of split and sample.
            train: rows; None is all.
            dev: likewise.
            test: likewise.
        """
        how = self.given.sample.model_copy(
            update={"split": "lemma", "seed": seed, "train": train, "dev": dev, "test": test}
        )
        return Parts(**sampling.draw(sampling.split(self.table, how), how))


@dataclass(frozen=True)
class Parts:
    """Rows of ``tables.SAMPLE``."""

    train: pa.Table
    dev: pa.Table
    test: pa.Table


def frame(rows: pa.Table) -> pd.DataFrame:
    """Rows as the notebook has them."""
    found: pd.DataFrame = rows.select(["form", "label"]).to_pandas()
    return found.astype(object)


def pairs(rows: pa.Table) -> pd.DataFrame:
    """Forms as a reader of single labels learns them: one row for each of a form's values."""
    found = frame(rows)
    return found.assign(label=found["label"].str.split(label_sets.CHOICE)).explode("label", ignore_index=True)
