"""Time and memory of every stage, and of bulk prediction, as the table grows from 1,000 to 1,000,000 rows.

Last comes ``sample`` on a table of as many rows, of which the task selects those of one lemma in fifty. More
rows than the table has are its paradigms again with a syllable before the stem, as compounds are made.
"""

from __future__ import annotations

import gzip
import itertools
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import measure
from bench.measure import RAW, TASK
from bench.process import STAGES, Copy

SIZES = (1_000, 10_000, 100_000, 1_000_000)
FEW = "data/raw/few.tsv.gz"
SYLLABLES = [first + vowel for first in ("k", "l", "m", "sz", "v") for vowel in "aeou"]


def lines(raw: Path) -> Iterator[str]:
    """The table's rows, then the same with a syllable before lemma and form, then with another."""
    with gzip.open(raw, "rt", encoding="utf-8") as file:
        rows = file.readlines()
    prefixes = ("".join(parts) for count in range(3) for parts in itertools.product(SYLLABLES, repeat=count))
    for prefix, row in itertools.product(prefixes, rows):
        lemma, rest = row.split("\t", 1)
        yield f"{prefix}{lemma}\t{prefix}{rest}"


def scarce(rows: Iterable[str]) -> Iterator[str]:
    """The same rows, adjectives but for one lemma in fifty."""
    numbers: dict[str, int] = {}
    for row in rows:
        lemma, form, tags = row.split("\t")
        selected = numbers.setdefault(lemma, len(numbers)) % 50 == 0
        yield row if selected else f"{lemma}\t{form}\tADJ{tags[tags.index(';') :]}"


def grown(raw: Path, size: int, folder: Path) -> list[tuple[str, ...]]:
    """Runs every stage, then ``esetrag predict``, on a table of so many rows; the report's rows."""
    copy = Copy(folder, raw)
    for path, table in ((RAW, lines(raw)), (FEW, scarce(lines(raw)))):
        with gzip.open(folder / path, "wt", encoding="utf-8", compresslevel=1) as file:
            file.writelines(itertools.islice(table, size))
    copy.change("sample", train=None, dev=None, test=None)
    copy.change("tracking", enabled=False)
    ran = {stage: copy.stage(stage) for stage in STAGES}
    words = ("--input", RAW, "--column", "2", "--output", "predicted.parquet")
    ran["predict"] = copy.run("python", "-m", "esetrag", "predict", "--task", TASK, *words)
    copy.change("tasks", TASK, raw=FEW)
    ran["sample, 2 % selected"] = copy.stage("sample")
    return [
        (f"{size:,}", name, f"{done.seconds:.1f}", f"{done.cpu:.1f}", f"{done.peak:,.0f}")
        for name, done in ran.items()
    ]


def main() -> None:
    """Measures each size once."""
    options = measure.parser(__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = options.parse_args()
    head = ("rows", "command", "seconds", "CPU seconds", "peak, MiB")
    rows = []
    for size in [4_000] if arguments.quick else arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows += grown(arguments.raw, size, Path(folder) / "copy")
        print(f"{size:,} rows are done", file=sys.stderr, flush=True)
        text = "Whole processes, imports included; all rows are used."
        measure.write_section("5 Growth", text, head, rows, arguments.quick)


if __name__ == "__main__":
    main()
