"""What of the test forms was seen in training."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esetrag.analysis.endings import has_lemmas
from esetrag.core import files, tables
from esetrag.core.layout import PARTS, Layout
from esetrag.data import sentences
from esetrag.data.change import inflects_at_end, turn
from esetrag.data.families import heads_of
from esetrag.symbols import encoding
from esetrag.symbols.vocabulary import Vocabulary

TRIGRAM = 3
SEEN, UNSEEN = "seen", "unseen"


@dataclass(frozen=True)
class SeenInTraining:
    """The rows of the parts and the families of their lemmas."""

    parts: dict[str, pa.Table]
    """Rows (``tables.SAMPLE``) of train, dev and test."""
    families: pa.Table
    """lemma, head (``tables.FAMILIES``)."""
    longest: int | None
    """Characters of a form that the model gets; None where symbols are other units."""

    @classmethod
    def read(cls, layout: Layout, vocabulary: Vocabulary) -> SeenInTraining:
        """Reads what earlier stages have written.

        Raises:
            DataError: if a file is missing or damaged.
        """
        parts = {part: tables.read(layout.sample(part), tables.SAMPLE) for part in PARTS}
        if vocabulary.words:
            parts = {part: sentences.word_rows(rows) for part, rows in parts.items()}
        width = files.read_json(layout.metrics / "encoding.json").get("width")
        longest = width - encoding.MARKS if width and vocabulary.unit == "char" else None
        return cls(parts, tables.read(layout.families, tables.FAMILIES), longest)

    def seen(self, rows: pa.Table) -> pd.DataFrame:
        """Whether the training rows have the lemma, head, form, trigram and symbols of each row.

        Args:
            rows: columns ``lemma`` and ``form``.

        Returns:
            As many rows of SEEN or UNSEEN: ``lemma`` and ``family head``, if there are lemmas; ``form``;
            ``final trigram`` (``first trigram`` where words inflect at the beginning; a shorter form is its
            own); ``symbols`` (all of them).
        """
        train = self.parts["train"]
        at_end = not has_lemmas(train) or inflects_at_end(train["lemma"], train["form"])
        pairs = {}
        if has_lemmas(train):
            pairs["lemma"] = train["lemma"], rows["lemma"]
            heads = (heads_of(table["lemma"], self.families) for table in (train, rows))
            pairs["family head"] = tuple(heads)
        pairs["form"] = train["form"], rows["form"]
        ends = (pc.utf8_slice_codeunits(turn(x["form"], at_end), start=-TRIGRAM) for x in (train, rows))
        pairs["final trigram" if at_end else "first trigram"] = tuple(ends)
        seen = {name: pc.is_in(test, pc.unique(known)).to_numpy() for name, (known, test) in pairs.items()}
        symbols = frozenset("".join(pc.unique(train["form"]).to_pylist()))
        seen["symbols"] = [symbols.issuperset(form) for form in rows["form"].to_pylist()]
        return pd.DataFrame(seen).replace({True: SEEN, False: UNSEEN})
