"""The list of suspicious rows that a person can go through, or send to where the table came from."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from esetrag.data import selection
from esetrag.data.audit.noise import Doubts
from esetrag.data.change import Changes

LABEL, HEADING, CITED, SCRIPT = "label", "heading", "citation", "script"
HIDDEN, LEMMA = "invisible", "lemma"
KINDS = {
    LABEL: "the value contradicts what the same change says at other lemmas",
    HEADING: "a table heading or a mark stands where a form should",
    CITED: "the citation cell holds another word than the lemma",
    SCRIPT: "letters of two scripts side by side in one word",
    HIDDEN: "a character that cannot be seen in the lemma or form",
    LEMMA: "the lemma is an inflected form of another lemma",
}
"""Kinds of suspicious rows, in the order of the review list."""
LEFT_OUT = "a heading of Wiktionary's tables or a mark; left out"
"""The evidence against forms that are not used at all."""
COLUMNS = ("kind", "lemma", "form", "features", "stated", "likelier", "probability", "evidence")
"""Of the review list; ``probability`` is that of an error, empty where none was computed."""

Review = list[tuple[str, ...]]
"""Rows of ``COLUMNS``."""


def tsv(review: Review) -> str:
    """The list as a table with a head."""
    return "".join("\t".join(row) + "\n" for row in [COLUMNS, *review])


def doubted(rows: pa.Table, doubts: Doubts, change: Changes, labels: npt.NDArray[np.bool_]) -> Review:
    """The rows with suspicious labels: paradigm by paradigm, that of most evidence first.

    Args:
        rows: the labelled rows.
        doubts: about them.
        change: of them.
        labels: (n,) which are listed.
    """
    places = np.flatnonzero(labels).tolist()
    cells = rows.filter(pa.array(labels)).to_pylist()
    of_lemma: dict[str, float] = defaultdict(float)
    for place, row in zip(places, cells, strict=True):
        of_lemma[row["lemma"]] += float(doubts.evidence[place])
    entries = []
    for place, row in zip(places, cells, strict=True):
        likelier = doubts.labels[doubts.likelier[place]]
        every, stated, better = doubts.witnesses[place]
        counts = f"{every} rows, {better} {likelier}, {stated} {row['label']}"
        why = f"{change.text(place)} at other lemmas: {counts if every else 'none; the ending speaks'}"
        texts = [row[name] for name in (*selection.COLUMNS, "label")]
        rank = (-round(of_lemma[row["lemma"]], 6), row["lemma"], -round(float(doubts.evidence[place]), 6))
        entries.append((rank, (LABEL, *texts, likelier, f"{doubts.wrong[place]:.4f}", why)))
    return [entry for _, entry in sorted(entries)]


def of_kind(kind: str, rows: pa.Table, why: str) -> Review:
    """Rows of one kind of finding, in alphabetical order."""
    cells = rows.select(list(selection.COLUMNS)).to_pylist()
    return sorted({(kind, *row.values(), "", "", "", why) for row in cells})


def inflected(rows: pa.Table) -> Review:
    """The lemmas that are forms of others, each once."""
    cells: dict[str, set[str]] = defaultdict(set)
    for row in rows.to_pylist():
        cells[row["form"]].add(f"{row['features']} of {row['lemma']}")
    review: Review = []
    for lemma, homes in sorted(cells.items()):
        more = f" and {len(homes) - 1} more" if len(homes) > 1 else ""
        review.append((LEMMA, lemma, lemma, "", "", "", "", f"{min(homes)}{more}; a homograph or no lemma"))
    return review
