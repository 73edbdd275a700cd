"""Times and ratios: jobs taken in turn, so that a busy minute falls on all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Times = dict[str, list[float]]
"""Seconds of each job, round by round."""


def seconds(job: Callable[[], object]) -> float:
    """How long a job takes."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def alternate(jobs: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Times jobs in turn, each once a round.

    Args:
        jobs: by name.
        rounds: of all of them.
    """
    times: Times = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            times[name].append(seconds(job))
    return times


def spread(values: list[float]) -> dict[str, float]:
    """Median and range."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio(slow: list[float], fast: list[float]) -> dict[str, float]:
    """How many times longer the one took than the other: median and range over the rounds."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])
