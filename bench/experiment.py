"""All models and baselines, trained on the same rows and tested on the same rows, sample by sample.

The figures of each sample go to a file of its own as soon as it is done, so an interrupted run continues.
Nothing is chosen here: the parameters are those of params.yaml, and dev makes the choices that the
library leaves to it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from bench import measure, notebook
from bench.measure import REPO
from esetrag.core import config
from esetrag.data import label_sets, sampling, unimorph
from esetrag.data.selection import select
from esetrag.models.network import Network
from esetrag.scoring import calibration
from esetrag.scoring.calibration import ModelOutput
from esetrag.tasks import evaluation
from esetrag.tasks.classify import Classify
from esetrag.training import trainer
from esetrag.training.data import Data

MODELS = ("bilstm", "ngram", "blend")
"""Ours, the default first."""
BASELINES = ("majority", "longest_suffix", "logistic_regression")
NOTEBOOK = "notebook"
EVIDENCE = 2.0
"""Nats by which the loss of all dev rows must be lower than the default's for another model."""
SCORES = ("accuracy", "any_correct", "set_f1", "ece")
MANY = 10_000
"""Training rows from which on ``MANY_ROWS`` counts."""
MANY_ROWS: dict[str, Any] = {"analogies": 0, "epochs": 4, "min_steps": 0, "batch_size": 512}
MANY_ROWS |= {"learning_rate": 0.03, "label_smoothing": 0.0}
"""Values of the section ``train`` that a task of so many rows has in params.yaml."""
Parts = dict[str, pa.Table]


@dataclass(frozen=True)
class Sample:
    """Rows of train, dev and test, and a seed: of the draw and of the training."""

    raw: Path
    seed: int

    @property
    def name(self) -> str:
        """Name of the file of its figures."""
        return f"{self.raw.name}-{self.seed}"

    def parts(self, params: config.Params) -> Parts:
        """The rows (``tables.SAMPLE``)."""
        raise NotImplementedError


@dataclass(frozen=True)
class TableSample(Sample):
    """Rows of a UniMorph table; the seed is that of the split, too."""

    table: str
    feature: str
    words: int | None
    """Training rows; None is all of them."""

    @property
    def name(self) -> str:
        """Name of the file of its figures."""
        return f"{self.table}-{self.feature}-{self.words or 'all'}-{self.seed}"

    def parts(self, params: config.Params) -> Parts:
        """Splits by lemma and draws; the test part is whole."""
        sizes = {"train": self.words, "dev": params.sample.dev if self.words else None, "test": None}
        sample = params.sample.model_copy(update={"split": "lemma", "seed": self.seed, **sizes})
        return sampling.draw(sampling.split(rows(self.raw, self.feature), sample), sample)


@lru_cache(maxsize=2)
def rows(raw: Path, feature: str = "Case") -> pa.Table:
    """The labelled nouns of a UniMorph table (``tables.ROWS``).

    Raises:
        DataError: if the table does not have the feature.
    """
    return select(unimorph.batches(raw), raw, "N", feature).table


def parameters() -> config.Params:
    """Those of params.yaml."""
    return config.load(REPO / "params.yaml")


def data_of(parts: Parts, params: config.Params, max_symbols: int | None = None) -> Data:
    """What a training starts from."""
    shape = params.encode_pad.model_copy(update={"max_symbols": max_symbols} if max_symbols else {})
    return Data.of(parts["train"], parts["dev"], params.build_vocab, shape)


def options_of(params: config.Params, data: Data, seed: int) -> config.Train:
    """How models are trained: on one thread of the CPU; many rows by ``MANY_ROWS``."""
    many = MANY_ROWS if len(data.train) >= MANY else {}
    return params.train.model_copy(update={**many, "seed": seed, "device": "cpu", "threads": 1})


def pairs(rows: pa.Table) -> pd.DataFrame:
    """Columns form and label, a row for each label of a form, as the notebook has them."""
    names = label_sets.names(rows["label"])
    form, label = np.nonzero(label_sets.matrix(rows["label"], names))
    forms = rows["form"].to_numpy().astype(object)
    return pd.DataFrame({"form": forms[form], "label": np.array(names, dtype=object)[label]})


