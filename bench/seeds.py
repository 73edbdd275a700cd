"""Test accuracy over several seeds of sampling and training: the defaults and the lecture's settings.

python bench/seeds.py [--task hun-noun-case] [--seeds 5]
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import torch

from esetrag import encoding, evaluation, params, sampling, training, unimorph
from esetrag.batches import Batch, score
from esetrag.vocab import Vocabulary

NOTEBOOK = {
    "batch_size": 128,
    "epochs": 30,
    "schedule": "constant",
    "learning_rate": 0.001,
    "shuffle": False,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "crop": 0.0,
    "clip": None,
}


def accuracy(given: params.Params, rows: unimorph.Selection, seed: int) -> tuple[float, float]:
    """Test accuracy of the reader and of the suffix baseline on the same rows."""
    how = given.sample.model_copy(update={"seed": seed})
    parts = sampling.draw(sampling.split(rows.table, how), how)
    train = parts["train"]
    vocabulary = Vocabulary.build(
        train["form"].to_pylist(), train["label"].to_pylist(), given.build_vocab.min_count
    )
    width = encoding.width_of(train["form"], given.encode_pad.max_symbols)
    encoded = {
        part: encoding.encode_rows(table, vocabulary, width, given.encode_pad.keep)
        for part, table in parts.items()
    }
    trained = training.fit(
        encoded["train"],
        encoded["dev"],
        vocabulary,
        given.model,
        given.train.model_copy(update={"seed": seed, "device": "cpu"}),
    )
    logits = score(trained.network, Batch.of(encoded["test"], torch.device("cpu")))
    shares = torch.softmax(logits, 1).numpy()
    figures = evaluation.evaluate(train, parts["test"], shares, vocabulary.labels, given.evaluate).figures
    return figures["reader"]["accuracy"], figures["suffix"]["accuracy"]


def main() -> None:
    """Prints a line for each configuration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="hun-noun-case")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    given = params.load(Path("params.yaml"))
    task = given.task(arguments.task)
    raw = Path(task.raw)
    rows = unimorph.select(unimorph.read(raw), raw, task.pos, task.feature)
    notebook = given.model_copy(
        update={
            "train": given.train.model_copy(update=NOTEBOOK),
            "model": given.model.model_copy(update={"dropout": 0.0}),
        }
    )
    suffix: list[float] = []
    for name, configuration in (("defaults", given), ("notebook", notebook)):
        pairs = [accuracy(configuration, rows, seed) for seed in range(1, arguments.seeds + 1)]
        show(name, [reader for reader, _ in pairs])
        suffix = [baseline for _, baseline in pairs]
    show("suffix", suffix)


def show(name: str, shares: list[float]) -> None:
    """Prints mean, deviation and the figure of every seed in per cent."""
    percents = [100 * share for share in shares]
    deviation = statistics.stdev(percents) if len(percents) > 1 else 0.0
    each = " ".join(f"{percent:.2f}" for percent in percents)
    print(f"{name:<9} mean {statistics.mean(percents):.2f}  sd {deviation:.2f}  by seed: {each}", flush=True)


if __name__ == "__main__":
    main()
