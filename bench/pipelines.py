"""Whole pipelines, ours and one written after the notebook; our stages alone, as the table grows.

Seconds, CPU seconds and memory, from 1,000 to 1,000,000 rows. More rows than the table has are its paradigms
again with a syllable before the stem, as compounds are made.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import measure
from bench.measure import RAW, REPO, TASK, bar, median, ratio, spread
from bench.process import STAGES, Copy, Ran, run

ROUNDS = 5
OURS, NOTEBOOK = "esetrag, `dvc repro -f`", "notebook-like, `dvc repro -f`"
ONE_TASK = f"error_analysis@{TASK}"
"""The last stage of the task that the notebook-like pipeline has, too."""
SIZES = (1_000, 10_000, 100_000, 1_000_000)
FEW = "data/raw/few.tsv.gz"
SYLLABLES = [first + vowel for first in ("k", "l", "m", "sz", "v") for vowel in "aeou"]


def pipelines(arguments: argparse.Namespace, folder: Path) -> None:
    """Runs both pipelines and our stages in turn."""
    ran: dict[str, list[Ran]] = {}
    naive = folder / "naive"
    naive.mkdir()
    shutil.copyfile(arguments.raw, naive / "raw.tsv.gz")
    shutil.copyfile(REPO / "bench/naive.yaml", naive / "dvc.yaml")
    run(["dvc", "init", "--no-scm", "--quiet"], naive)
    run(["dvc", "repro"], naive)
    copy = Copy(folder / "ours", arguments.raw)
    ran["esetrag, first `dvc repro`"] = [copy.run("dvc", "repro", ONE_TASK)]
    for number in range(1 if arguments.quick else ROUNDS):
        # Of the same inputs ours would find its run in MLflow and log none; the other always logs.
        copy.change("train", seed=number + 2)
        each = {
            NOTEBOOK: run(["dvc", "repro", "-f"], naive),
            OURS: copy.run("dvc", "repro", "-f", ONE_TASK),
            "esetrag, nothing to do": copy.run("dvc", "repro", ONE_TASK),
            **{stage: copy.stage(stage) for stage in STAGES},
        }
        for command, done in each.items():
            ran.setdefault(command, []).append(done)
        print(f"round {number + 1}:", {name: done.seconds for name, done in each.items()}, file=sys.stderr)
    seconds = {name: [done.seconds for done in each] for name, each in ran.items()}
    cpu = {name: spread([done.cpu for done in each]) for name, each in ran.items()}
    rows = [
        (name, median(spread(seconds[name])), median(cpu[name]), f"{max(done.peak for done in each):,.0f}")
        for name, each in ran.items()
    ]
    bars = [
        bar("notebook-like pipeline ÷ ours, `dvc repro -f`", 3, ratio(seconds[NOTEBOOK], seconds[OURS])),
        bar("`dvc repro -f`, CPU seconds", 15, cpu[OURS], at_most=True),
    ]
    head = ("command", "seconds", "CPU seconds", "peak, MiB")
    text = f"{ROUNDS} rounds, imports included; below, our stages alone."
    measure.write_section("4 Pipelines", text, head, rows, arguments.quick, bars)


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


def growth(arguments: argparse.Namespace, folder: Path) -> None:
    """Measures each size once."""
    head = ("rows", "command", "seconds", "CPU seconds", "peak, MiB")
    rows = []
    for size in [4_000] if arguments.quick else arguments.sizes:
        rows += grown(arguments.raw, size, folder / str(size))
        shutil.rmtree(folder / str(size))
        print(f"{size:,} rows are done", file=sys.stderr, flush=True)
        text = "Whole processes, imports included; all rows are used."
        measure.write_section("5 Growth", text, head, rows, arguments.quick)


def main() -> None:
    """Measures one after another."""
    jobs = {"pipelines": pipelines, "growth": growth}
    options = measure.parser(__doc__)
    options.add_argument("--only", nargs="+", choices=jobs, default=list(jobs))
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows of the growing table")
    arguments = options.parse_args()
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            jobs[name](arguments, Path(folder))


if __name__ == "__main__":
    main()
