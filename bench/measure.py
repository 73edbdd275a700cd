"""What all measurements share: options, times in turn, means, and their figures as JSON in bench/.results."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[1]
RAW, TASK = "data/raw/hun.tsv.gz", "hun-noun-case"
FOLDER = REPO / "bench/.results"
CONFIDENCE = 0.95
Jobs = Mapping[str, Callable[[], object]]
Times = dict[str, list[float]]
"""Seconds of each job, round by round."""
Spread = dict[str, float]
"""Median, low and high of some rounds."""
Bar = tuple[str, str, str, str]


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all measurements have."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="few rounds and few rows: a test, no result")
    options.add_argument("--raw", type=Path, default=REPO / RAW, help="a table in place of the task's")
    return options


def folder(quick: bool) -> Path:
    """Where figures are; those of a quick run apart from the others."""
    return FOLDER / "quick" if quick else FOLDER


def write(name: str, content: Any, quick: bool) -> None:
    """Writes figures, whole or not at all."""
    path = folder(quick) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    part.replace(path)


def read(group: str, quick: bool) -> dict[str, Any]:
    """All figures of a group by name, sorted."""
    paths = sorted((folder(quick) / group).glob("*.json"))
    return {path.stem: json.loads(path.read_text("utf-8")) for path in paths}


def bar(what: str, bound: float, values: Spread, text: str = "", at_most: bool = False) -> Bar:
    """A row of the table of what is asked for and what was measured; the median counts."""
    reached = values["median"] <= bound if at_most else values["median"] >= bound
    sign = "≤" if at_most else "≥"
    return what, f"{sign} {bound:,.6g}", text or median(values), "yes" if reached else "**no**"


def write_section(
    name: str,
    text: str,
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    quick: bool,
    bars: Sequence[Bar] = (),
) -> None:
    """Writes a measurement as a section of bench/results.md: a sentence, a table, and rows of ``bar``."""
    write(f"sections/{name}", {"text": text, "head": head, "rows": rows, "bars": bars}, quick)


def alternate(jobs: Jobs, rounds: int) -> Times:
    """Times jobs in turn, each once a round, so that a busy minute slows all of them alike."""
    times: Times = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return times


def spread(values: Sequence[float]) -> Spread:
    """Median and range."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio(slow: Sequence[float], fast: Sequence[float]) -> Spread:
    """How many times longer the first took than the second: median and range over the rounds."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])


def median(values: Spread) -> str:
    """Median and range as text; the value alone if there is one."""
    if values["low"] == values["high"]:
        return short(values["median"])
    return f"{short(values['median'])} ({short(values['low'])}–{short(values['high'])})"


def short(value: float) -> str:
    """A number with about three digits."""
    digits = next((digits for least, digits in ((100, 0), (10, 1), (0.1, 2)) if value >= least), 4)
    return f"{value:,.{digits}f}"


def mean(values: Sequence[float]) -> dict[str, float]:
    """Mean with its interval by Student's t, and standard deviation; one value has the value alone."""
    from scipy import stats

    value = statistics.mean(values)
    if len(values) == 1:
        return {"value": value}
    deviation = statistics.stdev(values)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * deviation / len(values) ** 0.5
    return {"value": value, "low": value - half, "high": value + half, "deviation": deviation}


def percent(shares: list[float], places: int = 2) -> str:
    """The mean of some shares in per cent, with Student's interval if there are several."""
    figures = mean(shares)
    bounds = f" ({100 * figures['low']:.1f}–{100 * figures['high']:.1f})" if len(shares) > 1 else ""
    return f"{100 * figures['value']:.{places}f}{bounds}"