def figures(sample: Sample, lecture: bool = False) -> dict[str, Any]:
    """Trains and tests everything on one sample, the notebook's loop if it is wanted.

    Returns:
        Sizes; scores by model; the bins of their calibration; summed loss on dev of our models in nats at
        their best temperatures; the model that dev prefers; CPU seconds.
    """
    start, params = time.process_time(), parameters()
    torch.set_num_threads(1)
    parts = sample.parts(params)
    data = data_of(parts, params)
    options, test = options_of(params, data, sample.seed), data.encode(parts["test"])
    outputs: dict[str, ModelOutput] = {}
    losses = {}
    with experts_trained_once():
        for name in MODELS:
            model = params.resolve(name)
            trained = trainer.fit(data, model, options)
            outputs[name] = trained.output(data, test, params.calibration)
            losses[name] = calibration.cost(trained.logits(data.dev), data.dev.targets, model.head)
    labels = data.vocabulary.labels
    if lecture:
        network = notebook.fit(pairs(parts["train"]), pairs(parts["dev"]), sample.seed)
        predicted = network.predict(parts["test"].select(["form"]).to_pandas())
        shares = (predicted[:, None] == np.array(labels, dtype=object)).astype(np.float32)
        outputs[NOTEBOOK] = ModelOutput(shares, calibration.Calibration())
    quickly = params.evaluate.model_copy(update={"resamples": 100})  # intervals are those over seeds
    result = evaluation.evaluate(Classify(), parts, outputs, labels, quickly, params.calibration)
    found = result.figures
    columns = ["low", "forms", "confidence", "accuracy"]
    return {
        "train": len(data.train),
        "test": found["rows"],
        "ambiguous": found["ambiguous_forms"],
        "upper_bound": found["upper_bound"]["accuracy"],
        "models": {name: {score: of[score] for score in SCORES} for name, of in found["models"].items()},
        "bins": {
            name: bins[columns].to_numpy().tolist() for name, bins in result.reliability.groupby("model")
        },
        "dev_losses": losses,
        "prefers": min(MODELS, key=lambda name: losses[name] + EVIDENCE * (name != MODELS[0])),
        "cpu": time.process_time() - start,
    }


@contextmanager
def experts_trained_once() -> Iterator[None]:
    """An expert of several models is trained once: same rows, shape, options and choices, same bytes."""
    originals, known = dict(trainer.TRAINERS), dict[Any, tuple[Network, list[Any]]]()

    def remembered(data: Data, shape: Any, options: config.Train, analogies: Any, loop: Any) -> Network:
        key = (shape.model_dump_json(exclude={"lemmas"}), options.model_dump_json(), analogies is not None)
        if key not in known:
            network = originals[shape.kind](data, shape, options, analogies, loop)
            known[key] = network, loop.epochs
        network, loop.epochs = known[key]
        return network

    trainer.TRAINERS.update(dict.fromkeys(originals, remembered))
    try:
        yield
    finally:
        trainer.TRAINERS.update(originals)


def add_options(options: argparse.ArgumentParser, seeds: int, first: int) -> None:
    """Those of a measurement over samples."""
    options.add_argument("--seeds", type=int, default=seeds, help="samples (default: %(default)s)")
    options.add_argument("--first", type=int, default=first, help="the first seed (default: %(default)s)")
    options.add_argument("--processes", type=int, default=1, help="samples at once (default: %(default)s)")
    options.add_argument("--fresh", action="store_true", help="measure what is measured already, too")


def run(group: str, samples: Sequence[Sample], arguments: argparse.Namespace, lecture: bool = False) -> None:
    """Measures what the folder of a group lacks; writes the figures of each sample, and prints a line."""
    used = parameters().model_dump_json(exclude={"tasks", "tracking", "error_analysis"})
    key = hashlib.sha256(f"{used} {json.dumps(MANY_ROWS)}".encode()).hexdigest()[:16]
    known = {} if arguments.fresh else measure.read(group, arguments.quick)
    jobs = [sample for sample in samples if known.get(sample.name, {}).get("parameters") != key]
    print(f"{group}: {len(samples)} samples, {len(samples) - len(jobs)} measured already", flush=True)
    pool = ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn"))
    try:
        started = {pool.submit(figures, sample, lecture): sample for sample in jobs}
        for future in as_completed(started):
            sample, result = started[future], future.result()
            content = {"parameters": key, **vars(sample), "raw": sample.raw.name, **result}
            measure.write(f"{group}/{sample.name}", content, arguments.quick)
            each = ", ".join(f"{name} {100 * of['any_correct']:.2f}" for name, of in result["models"].items())
            print(
                f"{sample.name}: {each}; dev prefers {result['prefers']}; {result['cpu']:.0f} s", flush=True
            )
    finally:
        pool.shutdown(cancel_futures=True)
