"""Trains the default reader once, on 1000 words, and prints the seconds."""

from __future__ import annotations

import time

import torch

from bench import ours, results
from bench.rows import Source


def main() -> None:
    """Times the training alone: rows are read, libraries imported before."""
    arguments = results.parser(__doc__).parse_args()
    torch.set_num_threads(1)
    source = Source.read(arguments.raw)
    parts = source.parts(1, 1000, 200, 200)
    start = time.perf_counter()
    ours.fit(source.given, parts)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
