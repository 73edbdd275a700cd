"""The default reader on other languages' tables, one configuration for all: python -m bench.tables FOLDER."""

from __future__ import annotations

from pathlib import Path

import torch

from bench import readers, results
from bench.accuracy import SMALL, compared
from bench.rows import Source
from esetrag.data import label_sets
from esetrag.tasks.evaluation import upper_bound

SAMPLES = 10
NAMES = [readers.DEFAULT, readers.LR, readers.SVC, readers.SUFFIX]


def main() -> None:
    """Trains on 1000 rows of each table, and works out the best that a reader of the form alone can do."""
    options = results.parser(__doc__)
    options.add_argument("folder", type=Path, help="with UniMorph tables, *.tsv")
    options.add_argument("--without", nargs="+", default=[], help="tables left out, without .tsv")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    found = {}
    for raw in sorted(arguments.folder.glob("*.tsv")):
        if raw.stem in arguments.without:
            continue
        print(raw.name, flush=True)
        source = Source.read(raw)
        forms = label_sets.of_forms(source.table)
        ceiling = upper_bound(label_sets.matrix(forms["label"], label_sets.names(forms["label"])))
        samples = 2 if arguments.quick else SAMPLES
        found[raw.stem] = {"ceiling": ceiling, **compared(source, NAMES, SMALL, samples)}
    results.write("tables", found, arguments.quick)


if __name__ == "__main__":
    main()
