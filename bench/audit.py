"""Wrong labels that the audit finds, correct ones that it doubts: python -m bench.audit FOLDER."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bench import measure
from bench.experiment import rows as read
from esetrag.core import config, features
from esetrag.data.audit import audit
from esetrag.data.selection import Selection

Bools = npt.NDArray[np.bool_]
CLEAN, WRONG = "hun.tsv", "hun_misaligned.tsv"
"""A table, and rows of it with the value of the next table row."""
TASK = config.UnimorphTask(kind="classify", raw="-", model="bilstm", pos="N", feature="Case")
SEED, SHARE = 1, 0.05
BY_HAND = measure.REPO / "tests/unit/data/audit/findings.tsv"
"""Rows of published tables that were checked by hand."""


def main() -> None:
    """Examines tables with known errors, and tables as they are published."""
    options = measure.parser(__doc__)
    options.add_argument("folder", type=Path, nargs="?", help="with UniMorph tables, *.tsv")
    arguments = options.parse_args()
    paths = [arguments.raw, *(sorted(arguments.folder.glob("*.tsv")) if arguments.folder else ())]
    tables = {path.name: read(path) for path in paths}
    wrong = tables.pop(WRONG, None)
    known = {f"{name}, {SHARE:.0%} of the lemmas a row off": shifted(rows) for name, rows in tables.items()}
    if wrong is not None and CLEAN in tables:
        both = pa.concat_tables([tables[CLEAN], wrong]).combine_chunks()
        known[f"{CLEAN} with {WRONG}"] = both, np.arange(len(both)) >= len(tables[CLEAN])
    known |= {name: (rows, np.zeros(len(rows), bool)) for name, rows in tables.items()}
    found = []
    for name, (rows, errors) in known.items():
        found.append((name, *score(rows, errors)))
        if (checked := by_hand(name, rows)).any():
            found.append((f"{name}, checked by hand", *score(rows, checked == "wrong", checked != "")))
        print(*found[-1], file=sys.stderr, flush=True)
    head = ("table", "rows", "known errors", "doubted", "recall", "precision", "seconds")
    text = "Tables without known errors are as they were published."
    measure.write_section("6 Audit", text, head, found, arguments.quick)


def shifted(rows: pa.Table, share: float = SHARE, seed: int = SEED) -> tuple[pa.Table, Bools]:
    """Gives every form of some lemmas the bundle and value of the next cell of its column.

    Args:
        rows: labelled rows, paradigms in the order of the table.
        share: of the lemmas.
        seed: of their choice.

    Returns:
        The rows; (n,) whether the value is wrong, which it is not where a form has both.
    """
    lemmas = sorted(pc.unique(rows["lemma"]).to_pylist())
    chosen = set(np.random.default_rng(seed).choice(lemmas, max(1, int(share * len(lemmas))), replace=False))
    columns: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    correct = rows.to_pylist()
    true = {(row["lemma"], row["form"], row["label"]) for row in correct}
    for row in correct:
        columns[row["lemma"], features.others(row["features"], *TASK.dimensions)].append(row)
    changed, wrong = [], []
    for (lemma, _), cells in columns.items():
        after = cells[1:] if lemma in chosen else cells
        for cell, other in zip(cells, after, strict=False):
            changed.append({**other, "lemma": lemma, "form": cell["form"]})
            wrong.append((lemma, cell["form"], other["label"]) not in true)
    return pa.Table.from_pylist(changed, schema=rows.schema), np.array(wrong)


def by_hand(table: str, rows: pa.Table) -> npt.NDArray[np.str_]:
    """What the check by hand says of each row, ``wrong`` or ``right``, else nothing, (n,)."""
    cells = [line.split("\t") for line in BY_HAND.read_text("utf-8").splitlines()[1:]]
    labels = {tuple(cell[1:4]): cell[4] for cell in cells if f"{cell[0]}.tsv" == table}
    names = zip(*(rows[name].to_pylist() for name in ("lemma", "form", "features")), strict=True)
    return np.array([labels.get(name, "") for name in names])


def score(rows: pa.Table, errors: Bools, among: Bools | None = None) -> tuple[str, ...]:
    """Rows, errors, doubted rows; share of the errors that are doubted, of the doubted that are errors.

    Args:
        rows: of a table.
        errors: (n,) which are known to be wrong.
        among: (n,) the rows that count; None are all.
    """
    start = time.perf_counter()
    doubted = audit.examine(Selection(rows, len(rows), 0, {}), TASK).labels
    seconds = f"{time.perf_counter() - start:.2f}"
    if among is not None:
        rows, doubted, errors = rows.filter(pa.array(among)), doubted[among], errors[among]
    if not errors.any():
        return f"{len(rows):,}", "", f"{doubted.sum():,}", "", "", seconds
    both = (doubted & errors).sum()
    shares = (f"{both / max(count, 1):.2%}" for count in (errors.sum(), doubted.sum()))
    return f"{len(rows):,}", f"{errors.sum():,}", f"{doubted.sum():,}", *shares, seconds


if __name__ == "__main__":
    main()
