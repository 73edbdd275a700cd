"""One configuration on a folder of tasks of words and labels: every model and every baseline, task by task.

A task is a folder with ``train.tsv``, ``dev.tsv`` and ``test.tsv``: a word and its label a row. Without
``test.tsv``, dev is the test set, and a tenth of the training words is held out as dev. The test part
chooses nothing. What is measured is kept, so a run that was stopped continues.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

import esetrag
from esetrag.core import config, files, versions
from esetrag.core.errors import DataError, mendable
from esetrag.core.layout import PARTS
from esetrag.data import columns, label_sets
from esetrag.experiments import engine
from esetrag.experiments.learning_curve import cell, interval, require
from esetrag.report import drawing, figures, markdown
from esetrag.scoring import calibration
from esetrag.tasks import baselines

EXPERTS, BLEND, BASELINE = ("bilstm", "ngram"), "blend", "longest_suffix"
"""Keys of ``models``: two, and their product, whose weights dev chooses; what they must beat."""
MODELS = (BLEND, *EXPERTS, "logistic_regression", BASELINE, "majority")
HELD_OUT = 10
"""Where there is no test part, one of so many training words is for dev."""
KEPT = Path(".esetrag/benchmark")
PACKAGES = ("core", "scoring", "data", "symbols", "models", "training", "tasks")
"""What figures depend on beside tables and parameters."""
Parts = dict[str, pa.Table]


@dataclass(frozen=True, slots=True)
class Job:
    """All models on one task; the seed is that of the training, and of the words that are held out."""

    folder: Path
    seed: int
    params: config.Params

    @property
    def kept(self) -> Path:
        """The file of its figures, named by all that they depend on."""
        used = self.params.model_dump_json(exclude={"tasks", "tracking", "error_analysis"})
        tables = map(files.md5, sorted(self.folder.glob("*.tsv")))
        libraries = str(versions.installed())
        key = [used, str(self.seed), self.folder.name, libraries, *tables, *_sources()]
        return KEPT / f"{hashlib.sha256(' '.join(key).encode()).hexdigest()[:24]}.json"


@cache
def _sources() -> list[str]:
    root = Path(esetrag.__file__).parent
    paths = [path for name in PACKAGES for path in (root / name).rglob("*.py")]
    return [files.md5(path) for path in sorted([Path(__file__), *paths])]


def parts(folder: Path, seed: int) -> Parts:
    """The rows of a task (``tables.SAMPLE``) as they are, repeated words included.

    Raises:
        DataError: if a table is not there or cannot be used.
    """

    def rows(part: str) -> pa.Table:
        return label_sets.weighted(columns.select(folder / f"{part}.tsv", 1, 2, distinct=False).table)

    if (folder / "test.tsv").exists():
        return {part: rows(part) for part in PARTS}
    train = rows("train")
    forms = train["form"].combine_chunks().dictionary_encode()
    order = np.random.default_rng(seed).permutation(len(forms.dictionary))
    held_out = np.isin(forms.indices, order[: len(order) // HELD_OUT])
    return {
        "train": train.filter(pa.array(~held_out)),
        "dev": train.filter(pa.array(held_out)),
        "test": rows("dev"),
    }


def measured(job: Job) -> list[dict[str, Any]]:
    """Trains and tests all models on one task: a row for each, of accuracy and CPU seconds."""
    import torch

    from esetrag.models.network import score
    from esetrag.symbols.batch import Batch
    from esetrag.training import blending, trainer
    from esetrag.training.data import Data

    params, cpu = job.params, torch.device("cpu")
    options = params.train.model_copy(update={"seed": job.seed, "device": "cpu", "threads": 1})
    torch.set_num_threads(1)
    given = parts(job.folder, job.seed)
    data = Data.of(given["train"], given["dev"], params.build_vocab, params.encode_pad)
    test, labels = Batch.of(data.encode(given["test"]), cpu), data.vocabulary.labels
    logits, seconds, trained = dict[str, Any](), dict[str, float](), dict[str, Any]()
    for name in EXPERTS:
        start = time.process_time()
        trained[name] = trainer.fit(data, params.resolve(name), options).network
        logits[name] = score(trained[name], test).numpy()
        seconds[name] = time.process_time() - start
    start = time.process_time()
    blend, _ = blending.blend([*trained.values()], None, Batch.of(data.dev, cpu))
    logits[BLEND] = score(blend, test).numpy()
    seconds[BLEND] = time.process_time() - start + sum(seconds.values())
    start = time.process_time()
    for name, scores in baselines.train(given["train"], labels, params.evaluate.suffix_length).items():
        logits[name] = scores(given["test"]["form"])
    seconds |= dict.fromkeys(baselines.NAMES, time.process_time() - start)
    targets = label_sets.matrix(given["test"]["label"], labels)
    sizes = {part: len(rows) for part, rows in given.items()}
    return [
        {"task": job.folder.name, "seed": job.seed, "model": name, **sizes}
        | {"accuracy": float(calibration.correct(logits[name], targets).mean()), "cpu": seconds[name]}
        for name in MODELS
    ]


def table(rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Means over the seeds: task, model, seeds, train, test, accuracy, low, high, cpu; the mean task last.

    The interval is Student's, over the seeds; that of the mean is over the seeds' means over the tasks.
    """
    tasks = rows.drop(columns="dev").groupby(["model", "seed"], as_index=False).mean(numeric_only=True)
    every = pd.concat([rows, tasks.assign(task="mean")])
    listed = []
    for (task, model), group in every.groupby(["task", "model"], sort=False):
        sizes = {"train": round(group["train"].mean()), "test": round(group["test"].mean())}
        mean, low, high = interval(group["accuracy"], confidence)
        scores = {"accuracy": mean, "low": low, "high": high, "cpu": round(group["cpu"].mean(), 1)}
        listed.append({"task": task, "model": model, "seeds": len(group), **sizes, **scores})
    frame = pd.DataFrame(listed)
    names = [*sorted({*frame["task"]} - {"mean"}), "mean"]
    for column, values in (("task", names), ("model", MODELS)):
        frame[column] = pd.Categorical(frame[column], values)
    return frame.sort_values(["task", "model"], ignore_index=True)


