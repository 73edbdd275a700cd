"""Training on many rows: words a second, and their share of what the processor's arithmetic allows.

The library's BiLSTM (``model.kind: lstm``) and the notebook's loop train the same network, in turn, with as
many threads; neither pays for an evaluation. The library's reads the end of a form alone, so it has less
arithmetic to do: each is held against the limit of its own.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import torch

from bench import clock, notebook, ours, readers, results
from bench.rows import Parts, Source, frame
from esetrag.symbols import encoding

ROUNDS, ROWS = 5, 20_000
NOTEBOOK, LSTM = readers.NOTEBOOK, readers.LSTM


def epoch_of_notebook(parts: Parts, seed: int) -> float:
    """Seconds of one epoch of the notebook's training."""
    return notebook.fit(frame(parts.train), None, seed, epochs=1).training[0]


def epoch_of_ours(source: Source, parts: Parts, seed: int, threads: int) -> float:
    """Seconds of one epoch of the library's, with so few dev rows that they cost nothing."""
    told: list[float] = []
    given = ours.changed(source.given, ours.LSTM_ALL)
    given = ours.changed(given, {"train": {"epochs": 1}})
    ours.fit(given, parts, seed, threads, [lambda _: told.append(time.perf_counter())])
    return told[1] - told[0]


def throughput(source: Source, parts: Parts, rounds: int, threads: int) -> dict[str, Any]:
    """Words a second of both loops, in turn."""
    torch.set_num_threads(threads)
    times: clock.Times = {NOTEBOOK: [], LSTM: []}
    peaks = []
    for seed in range(1, rounds + 1):
        peaks += [peak_of_products() for _ in range(3)]
        times[NOTEBOOK].append(epoch_of_notebook(parts, seed))
        times[LSTM].append(epoch_of_ours(source, parts, seed, threads))
        print(f"{threads} thread(s), epoch {seed}:", {k: v[-1] for k, v in times.items()}, file=sys.stderr)
    rates = {name: clock.spread([len(parts.train) / s for s in each]) for name, each in times.items()}
    faster = clock.ratio(times[NOTEBOOK], times[LSTM])
    flop = {
        NOTEBOOK: flop_per_word(parts, None),
        LSTM: flop_per_word(parts, ours.LSTM_ALL["encode_pad"]["max_symbols"]),
    }
    limits = {name: max(peaks) / each for name, each in flop.items()}
    return {
        "threads": threads,
        "words_per_second": rates,
        "ratio": faster,
        "peak_flops": max(peaks),
        "flop_per_word": flop,
        "limit_words_per_second": limits,
        "share_of_limit": {name: rate["median"] / limits[name] for name, rate in rates.items()},
    }


def flop_per_word(parts: Parts, most: int | None) -> float:
    """Arithmetic of forward and backward pass through both directions of the LSTM, a training word.

    Args:
        parts: rows.
        most: symbols that are read of a form; None is all.
    """
    embedding, hidden = 30, 64
    symbols = float(frame(parts.train)["form"].str.len().clip(upper=most).mean()) + encoding.MARKS
    # Two directions, a multiplication and a sum.
    forward = 2 * 2 * 4 * hidden * (embedding + hidden) * symbols
    return 3 * forward  # the backward pass has two products for each of the forward's


def peak_of_products(size: int = 1024) -> float:
    """FLOP a second of a product of large float32 matrices, with the threads set."""
    a, b = torch.rand(size, size), torch.rand(size, size)
    return 2 * size**3 / clock.seconds(lambda: a @ b)


def main() -> None:
    """Measures with one thread and with two."""
    options = results.parser(__doc__)
    options.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = options.parse_args()
    source = Source.read(arguments.raw)
    parts = source.parts(1, 5000 if arguments.quick else ROWS, 200, 200)
    rounds = 1 if arguments.quick else ROUNDS
    each = [throughput(source, parts, rounds, threads) for threads in arguments.threads]
    results.write("throughput", {"rows": len(parts.train), "rounds": rounds, "each": each}, arguments.quick)


if __name__ == "__main__":
    main()
