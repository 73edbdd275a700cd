"""Time to 99 % on dev, on all rows: the library's BiLSTM and the notebook's loop, like for like.

Both are looked at after each quarter of an epoch, with the clock stopped, so neither pays for an evaluation.
The library's default reader is looked at when its training ends, which it is timed to.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from bench import clock, notebook, ours, readers, results
from bench.rows import Parts, Source, frame

ROUNDS, GOAL, LOOKS = 5, 0.99, 4
MOST = 6
"""Epochs after which the notebook's loop is given up."""


class _ReachedError(Exception):
    """The goal is reached: the training may end."""


def until(train: Callable[[], object], accuracy: Callable[[Any], float], batches: int) -> dict[str, float]:
    """Trains until the goal is reached.

    Args:
        train: trains a network; the clock starts with its first forward pass.
        accuracy: of a network on dev.
        batches: an epoch.

    Returns:
        Seconds and epochs; infinite if the goal was not reached.
    """
    steps, taken, count, since = math.ceil(batches / LOOKS), 0.0, 0, 0.0
    networks: list[nn.Module] = []

    def begin(module: nn.Module, _: object) -> None:
        nonlocal since
        if module.training and not networks:
            networks.append(module)
            beginning.remove()
            since = time.perf_counter()

    def look(*_: object) -> None:
        nonlocal since, taken, count
        count += 1
        if count % steps == 0:
            taken += time.perf_counter() - since
            if accuracy(networks[0]) >= GOAL:
                raise _ReachedError
            networks[0].train()
            since = time.perf_counter()

    beginning = nn.modules.module.register_module_forward_pre_hook(begin)
    looking = register_optimizer_step_post_hook(look)
    try:
        train()
    except _ReachedError:
        return {"seconds": taken, "epochs": count / batches}
    finally:
        beginning.remove()
        looking.remove()
    return {"seconds": math.inf, "epochs": math.inf}


def of_notebook(parts: Parts, seed: int) -> dict[str, float]:
    """The notebook's loop."""
    train, dev = frame(parts.train), frame(parts.dev)
    rows = notebook.tensors(notebook.encode(dev, notebook.Alphabet.of(train)))
    return until(
        lambda: notebook.fit(train, None, seed, MOST),
        lambda network: notebook.evaluate(network, rows)[1],
        math.ceil(len(train) / notebook.BATCH),
    )


def of_lstm(source: Source, parts: Parts, seed: int, threads: int) -> dict[str, float]:
    """The library's training of the same network."""
    given = ours.changed(source.given, ours.LSTM_ALL)
    few = Parts(parts.train, parts.dev.slice(0, 100), parts.test)  # its own evaluation costs next to nothing
    rows = ours.Encoder.of(given, parts).batch(parts.dev)
    return until(
        lambda: ours.fit(given, few, seed, threads),
        lambda network: ours.accuracy(network, rows),
        math.ceil(len(parts.train) / given.train.batch_size),
    )


def of_default(source: Source, parts: Parts, seed: int, threads: int) -> dict[str, float]:
    """The default reader, trained to its end."""
    start = time.perf_counter()
    trained = ours.fit(source.given, parts, seed, threads)
    seconds = time.perf_counter() - start
    found = ours.accuracy(trained.network, trained.encoder.batch(parts.dev))
    return {"seconds": seconds if found >= GOAL else math.inf, "accuracy": found}


def main() -> None:
    """Measures in turn, each round with another seed."""
    options = results.parser(__doc__)
    options.add_argument("--threads", type=int, default=1)
    arguments = options.parse_args()
    source = Source.read(arguments.raw)
    rows = 20_000 if arguments.quick else None
    parts = source.parts(1, rows, None, 200)
    torch.set_num_threads(arguments.threads)
    jobs: dict[str, Callable[[int], dict[str, float]]] = {
        readers.NOTEBOOK: lambda seed: of_notebook(parts, seed),
        readers.LSTM: lambda seed: of_lstm(source, parts, seed, arguments.threads),
        readers.DEFAULT: lambda seed: of_default(source, parts, seed, arguments.threads),
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in jobs}
    for seed in range(1, (2 if arguments.quick else ROUNDS) + 1):
        for name, job in jobs.items():
            found[name].append(job(seed))
            print(f"seed {seed}, {name}: {found[name][-1]}", file=sys.stderr, flush=True)
    times: clock.Times = {name: [one["seconds"] for one in each] for name, each in found.items()}
    content: dict[str, Any] = {
        "rows": len(parts.train),
        "threads": arguments.threads,
        "seconds": {name: clock.spread(each) for name, each in times.items()},
        "ratio": {name: clock.ratio(times[readers.NOTEBOOK], each) for name, each in times.items()},
        "each": found,
    }
    results.write("goal", content, arguments.quick)


if __name__ == "__main__":
    main()
