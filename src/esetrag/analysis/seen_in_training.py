"""What training has shown of the test forms, and how well shown and unshown ones are read."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.core import files, tables
from esetrag.core.layout import PARTS, Layout
from esetrag.data.direction import inflects_at_end, turn
from esetrag.data.families import heads_of
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary

TRIGRAM = 3
SEEN, UNSEEN = "seen", "unseen"


@dataclass(frozen=True)
class SeenInTraining:
    """The rows of the parts and the families of their lemmas."""

    parts: dict[str, pa.Table]
    """Labelled rows (``tables.SAMPLE``) of train, dev and test."""
    families: pa.Table
    """lemma, head (``tables.FAMILIES``)."""
    longest: int | None
    """Characters that are read of a form; None where symbols are other units."""

    @classmethod
    def read(cls, layout: Layout, vocabulary: Vocabulary) -> SeenInTraining:
        """Reads what the stages before the test have written.

        Args:
            layout: of the task.
            vocabulary: of its training forms.

        Raises:
            DataError: if something of it is missing or damaged.
        """
        parts = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
        width = files.read_json(layout.metrics / "encoding.json")["width"]
        longest = width - encoding.MARKS if vocabulary.unit == "char" else None
        return cls(parts, tables.read(layout.families, tables.FAMILIES), longest)

    def seen(self, rows: pa.Table) -> pd.DataFrame:
        """Of each row whether the training rows have its lemma, head, form, trigram and symbols.

        Args:
            rows: columns ``lemma`` and ``form``.

        Returns:
            As many rows; columns ``lemma``, ``family head``, ``form``, ``final trigram`` (first
            where words inflect at the beginning; a shorter form is its own) and ``symbols`` (all of
            them), of SEEN or UNSEEN.
        """
        train = self.parts["train"]
        at_end = inflects_at_end(train["lemma"], train["form"])
        ends = [pc.utf8_slice_codeunits(turn(some["form"], at_end), start=-TRIGRAM) for some in (train, rows)]
        known = frozenset("".join(pc.unique(train["form"]).to_pylist()))
        symbols = pa.chunked_array([pa.array([known.issuperset(form) for form in rows["form"].to_pylist()])])
        found = {
            "lemma": pc.is_in(rows["lemma"], pc.unique(train["lemma"])),
            "family head": pc.is_in(
                heads_of(rows["lemma"], self.families), pc.unique(heads_of(train["lemma"], self.families))
            ),
            "form": pc.is_in(rows["form"], pc.unique(train["form"])),
            f"{'final' if at_end else 'first'} trigram": pc.is_in(ends[1], pc.unique(ends[0])),
            "symbols": symbols,
        }
        return pd.DataFrame({name: _named(column) for name, column in found.items()})


def _named(found: pa.ChunkedArray) -> list[str]:
    names: list[str] = pc.if_else(found, SEEN, UNSEEN).to_pylist()
    return names


def frame(slices: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by what training has shown, for people.

    Args:
        slices: slice, value, rows, errors, accuracy (``analysis.Analysis.slices``).
    """
    shown = slices[slices["value"].isin([SEEN, UNSEEN])]
    named = shown.assign(slice=shown["slice"].str.removesuffix(" in training"))
    names = {"slice": "of the form", "value": "in training", "rows": "forms", "errors": "misread"}
    return named.rename(columns=names).reset_index(drop=True)
