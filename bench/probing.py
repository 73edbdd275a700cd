"""Every model on tasks of a given split, one configuration: python -m bench.probing FOLDER.

Adds a section to docs/results.md. A task is a folder ``<task>-<language>`` with ``train.tsv`` and
``dev.tsv``, of a word and its label each. Words have no lemma. ``dev.tsv`` is the test set; the rows of a
tenth of the training words are held out as the models' own dev.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from bench import experiment, measure, report
from bench.experiment import Sample
from esetrag.core import config
from esetrag.data import columns, label_sets

GROUP, SEEDS = "probing", 1
HELD_OUT = 10
"""One of so many training words is for dev."""


class Probe(Sample):
    """A task; the seed chooses the words that are held out."""

    def parts(self, params: config.Params) -> experiment.Parts:  # noqa: ARG002
        """All rows as they are; no word is in two parts, as none is in the published ones."""
        train, test = (
            label_sets.weighted(columns.select(self.raw / f"{part}.tsv", 1, 2, distinct=False).table)
            for part in ("train", "dev")
        )
        forms = train["form"].combine_chunks().dictionary_encode()
        order = np.random.default_rng(self.seed).permutation(len(forms.dictionary))
        held_out = np.isin(forms.indices, order[: len(order) // HELD_OUT])
        return {
            "train": train.filter(pa.array(~held_out)),
            "dev": train.filter(pa.array(held_out)),
            "test": test,
        }


def main() -> None:
    """Measures the tasks of the folder."""
    options = measure.parser(__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--only", default="", help="tasks with this in their names, as Hungarian")
    experiment.add_options(options, SEEDS, first=201)
    arguments = options.parse_args()
    folders = sorted(
        path.parent for path in arguments.folder.glob("*/train.tsv") if arguments.only in str(path)
    )
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    samples = [Probe(path, seed) for path in folders[: 2 if arguments.quick else None] for seed in seeds]
    experiment.run(GROUP, samples, arguments)
    report.write(arguments.quick)


if __name__ == "__main__":
    main()
