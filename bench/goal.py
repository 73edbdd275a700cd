"""Accuracy on the task's table: samples of 1,000 and 300 words, then splits with all words.

The seeds of splits, samples and trainings begin at 201; none of them chose anything.
"""

from __future__ import annotations

from bench import experiment, measure, report
from bench.experiment import TableSample

GROUP, SEEDS, FIRST = "goal", 10, 201
SIZES = (1000, 300)


def main() -> None:
    """Measures the sizes one after another."""
    options = measure.parser(__doc__)
    options.add_argument("--splits", type=int, default=SEEDS, help="with all words (default: %(default)s)")
    experiment.add_options(options, SEEDS, FIRST)
    arguments = options.parse_args()
    for words in (*SIZES, None):
        count = (2 if words else 0) if arguments.quick else arguments.seeds if words else arguments.splits
        seeds = range(arguments.first, arguments.first + count)
        samples = [TableSample(arguments.raw, seed, "hun", "Case", words) for seed in seeds]
        experiment.run(GROUP, samples, arguments, lecture=words == SIZES[0])
    report.write(arguments.quick)


if __name__ == "__main__":
    main()