def page(name: str, means: pd.DataFrame, confidence: float, failed: Sequence[str]) -> str:
    """The table as a page of Markdown, with the lead on the baseline; ``means`` is what ``table`` gave."""
    cells = {(row.task, row.model): cell(row, "accuracy") for row in means.itertuples()}
    sizes = means.drop_duplicates("task").set_index("task")["train"]
    wide = means.pivot_table(index="task", columns="model", values="accuracy", observed=True)
    leads = (wide[BLEND] - wide[BASELINE]).drop("mean")
    lead, low, high = (100 * value for value in interval(leads, confidence))
    seconds = means[means["task"] == "mean"].set_index("model")["cpu"]
    rows = [[task, f"{sizes[task]:,}", *(cells[task, model] for model in MODELS)] for task in sizes.index]
    seeds = int(means["seeds"].max())
    of = "one seed" if seeds == 1 else f"means over {seeds} seeds with Student's {confidence:.0%} interval"
    over = f" ({confidence:.0%} interval over the tasks: {low:+.2f} to {high:+.2f})" * (not np.isnan(low))
    rows[-1] = [f"**{text}**" for text in rows[-1]]
    rows.append(["CPU seconds a task", "", *(f"{seconds[model]:.1f}" for model in MODELS)])
    lines = [
        f"# Benchmark of {len(leads)} tasks: {name}\n",
        f"Test accuracy in %, {of}. A probing task asks for one feature of a word of running text, such as",
        "its case or tense; there are no lemmas. `esetrag benchmark` makes this page",
        "([experiments.md](experiments.md#many-tasks)). Its models and baselines are fixed, their parameters",
        "are those of `params.yaml` for all tasks. `blend` is the product of `bilstm` and `ngram`, with",
        "weights that dev chooses. The seconds of the three baselines are those of all three together. A",
        "task without `test.tsv` is tested on its dev part; then a tenth of its training words is dev.",
        f"\n{markdown.table(['task', 'forms', *MODELS], rows, 'l' + 'r' * (len(MODELS) + 1))}",
        f"\nLead of `{BLEND}` on `{BASELINE}`: {lead:+.2f} points{over}.",
        f"\n![Accuracy of each task beside that of the longest suffix]({name}.png)\n",
    ]
    if failed:
        lines.append("Not measured:\n\n" + "\n".join(f"- {line}" for line in failed) + "\n")
    return "\n".join(lines)


def measure(
    folder: Path, params: config.Params, seeds: int, only: str, target: Path, places: tuple[str, int]
) -> str:
    """Measures all tasks of a folder and writes the table (``.tsv``), the page and the picture.

    Args:
        folder: of the tasks.
        params: all parameters; those of tasks are not used.
        seeds: trainings of each task, from ``train.seed`` on.
        only: tasks with this in their names.
        target: path of what is written, without its suffix.
        places: engine and jobs at once (``engine.results``).

    Returns:
        The page without its picture.

    Raises:
        DataError: if there are no tasks, or none of them can be measured.
        ParamsError: if a model that is measured is not in ``params.yaml``.
    """
    require((*EXPERTS, BLEND), params)
    paths = sorted(folder.resolve().glob("*/train.tsv"))
    tasks = [path.parent for path in paths if only in path.parent.name]
    if not tasks:
        raise DataError(f"{folder}: expected folders with train.tsv, dev.tsv and test.tsv, found none")
    first = params.train.seed
    jobs = [Job(task, seed, params) for task in tasks for seed in range(first, first + seeds)]
    left = [job for job in jobs if not job.kept.exists()]
    rows = [row for job in jobs if job.kept.exists() for row in files.read_json(job.kept, list)]
    failed = list[str]()
    found = engine.results(measured, left, *places) if left else iter(())
    for job, result in tqdm(found, total=len(left), unit="task", disable=not sys.stderr.isatty()):
        if not isinstance(result, Exception):
            files.write_json(job.kept, result)
            rows += result
        elif known := mendable(result):
            failed.append(f"{job.folder.name}, seed {job.seed}: {known}")
        else:
            raise result
    if not rows:
        raise DataError(failed[0])
    whole = table(pd.DataFrame(rows), params.evaluate.confidence)
    text = page(target.name, whole, params.evaluate.confidence, sorted(failed))
    drawing.write_png(target.with_suffix(".png"), figures.benchmark(whole, BASELINE))
    files.write_text(target.with_suffix(".md"), text)
    columns_text = whole.to_csv(index=False, sep="\t", lineterminator="\n", float_format="%.4f")
    files.write_text(target.with_suffix(".tsv"), columns_text)
    return text.partition("\n\n!")[0]
