"""Learning curves: how well each reader reads, the more forms it is trained on.

Of one seed a larger sample holds the smaller ones. The seed decides split, sample and training, so
the spread over seeds is that of another study of the same kind. The test part is read in the end
and chooses nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from esetrag.core import config
from esetrag.core.errors import ParamsError
from esetrag.data import label_sets, sampling
from esetrag.report import markdown
from esetrag.tasks import baselines
from esetrag.tasks.evaluation import upper_bound

SIZES = (30, 100, 300, 1000, 3000)
"""Training forms, evenly spaced on a logarithmic axis."""
READERS = (
    "commonest label",
    "longest known suffix",
    "logistic regression on suffixes",
    "esetrag, LSTM",
    "esetrag, n-grams",
)
CEILING = "ceiling"
PROCESSES = 8
"""At the most: each loads PyTorch."""

Floats = npt.NDArray[np.floating]
Parts = dict[str, pa.Table]


@dataclass(frozen=True, slots=True)
class Point:
    """One reader, trained once."""

    reader: str
    forms: int
    """Of the training sample."""
    seed: int
    dev: float
    test: float
    """Accuracies: share of the pairs of form and value whose value is read."""


@dataclass(frozen=True, slots=True)
class Job:
    """All readers on one sample."""

    parts: Parts
    seed: int
    given: config.Params


def sizes(available: int, wanted: Sequence[int], whole: bool) -> list[int]:
    """The sizes of the samples, ascending.

    Args:
        available: training forms that there are.
        wanted: sizes; larger ones than that are left out.
        whole: whether all forms are a sample too.

    Raises:
        ParamsError: if no size is left.
    """
    kept = sorted({size for size in wanted if 0 < size <= available} | ({available} if whole else set()))
    if not kept:
        raise ParamsError(f"sizes: expected one of 1 to {available:,} training forms, found {list(wanted)}")
    return kept


def jobs(rows: pa.Table, given: config.Params, seeds: int, wanted: Sequence[int], whole: bool) -> list[Job]:
    """The samples of every seed.

    Args:
        rows: labelled rows of the task (``tables.ROWS``).
        given: all parameters; the notebook's split, which has no seed, is replaced by that by lemma.
        seeds: how many, from ``sample.seed`` on.
        wanted: sizes of the samples.
        whole: whether all training forms are a sample too.

    Raises:
        ParamsError: if no size is left.
    """
    found = []
    split = "lemma" if given.sample.split == "notebook" else given.sample.split
    for number in range(seeds):
        how = given.sample.model_copy(update={"split": split, "seed": given.sample.seed + number})
        parts = sampling.split(rows, how)
        for size in sizes(len(parts["train"]), wanted, whole):
            drawn = sampling.draw(parts, how.model_copy(update={"train": size}))
            found.append(Job(drawn, number, given))
    return found


def points(some: Sequence[Job], processes: int | None = None) -> Iterator[list[Point]]:
    """Trains and measures, job by job, as many at a time as there are processors.

    Args:
        some: what ``jobs`` gave.
        processes: how many; None takes as many as there are processors. What is measured is the same.
    """
    count = min(processes or os.cpu_count() or 1, PROCESSES, len(some))
    if count == 1:
        yield from map(measured, some)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(measured, some)


def measured(job: Job) -> list[Point]:
    """All readers on one sample, and the ceiling of them all."""
    train, dev, test = (job.parts[part] for part in ("train", "dev", "test"))
    known = tuple(label_sets.names(train["label"]))
    trained = baselines.train(train, known, job.given.evaluate.suffix_length)
    fitted: list[Callable[[pa.ChunkedArray], Floats]] = [
        trained["majority"],
        trained["longest_suffix"],
        trained["logistic_regression"],
        _trained(job, "lstm"),
        _trained(job, "ngram"),
    ]
    found = [
        Point(
            name,
            len(train),
            job.seed,
            *(_accuracy(part, logits(part["form"]), known) for part in (dev, test)),
        )
        for name, logits in zip(READERS, fitted, strict=True)
    ]
    ceilings = (
        upper_bound(label_sets.matrix(part["label"], label_sets.names(part["label"]))) for part in (dev, test)
    )
    return [*found, Point(CEILING, len(train), job.seed, *ceilings)]


def _trained(job: Job, kind: str) -> Callable[[pa.ChunkedArray], Floats]:
    """Trains a network as the pipeline does, on the CPU.

    The LSTM takes as many steps as on ``sample.train`` forms, whatever the sample: a few forms are
    shown several times an epoch, many in fewer epochs.
    """
    from esetrag.models.lemma_prior import analogy  # PyTorch
    from esetrag.symbols import encoding  # PyTorch
    from esetrag.symbols.vocabulary import Vocabulary
    from esetrag.training import trainer  # PyTorch

    given, train, dev = job.given, job.parts["train"], job.parts["dev"]
    build, pad, size = given.build_vocab, given.encode_pad, len(train)
    how = given.train.model_copy(update={"seed": given.train.seed + job.seed, "device": "cpu"})
    if kind == "lstm" and given.sample.train:
        times = max(given.sample.train // size, 1)
        train = pa.concat_tables([train] * times)
        epochs = max(round(how.epochs * given.sample.train / len(train)), 2)
        how = how.model_copy(update={"epochs": min(epochs, how.epochs)})
    forms, labels = (train[name].to_pylist() for name in ("form", "label"))
    vocabulary = Vocabulary.build(forms, labels, build.min_count, build.unit, build.merges)
    width = encoding.width_of(train["form"], pad.max_symbols)
    rows, held_out = (encoding.encode_rows(some, vocabulary, width, pad.keep) for some in (train, dev))
    model = given.model.model_copy(update={"kind": kind})
    trained = trainer.fit(rows, held_out, vocabulary, model, how, analogy.found(train, vocabulary))

    def logits(forms: pa.ChunkedArray) -> Floats:
        unknown = np.zeros((len(forms), len(vocabulary.labels)), dtype=bool)
        encoded = encoding.Encoded(*encoding.encode(forms, vocabulary, width, pad.keep), unknown, pad.keep)
        return trainer.logits(trained.network, encoded)

    return logits


def _accuracy(rows: pa.Table, logits: Floats, known: Sequence[str]) -> float:
    read = pa.chunked_array([pa.array(known, pa.string()).take(pa.array(logits.argmax(1)))])
    pairs = label_sets.matrix(rows["label"], label_sets.names(rows["label"])).sum()
    return float(label_sets.correct(rows["label"], read).sum() / pairs)


def table(found: Sequence[Point], confidence: float) -> pd.DataFrame:
    """Means over the seeds: reader, forms, seeds, dev, test, low, high.

    Args:
        found: what was measured.
        confidence: of the interval of the mean on test (Student's), which one seed has not.
    """
    from scipy.stats import t

    rows: list[dict[str, Any]] = []
    frame = pd.DataFrame([asdict(point) for point in found])
    for name in [*READERS, CEILING]:
        for forms, group in frame[frame["reader"] == name].groupby("forms"):
            count, mean = len(group), group["test"].mean()
            reach = np.nan
            if count > 1:
                reach = t.ppf((1 + confidence) / 2, count - 1) * group["test"].std() / np.sqrt(count)
            row = {"reader": name, "forms": forms, "seeds": count, "dev": group["dev"].mean(), "test": mean}
            rows.append({**row, "low": max(mean - reach, 0.0), "high": min(mean + reach, 1.0)})
    return pd.DataFrame(rows)


def page(task: str, means: pd.DataFrame, confidence: float) -> str:
    """The curve in a few lines.

    Args:
        task: its name.
        means: what ``table`` gave.
        confidence: of the intervals.
    """
    columns = sorted(means["forms"].unique())
    rows = []
    for name, group in means.groupby("reader", sort=False):
        of = {row.forms: row for row in group.itertuples()}
        rows.append([name, *(_cell(of[forms]) if forms in of else "" for forms in columns)])
    seeds = int(means["seeds"].max())
    return "\n".join(
        [
            f"# Learning curve of {task}\n",
            f"Test accuracy, %, by the number of training forms: mean over {seeds} seed(s) of split, sample",
            f"and training, and its interval of {confidence:.0%} (Student's). Made by `esetrag curve`.\n",
            markdown.table(["reader", *(f"{forms:,}" for forms in columns)], rows, "l" + "r" * len(columns)),
            "\n![Errors by the number of training forms](learning_curve.png)\n",
        ]
    )


def _cell(row: Any) -> str:
    interval = "" if np.isnan(row.low) else f" ({100 * row.low:.1f}–{100 * row.high:.1f})"
    return f"{100 * row.test:.1f}{interval}"
