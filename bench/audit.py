"""Wrong labels that the audit finds, good ones that it doubts: python -m bench.audit --tables FOLDER."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bench.child import REPO
from esetrag.core import config, features
from esetrag.data import unimorph
from esetrag.data.audit import audit
from esetrag.data.selection import Selection, select
from esetrag.report import markdown

Bools = npt.NDArray[np.bool_]
CLEAN, WRONG = "hun.tsv", "hun_misaligned.tsv"
"""A table, and rows of it with the value of the next table row."""
TASK = config.Task(raw="-", pos="N", feature="Case")
SEED, SHARE, FEW = 1, 0.05, 5000


def main() -> None:
    """Prints two Markdown tables: known errors found, and doubts about tables as they are published."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tables", type=Path, help="a folder of UniMorph tables, *.tsv")
    folder = options.parse_args().tables
    paths = [REPO / "data/raw/hun.tsv.gz", *(sorted(folder.glob("*.tsv")) if folder else [])]
    tables = {path.name: read(path) for path in paths}
    wrong = tables.pop(WRONG, None)
    known = {f"{name}, {SHARE:.0%} of the lemmas a row off": shifted(rows) for name, rows in tables.items()}
    if wrong is not None and CLEAN in tables:
        known = mixes(tables[CLEAN], wrong) | known
    head = ("rows", "wrong", "found", "recall", "precision", "seconds")
    lines = [(name, *score(rows, truth)) for name, (rows, truth) in known.items()]
    print("Known errors\n\n" + markdown.table(("table", *head), lines, "lrrrrrr"))
    lines = []
    for name, rows in tables.items():
        found, seconds = examined(rows)
        doubted = int(found.labels.sum())
        rate = f"{1000 * doubted / len(rows):.2f}"
        lines.append((name, f"{len(rows):,}", f"{doubted:,}", rate, f"{found.lemmas:,}", f"{seconds:.2f}"))
    head = ("table", "rows", "doubted", "of 1,000", "lemmas", "seconds")
    print("\nAs published: doubts, right or wrong\n\n" + markdown.table(head, lines, "lrrrrr"))


def read(path: Path) -> pa.Table:
    """The labelled rows of a table."""
    return select(unimorph.read(path), path, TASK.pos, TASK.feature).table


def mixes(clean: pa.Table, wrong: pa.Table) -> dict[str, tuple[pa.Table, Bools]]:
    """Wrong rows among all good ones, in their place, among those of a fifth of the lemmas and among few."""
    chance = np.random.default_rng(SEED)
    lemmas = pc.unique(clean["lemma"]).to_pylist()
    fifth = pa.array(chance.choice(lemmas, len(lemmas) // 5, replace=False).tolist())
    some = chance.choice(len(clean), FEW, replace=False)
    bad = {(row["lemma"], row["form"]) for row in wrong.to_pylist()}
    others = [(row["lemma"], row["form"]) not in bad for row in clean.to_pylist()]
    goods = {
        "all": clean,
        "all, less the same forms": clean.filter(pa.array(others)),
        "a fifth of the lemmas": clean.filter(pc.is_in(clean["lemma"], fifth)),
        f"{FEW:,} rows": clean.take(np.sort(some)),
    }
    return {
        f"{WRONG} in {CLEAN}, {name}": (
            pa.concat_tables([good, wrong]).combine_chunks(),
            np.repeat([False, True], [len(good), len(wrong)]),
        )
        for name, good in goods.items()
    }


def shifted(rows: pa.Table, share: float = SHARE, seed: int = SEED) -> tuple[pa.Table, Bools]:
    """Gives every form of some lemmas the bundle and value of the next cell of its column.

    Args:
        rows: labelled rows, paradigms in the order of the table.
        share: of the lemmas.
        seed: of their choice.

    Returns:
        The rows; (n,) whether the value is wrong, which it is not where a form bears both.
    """
    lemmas = sorted(pc.unique(rows["lemma"]).to_pylist())
    some = set(np.random.default_rng(seed).choice(lemmas, max(1, int(share * len(lemmas))), replace=False))
    columns: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    good = rows.to_pylist()
    bears = {(row["lemma"], row["form"], row["label"]) for row in good}
    for row in good:
        columns[row["lemma"], features.others(row["features"], TASK.feature)].append(row)
    made, wrong = [], []
    for (lemma, _), cells in columns.items():
        after = cells[1:] if lemma in some else cells
        for cell, other in zip(cells, after, strict=False):
            row = {**other, "lemma": lemma, "form": cell["form"]}
            made.append(row)
            wrong.append((lemma, row["form"], row["label"]) not in bears)
    return pa.Table.from_pylist(made, schema=rows.schema), np.array(wrong)


def examined(rows: pa.Table) -> tuple[audit.Audit, float]:
    """The audit of labelled rows, and its seconds."""
    start = time.perf_counter()
    found = audit.examine(Selection(rows, len(rows), 0, {}), TASK)
    return found, time.perf_counter() - start


def score(rows: pa.Table, wrong: Bools) -> tuple[str, ...]:
    """Figures of the rows found against those that are wrong."""
    found, seconds = examined(rows)
    right = int((found.labels & wrong).sum())
    every, listed = int(wrong.sum()), int(found.labels.sum())
    shares = (f"{right / max(total, 1):.2%}" for total in (every, listed))
    return f"{len(rows):,}", f"{every:,}", f"{listed:,}", *shares, f"{seconds:.2f}"


if __name__ == "__main__":
    main()
