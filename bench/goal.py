"""Accuracy on the task's table: samples of 1,000 and 300 words, then splits with all words.

The seeds of splits, samples and trainings begin at 101, which chose nothing.
"""

from __future__ import annotations

import argparse

from bench import experiment, measure, report
from bench.experiment import TableSample

GROUP, SEEDS, FIRST = "goal", 10, 101
SIZES = (1000, 300)


def main() -> None:
    """Measures the sizes one after another."""
    options = measure.parser(__doc__)
    options.add_argument("--splits", type=int, default=SEEDS, help="with all words (default: %(default)s)")
    experiment.add_options(options, SEEDS, FIRST)
    arguments = options.parse_args()
    count, splits = (2, 0) if arguments.quick else (arguments.seeds, arguments.splits)
    for words in SIZES:
        experiment.run(GROUP, samples(words, count, arguments), arguments, lecture=words == SIZES[0])
    experiment.run(GROUP, samples(None, splits, arguments), arguments)
    report.write(arguments.quick)


def samples(words: int | None, count: int, arguments: argparse.Namespace) -> list[TableSample]:
    """Samples of so many words, None is all."""
    seeds = range(arguments.first, arguments.first + count)
    return [TableSample(arguments.raw, seed, "hun", "Case", words) for seed in seeds]


if __name__ == "__main__":
    main()
