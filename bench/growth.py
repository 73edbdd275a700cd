"""Time and memory of every stage, and of bulk prediction, as the table grows from 1,000 to 1,000,000 rows.

Last comes ``sample`` on a table of as many rows of which the task wants those of one lemma in fifty.

More rows than the table has are its paradigms again with a syllable before the stem, as compounds are made.
"""

from __future__ import annotations

import gzip
import itertools
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench import results
from bench.child import REPO
from bench.copies import RAW, STAGES, TASK, Copy

SIZES = (1_000, 10_000, 100_000, 1_000_000)
FEW, LEAST = "data/raw/few.tsv.gz", 10_000
SYLLABLES = [first + vowel for first in ("k", "l", "m", "sz", "v") for vowel in "aeou"]


def lines(raw: Path) -> Iterator[str]:
    """The table's rows, then the same with a syllable before lemma and form, then with another."""
    with gzip.open(raw, "rt", encoding="utf-8") as file:
        known = file.readlines()
    for before in itertools.chain(
        [""], *(map("".join, itertools.product(SYLLABLES, repeat=n)) for n in (1, 2))
    ):
        for line in known:
            lemma, rest = line.split("\t", 1)
            yield f"{before}{lemma}\t{before}{rest}"


def scarce(rows: Iterable[str]) -> Iterator[str]:
    """The same rows, of another part of speech but for one lemma in fifty."""
    known: dict[str, int] = {}
    for row in rows:
        lemma, form, tags = row.split("\t")
        wanted = known.setdefault(lemma, len(known)) % 50 == 0
        yield row if wanted else f"{lemma}\t{form}\tADJ{tags[tags.index(';') :]}"


def grown(raw: Path, rows: int, folder: Path) -> dict[str, Any]:
    """Runs every stage, then ``esetrag predict`` on all rows.

    Args:
        raw: the table.
        rows: of the table that is made of it; all are used.
        folder: that is not there yet.
    """
    copy = Copy(folder)
    with gzip.open(folder / RAW, "wt", encoding="utf-8", compresslevel=1) as file:
        file.writelines(itertools.islice(lines(raw), rows))
    copy.change(sample={"train": None, "dev": None, "test": None}, tracking={"enabled": False})
    ran = {stage: copy.stage(stage) for stage in STAGES}
    words = ("--input", RAW, "--column", "2", "--output", "read.parquet")
    ran["predict"] = copy.run("python", "-m", "esetrag", "predict", "--task", TASK, *words)
    if rows >= LEAST:
        with gzip.open(folder / FEW, "wt", encoding="utf-8", compresslevel=1) as file:
            file.writelines(scarce(itertools.islice(lines(raw), rows)))
        copy.change(tasks={TASK: {"raw": FEW, "pos": "N", "feature": "Case"}})
        ran["sample, 2 % wanted"] = copy.stage("sample")
    return {name: {"seconds": one.seconds, "peak": one.peak} for name, one in ran.items()}


def main() -> None:
    """Measures each size once."""
    options = results.parser(__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = options.parse_args()
    found: dict[str, Any] = {}
    for rows in [size for size in arguments.sizes if size <= 10_000 or not arguments.quick]:
        with tempfile.TemporaryDirectory() as folder:
            found[str(rows)] = grown(arguments.raw or REPO / RAW, rows, Path(folder) / "copy")
        print(f"{rows:,} rows:", found[str(rows)], file=sys.stderr, flush=True)
    results.write("growth", found, arguments.quick)


if __name__ == "__main__":
    main()
