"""Every model on every table, one configuration: python -m bench.languages FOLDER. Writes docs/results.md.

Each sample has its own split by lemma, draw and training seed.
"""

from __future__ import annotations

from pathlib import Path

from bench import experiment, measure, report
from bench.experiment import TableSample
from esetrag.core.errors import DataError

GROUP, EMBEDDED = "languages", "hun (embedded)"
SEEDS, WORDS = 5, 1000
FEATURES = ("Case", "Number")


def main() -> None:
    """Measures the embedded table and those of the folder."""
    options = measure.parser(__doc__)
    options.add_argument("folder", type=Path, nargs="?", help="with UniMorph tables, *.tsv")
    options.add_argument("--tables", nargs="+", help="these alone, without .tsv; 'hun (embedded)' is ours")
    options.add_argument("--features", nargs="+", default=FEATURES)
    options.add_argument("--sizes", type=int, nargs="+", default=[WORDS], help="training rows; 0 is all")
    experiment.add_options(options, SEEDS, first=201)
    arguments = options.parse_args()
    tables = {EMBEDDED: arguments.raw}
    tables |= {path.stem: path for path in sorted(arguments.folder.glob("*.tsv") if arguments.folder else ())}
    seeds = range(arguments.first, arguments.first + (2 if arguments.quick else arguments.seeds))
    samples = [
        TableSample(path, seed, table, feature, words or None)
        for table, path in tables.items()
        for feature in arguments.features
        if (not arguments.tables or table in arguments.tables) and has(path, feature)
        for words in ([200] if arguments.quick else arguments.sizes)
        for seed in seeds
    ]
    experiment.run(GROUP, samples, arguments)
    report.write(arguments.quick)


def has(path: Path, feature: str) -> bool:
    """Whether the nouns of a table have the feature."""
    try:
        experiment.rows(path, feature)
    except DataError:
        return False
    return True


if __name__ == "__main__":
    main()
