"""Accuracy on the whole test part and training time, over several splits, samples and seeds."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from scipy import stats

from bench import clock, readers, results
from bench.rows import Source
from esetrag.data import label_sets
from esetrag.scoring import ratios
from esetrag.scoring.ratios import Ratio
from esetrag.tasks.evaluation import clusters_of

SMALL, FEW = 1000, 300
SAMPLES, SPLITS = 10, 5
"""Of so many words; of all words."""
SLOW = (readers.LSTM, readers.NOTEBOOK)
CONFIDENCE = 0.95


def compared(source: Source, names: list[str], words: int | None, samples: int) -> dict[str, Any]:
    """Readers on the same samples: sample after sample, reader after reader.

    Args:
        source: a task's rows.
        names: of the readers; the others are compared with the first.
        words: training rows; None is all.
        samples: two or more, each of its own split, draw and training seed.

    Returns:
        Sizes and, of each reader, mean accuracy and mean lead of the first one with intervals by Student's
        t, its errors, and its training seconds.
    """
    rights: dict[str, list[Any]] = {name: [] for name in names}
    times: clock.Times = {name: [] for name in names}
    lemmas = []
    for seed in range(1, samples + 1):
        parts = source.parts(seed, words, 200)
        lemmas.append(clusters_of(parts.test) + f" {seed}")
        for name in names:
            start = time.perf_counter()
            read = readers.train(name, source, parts, seed)
            times[name].append(time.perf_counter() - start)
            answers = pa.chunked_array([pa.array(read(parts.test), pa.string())])
            rights[name].append(label_sets.correct(parts.test["label"], answers))
        each = ", ".join(f"{name} {100 * rights[name][-1].mean():.2f}" for name in names)
        print(f"{len(parts.train):,} words, sample {seed}: {each}", file=sys.stderr, flush=True)
    shares = {name: [float(right.mean()) for right in rights[name]] for name in names}
    pooled = {name: np.concatenate(rights[name]) for name in names}
    clusters = np.concatenate(lemmas)

    def figures(name: str) -> dict[str, Any]:
        lead = [first - other for first, other in zip(shares[names[0]], shares[name], strict=True)]
        over_lemmas = ratios.difference(
            Ratio.mean(pooled[names[0]]), Ratio.mean(pooled[name]), clusters, source.given.evaluate
        )
        return {
            "accuracy": _mean(shares[name]),
            "each": shares[name],
            "lead": _mean(lead),
            "lead_over_lemmas": asdict(over_lemmas),
            "errors": [int((~right).sum()) for right in rights[name]],
            "seconds": clock.spread(times[name]),
            "longer": clock.ratio(times[name], times[names[0]]),
        }

    sizes = {"train": len(parts.train), "test": len(pooled[names[0]]) // samples, "samples": samples}
    return {**sizes, "readers": {name: figures(name) for name in names}}


def _mean(values: list[float]) -> dict[str, float]:
    """Mean over the samples and its interval by Student's t."""
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * deviation / len(values) ** 0.5
    return {"value": mean, "low": mean - reach, "high": mean + reach, "deviation": deviation}


def main() -> None:
    """Measures accuracy at 1000, at 300 and at all words."""
    arguments = results.parser(__doc__).parse_args()
    torch.set_num_threads(1)
    source = Source.read(arguments.raw)
    samples, splits = (2, 2) if arguments.quick else (SAMPLES, SPLITS)
    names = readers.names()
    quick = [name for name in names if name not in SLOW]
    content = {
        "small": compared(source, names, SMALL, samples),
        "few": compared(source, quick, FEW, samples),
    }
    if not arguments.quick:
        content["all"] = compared(source, quick, None, splits)
        content["networks"] = compared(source, list(SLOW), None, 2)
    results.write("accuracy", content, arguments.quick)


if __name__ == "__main__":
    main()
