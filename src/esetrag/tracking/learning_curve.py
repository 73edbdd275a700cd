"""Learning curves: how accurate each model is, the more forms it is trained on.

Of one seed a larger sample holds the smaller ones. The seed decides split, sample and training, so
the spread over seeds is that of another study of the same kind. The test part chooses nothing.
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
from esetrag.scoring import ratios
from esetrag.tasks.baselines import NgramRegression, SuffixTable

SIZES = (30, 100, 300, 1000, 3000)
"""Training forms, evenly spaced on a logarithmic axis."""
OURS = {"bilstm": "lstm", "ngram": "ngram"}
"""Kind of network by the name of the model."""
MODELS = ("majority", "longest_suffix", "logistic_regression", *OURS)
UPPER_BOUND = "upper_bound"
PROCESSES = 8
"""At the most: each loads PyTorch."""

Floats = npt.NDArray[np.floating]
Logits = Callable[[pa.ChunkedArray], Floats]


@dataclass(frozen=True, slots=True)
class Point:
    """Accuracies of one model, trained once: share of the pairs of form and value that are predicted."""

    model: str
    forms: int
    """Of the training sample."""
    seed: int
    dev: float
    test: float


@dataclass(frozen=True, slots=True)
class Job:
    """All models on one sample."""

    parts: dict[str, pa.Table]
    seed: int
    params: config.Params


def jobs(rows: pa.Table, params: config.Params, seeds: int, sizes: Sequence[int], whole: bool) -> list[Job]:
    """The samples of every seed, from ``sample.seed`` on.

    The notebook's split, which has no seed, is replaced by that by lemma. Sizes for which there are not
    enough training forms are left out; all of these are a sample, too, if that is wanted (``whole``).

    Raises:
        ParamsError: if no size is left.
    """
    listed = []
    split = "lemma" if params.sample.split == "notebook" else params.sample.split
    for seed in range(seeds):
        sample = params.sample.model_copy(update={"split": split, "seed": params.sample.seed + seed})
        parts = sampling.split(rows, sample)
        most = len(parts["train"])
        kept = {size for size in sizes if 0 < size <= most} | ({most} if whole else set())
        if not kept:
            raise ParamsError(f"sizes: expected one of 1 to {most:,} training forms, found {list(sizes)}")
        for size in sorted(kept):
            drawn = sampling.draw(parts, sample.model_copy(update={"train": size}))
            listed.append(Job(drawn, seed, params))
    return listed


def points(listed: Sequence[Job], processes: int | None = None) -> Iterator[list[Point]]:
    """Trains and measures job by job, on as many processes as there are processors (None) or are wanted."""
    count = min(processes or os.cpu_count() or 1, PROCESSES, len(listed))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(measured, listed)


def measured(job: Job) -> list[Point]:
    """All models on one sample, and the upper bound of them all."""
    forms, labels = job.parts["train"]["form"], job.parts["train"]["label"]
    known = tuple(label_sets.names(labels))
    suffixes = SuffixTable.train(forms, labels, known, job.params.evaluate.suffix_length)
    trained: list[Logits] = [
        SuffixTable(suffixes.levels[:1]).logits,
        suffixes.logits,
        NgramRegression.train(forms, labels, known).logits,
        *(_trained(job, kind) for kind in OURS.values()),
    ]
    accuracies = {name: [] for name in (*MODELS, UPPER_BOUND)}  # type: dict[str, list[float]]
    for part in ("dev", "test"):
        rows = job.parts[part]
        gold = label_sets.matrix(rows["label"], label_sets.names(rows["label"]))
        for name, logits in zip(MODELS, trained, strict=True):
            best = pa.array(known, pa.string()).take(pa.array(logits(rows["form"]).argmax(1)))
            correct = label_sets.right(rows["label"], pa.chunked_array([best])).sum()
            accuracies[name].append(float(correct / gold.sum()))
        accuracies[UPPER_BOUND].append(ratios.ceiling(gold))
    return [Point(name, len(forms), job.seed, *values) for name, values in accuracies.items()]


def _trained(job: Job, kind: str) -> Logits:
    """Trains a network as the pipeline does, on the CPU.

    The BiLSTM takes as many steps as on ``sample.train`` forms, whatever the sample: a few forms are
    trained on several times an epoch, many in fewer epochs.
    """
    from esetrag.models.lemma_prior import analogy  # PyTorch
    from esetrag.symbols import encoding
    from esetrag.symbols.vocabulary import Vocabulary
    from esetrag.training import trainer

    params, train, dev, size = job.params, job.parts["train"], job.parts["dev"], job.params.sample.train
    build, pad = params.build_vocab, params.encode_pad
    options = params.train.model_copy(update={"seed": params.train.seed + job.seed, "device": "cpu"})
    if kind == "lstm" and size:
        train = pa.concat_tables([train] * max(size // len(train), 1))
        epochs = min(max(round(options.epochs * size / len(train)), 2), options.epochs)
        options = options.model_copy(update={"epochs": epochs})
    forms, labels = (train[name].to_pylist() for name in ("form", "label"))
    vocabulary = Vocabulary.build(forms, labels, build.min_count, build.unit, build.merges)
    width = encoding.width_of(train["form"], pad.max_symbols)
    rows, held_out = (encoding.encode_rows(part, vocabulary, width, pad.keep) for part in (train, dev))
    model, analogies = params.model.model_copy(update={"kind": kind}), analogy.found(train, vocabulary)
    network = trainer.fit(rows, held_out, vocabulary, model, options, analogies).network

    def logits(forms: pa.ChunkedArray) -> Floats:
        unknown = np.zeros((len(forms), len(vocabulary.labels)), dtype=bool)
        ids, lengths = encoding.encode(forms, vocabulary, width, pad.keep)
        return trainer.logits(network, encoding.Encoded(ids, lengths, unknown, pad.keep))

    return logits


def table(measurements: Sequence[Point], confidence: float) -> pd.DataFrame:
    """Means over the seeds: model, forms, seeds, dev, test, low, high.

    The interval is that of the mean on test (Student's); one seed has none.
    """
    from scipy.stats import t

    rows: list[Any] = []
    frame = pd.DataFrame([asdict(point) for point in measurements])
    frame["model"] = pd.Categorical(frame["model"], [*MODELS, UPPER_BOUND])
    for (name, forms), group in frame.groupby(["model", "forms"], observed=True):
        count, mean = len(group), group["test"].mean()
        reach = t.ppf((1 + confidence) / 2, count - 1) * group["test"].std() / np.sqrt(count)  # NaN for one
        bounds = np.clip([mean - reach, mean + reach], 0, 1)
        rows.append((name, forms, count, group["dev"].mean(), mean, *bounds))
    return pd.DataFrame(rows, columns=["model", "forms", "seeds", "dev", "test", "low", "high"])


def page(task: str, means: pd.DataFrame, confidence: float) -> str:
    """The curve as a page of Markdown; ``means`` is what ``table`` gave, ``confidence`` its intervals'."""
    sizes = sorted(means["forms"].unique())
    cells = {(row.model, row.forms): _cell(row) for row in means.itertuples()}
    rows = [[name, *(cells.get((name, size), "") for size in sizes)] for name in means["model"].unique()]
    header = ["model", *(f"{size:,}" for size in sizes)]
    return "\n".join(
        [
            f"# Learning curve of {task}\n",
            f"Test accuracy, %, by the number of training forms: mean over {means['seeds'].max()} seed(s) of",
            f"split, sample and training, with its {confidence:.0%} interval (Student's). `esetrag curve`",
            f"makes it.\n\n{markdown.table(header, rows, 'l' + 'r' * len(sizes))}",
            "\n![Errors by the number of training forms](learning_curve.png)\n",
        ]
    )


def _cell(row: Any) -> str:
    interval = "" if np.isnan(row.low) else f" ({100 * row.low:.1f}–{100 * row.high:.1f})"
    return f"{100 * row.test:.1f}{interval}"
