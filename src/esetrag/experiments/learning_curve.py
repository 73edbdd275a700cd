"""Learning curves: how accurate each model is, the more forms it is trained on.

Of one seed a larger sample holds the smaller ones. The seed decides split, sample and training, so
the spread over seeds is that of another study of the same kind. The test part chooses nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from esetrag.core import config, files
from esetrag.core.errors import ParamsError
from esetrag.core.layout import Layout
from esetrag.data import label_sets, sampling
from esetrag.data.source import Source
from esetrag.experiments import engine
from esetrag.report import drawing, figures, markdown
from esetrag.scoring import calibration
from esetrag.tasks import baselines, evaluation

SIZES = (30, 100, 300, 1000, 3000)
"""Training forms, evenly spaced on a logarithmic axis."""
OURS = ("bilstm", "ngram")
"""Keys of ``models``."""
MODELS = ("majority", "longest_suffix", "logistic_regression", *OURS)
UPPER_BOUND = "upper_bound"
PROCESSES = 8
"""At the most: each loads PyTorch."""


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


def jobs(source: Source, params: config.Params, seeds: int, sizes: Sequence[int], whole: bool) -> list[Job]:
    """The samples of every seed, from ``sample.seed`` on; of given parts only that for training is drawn of.

    The notebook's split, which has no seed, is replaced by that by lemma. Sizes for which there are not
    enough training forms are left out; all of these are a sample, too, if that is wanted (``whole``).

    Raises:
        ParamsError: if no size is left.
    """
    listed = []
    split = source.split_of(params.sample).replace("notebook", "lemma")
    for seed in range(seeds):
        sample = params.sample.model_copy(update={"split": split, "seed": params.sample.seed + seed})
        parts = source.given or sampling.split(source.selection.table, sample)
        most = len(parts["train"])
        kept = {size for size in sizes if 0 < size <= most} | ({most} if whole else set())
        if not kept:
            raise ParamsError(f"sizes: expected one of 1 to {most:,} training forms, found {list(sizes)}")
        for size in sorted(kept):
            drawn = sampling.draw(parts, sample.model_copy(update={"train": size}))
            listed.append(Job({**drawn, **source.given, "train": drawn["train"]}, seed, params))
    return listed


def points(listed: Sequence[Job], processes: int | None = None) -> Iterator[list[Point]]:
    """Trains and measures jobs, on as many processes as there are processors (None) or are wanted."""
    count = min(processes or os.cpu_count() or 1, PROCESSES, len(listed))
    for _, result in engine.results(measured, listed, "local", count):
        if isinstance(result, Exception):
            raise result
        yield result


def measured(job: Job) -> list[Point]:
    """All models on one sample, and the upper bound of them all."""
    from esetrag.training import trainer  # PyTorch
    from esetrag.training.data import Data

    params, train = job.params, job.parts["train"]
    data = Data.of(train, job.parts["dev"], params.build_vocab, params.encode_pad)
    labels = data.vocabulary.labels
    trained = baselines.train(train, labels, params.evaluate.suffix_length)
    options = params.train.model_copy(update={"seed": params.train.seed + job.seed, "device": "cpu"})
    if params.sample.train:  # as many steps as on that many forms: many forms are seen in fewer epochs
        epochs = min(max(round(options.epochs * params.sample.train / len(train)), 2), options.epochs)
        options = options.model_copy(update={"epochs": epochs})
    networks = {name: trainer.fit(data, params.resolve(name), options) for name in OURS}
    accuracies: dict[str, list[float]] = {name: [] for name in (*MODELS, UPPER_BOUND)}
    for part in ("dev", "test"):
        rows = job.parts[part]
        values = [*labels, *sorted({*label_sets.names(rows["label"])} - {*labels})]
        targets = label_sets.matrix(rows["label"], values)
        for name in MODELS:
            logits = networks[name].logits(data.encode(rows)) if name in OURS else trained[name](rows["form"])
            correct = calibration.correct(logits, targets[:, : len(labels)]).sum()
            accuracies[name].append(float(correct / targets.sum()))
        accuracies[UPPER_BOUND].append(evaluation.upper_bound(targets))
    return [Point(name, len(train), job.seed, *values) for name, values in accuracies.items()]


def table(measurements: Sequence[Point], confidence: float) -> pd.DataFrame:
    """Means over the seeds: model, forms, seeds, dev, test, low, high.

    The interval is that of the mean on test (Student's); one seed has none.
    """
    rows: list[Any] = []
    frame = pd.DataFrame([asdict(point) for point in measurements])
    frame["model"] = pd.Categorical(frame["model"], [*MODELS, UPPER_BOUND])
    frame = frame.sort_values("seed")  # jobs end in any order
    for (name, forms), group in frame.groupby(["model", "forms"], observed=True):
        mean, *bounds = interval(group["test"], confidence)
        rows.append((name, forms, len(group), group["dev"].mean(), mean, *np.clip(bounds, 0, 1)))
    return pd.DataFrame(rows, columns=["model", "forms", "seeds", "dev", "test", "low", "high"])


def require(names: Sequence[str], params: config.Params) -> None:
    """Raises ParamsError if one of the models that are measured is not in ``params.yaml``."""
    if missing := [name for name in names if name not in params.models]:
        raise ParamsError(f"params.yaml: models: expected {', '.join(names)}; missing: {missing[0]}")


def interval(values: pd.Series[float], confidence: float) -> tuple[float, float, float]:
    """The mean of some values and Student's interval of it, which is NaN for one value."""
    from scipy.stats import t

    count, mean = len(values), float(values.mean())
    reach = float(t.ppf((1 + confidence) / 2, count - 1) * values.std() / np.sqrt(count))
    return mean, mean - reach, mean + reach


def page(task: str, means: pd.DataFrame, confidence: float) -> str:
    """The curve as a page of Markdown; ``means`` is what ``table`` gave, ``confidence`` its intervals'."""
    sizes = sorted(means["forms"].unique())
    cells = {(row.model, row.forms): cell(row, "test") for row in means.itertuples()}
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


def cell(row: Any, score: str) -> str:
    """A mean (the column ``score``) with its interval (``low``, ``high``) in per cent."""
    reach = "" if np.isnan(row.low) else f" ({100 * row.low:.1f}–{100 * row.high:.1f})"
    return f"{100 * getattr(row, score):.1f}{reach}"


def measure(
    layout: Layout, params: config.Params, seeds: int, sizes: Sequence[int] | None, whole: bool
) -> str:
    """Measures the curve of a task and writes its table, page and picture.

    Args:
        layout: of the task.
        params: all parameters.
        seeds: how many splits and samples.
        sizes: training forms; None are ``SIZES``.
        whole: all training forms as well.

    Returns:
        The page without its picture.

    Raises:
        ParamsError: if the task gives no labels to words, a model that is measured is not in
            ``params.yaml``, there are no seeds, or a size is not to be had.
    """
    if seeds < 1:
        raise ParamsError(f"--seeds: expected 1 or more, found {seeds}")
    task = layout.task
    if (kind := config.kind_key(params.task(task))) != "classify":
        raise ParamsError(f"{task}: expected a task of kind classify, found {kind}; name another: --task")
    require(OURS, params)
    own = {"sample": params.section_of(task, config.Sample), "train": params.section_of(task, config.Train)}
    params = params.model_copy(update=own)
    source = Source.load(params.task(layout.task), params.sample.suspicious)
    confidence = params.evaluate.confidence
    listed = jobs(source, params, seeds, sizes or SIZES, whole)
    bar = tqdm(points(listed), total=len(listed), unit="sample", disable=not sys.stderr.isatty())
    means = table([point for group in bar for point in group], confidence)
    text = page(layout.task, means, confidence)
    drawing.write_png(layout.curve.with_suffix(".png"), figures.learning_curve(means, layout.task))
    files.write_text(layout.curve.with_suffix(".md"), text)
    files.write_text(layout.curve, means.to_csv(index=False, lineterminator="\n"))
    return text.partition("\n\n!")[0]
