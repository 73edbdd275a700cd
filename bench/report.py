"""The figures of all measurements as a page: bench/results.md, and a picture beside it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench import picture, readers, results
from bench.child import REPO
from esetrag.report.markdown import Row, table

Figures = dict[str, Any]


def percent(share: Figures) -> str:
    """A mean in per cent with its interval."""
    return f"{100 * share['value']:.2f} ({100 * share['low']:.2f}–{100 * share['high']:.2f})"


def points(lead: Figures) -> str:
    """A difference in points with its interval."""
    return f"{100 * lead['value']:+.2f} ({100 * lead['low']:+.2f} to {100 * lead['high']:+.2f})"


def median(spread: Figures) -> str:
    """Seconds, ratios, words a second: median and range."""
    return f"{_short(spread['median'])} ({_short(spread['low'])}–{_short(spread['high'])})"


def _short(value: float) -> str:
    digits = next((digits for least, digits in ((100, 0), (10, 1), (0.1, 2)) if value >= least), 4)
    return f"{value:,.{digits}f}"


def machine() -> str:
    """What the figures were taken on."""
    place = Path("/proc/cpuinfo")
    lines = place.read_text("utf-8").splitlines() if place.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    model = next(iter(models), platform.machine())
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, PyTorch {torch.__version__}"


def _accuracy(found: Figures) -> str:
    titles = {
        "small": "{train:,} words, {samples} samples, each of its own split, draw and seed",
        "few": "{train:,} words, likewise",
        "all": "All {train:,} words, {samples} splits",
        "networks": f"All words, the notebook's loop for {readers.EPOCHS} epochs, {{samples}} splits",
    }
    text = ""
    for regime, title in titles.items():
        if regime not in found:
            continue
        given = found[regime]["readers"]
        first = next(iter(given))
        rows = []
        for name, one in given.items():
            sure = (percent(one["accuracy"]), sum(one["errors"]))
            other = (points(lead(found, regime, name)), median(one["longer"])) if name != first else ("", "")
            rows.append((name, *sure, other[0], _short(one["seconds"]["median"]), other[1]))
        head = ("reader", "accuracy, %", "errors", f"lead of {first}, points", "seconds", "times as long")
        text += f"### {title.format(**found[regime])}\n\n{table(head, rows, 'lrrrrr')}\n\n"
    text += (
        "One thread; tested on the whole test part. Intervals by Student's t over the samples; those of the\n"
    )
    return text + "leads over fewer than five splits by bootstrap over the lemmas of all test parts."


def lead(accuracy: Figures, regime: str, name: str) -> Figures:
    """How much better than a reader the first of the regime is; over few splits by bootstrap over lemmas."""
    chosen = "lead" if accuracy[regime]["samples"] >= 5 else "lead_over_lemmas"
    found: Figures = accuracy[regime]["readers"][name][chosen]
    return found


def _tables(found: Figures) -> str:
    others = (readers.LR, readers.SVC, readers.SUFFIX)
    rows: list[Row] = []
    for name, each in found.items():
        of = each["readers"]
        leads = [points(of[other]["lead"]) for other in others]
        rows.append((name, f"{100 * each['ceiling']:.2f}", percent(of[readers.DEFAULT]["accuracy"]), *leads))
    head = ("table", "strict ceiling, %", "esetrag, %", *(f"lead on {other}" for other in others))
    samples = next(iter(found.values()))["samples"]
    intro = (
        f"The default configuration, 1000 rows, {samples} samples. Right is a value that the form bears; "
        "the strict ceiling is that of one value a form where all of them count."
    )
    return f"{intro}\n\n" + table(head, rows, "lrrrrr")


def _throughput(found: Figures) -> str:
    rows: list[Row] = []
    for each in found["each"]:
        for name, rate in each["words_per_second"].items():
            ratio = median(each["ratio"]) if name == readers.LSTM else ""
            flop, limit = f"{each['flop_per_word'][name] / 1e6:.2f}", each["limit_words_per_second"][name]
            share = f"{each['share_of_limit'][name]:.0%} of {_short(limit)}"
            rows.append((each["threads"], name, median(rate), ratio, flop, share))
    head = ("threads", "training", "words a second", "times the notebook's", "MFLOP a word", "of the limit")
    peaks = ", ".join(f"{each['peak_flops'] / 1e9:.0f}" for each in found["each"])
    text = f"{found['rows']:,} rows, {found['rounds']} epochs in turn. The limit is that of matrix products"
    return f"{text}: {peaks} GFLOP/s.\n\n" + table(head, rows, "rlrrrr")


def _goal(found: Figures) -> str:
    rows = [(name, median(each), median(found["ratio"][name])) for name, each in found["seconds"].items()]
    text = f"{found['rows']:,} rows, {len(found['each'][readers.LSTM])} seeds, {found['threads']} thread. "
    text += (
        "The networks are looked at each quarter of an epoch, the clock stopped; the default reader's time\n"
    )
    text += "is that of its whole training, vocabulary and encoding included.\n\n"
    return text + table(("training", "seconds", "notebook's ÷ its"), rows, "lrr")


def _encoding(found: Figures) -> str:
    jobs = {
        "encode": "forms and labels to ids",
        "read": "parquet to tensors",
        "lists": "parquet to tensors, arrays made lists again first",
    }
    rows = []
    for job, what in jobs.items():
        theirs = found["seconds"][f"{job}, notebook"]["median"]
        own = found["seconds"]["encode, ours" if job == "encode" else "read, ours"]["median"]
        rows.append((what, f"{1000 * theirs:.1f}", f"{1000 * own:.1f}", median(found[job])))
    head = ("", "pandas as in the notebook, ms", "esetrag, ms", "ratio")
    return f"{found['rows']:,} rows, {found['rounds']} rounds.\n\n" + table(head, rows, "lrrr")


def _prediction(found: Figures) -> str:
    rows = [(name, median(rate)) for name, rate in found["rates"].items()]
    text = f"{found['rounds']} rounds, {found['threads']} thread.\n\n"
    return text + table(("reading", "words a second"), rows, "lr")


def _pipelines(found: Figures) -> str:
    rows = []
    for name, each in found["seconds"].items():
        peak = found["peak"].get(name)
        rows.append((name, median(each), f"{peak:,.0f}" if peak else ""))
    text = (
        f"{found['rounds']} rounds; *parts*: `dvc repro -f` of six `cp`, the two imports, training alone.\n\n"
    )
    return text + table(("command", "seconds", "peak, MiB"), rows, "lrr")


def _stages(found: Figures) -> str:
    rows: list[Row] = []
    for stage in found["stages"]["now"]:
        cells: list[str] = []
        for when in ("before", "now"):
            one = found["stages"][when][stage]
            cells += [f"{one['seconds']['median']:.2f}", f"{one['imports']:.2f}", f"{one['peak']:.0f}"]
        rows.append((stage, *cells))
    head = ("stage", "before, s", "imports", "MiB", "now, s", "imports", "MiB")
    text = f"Each script alone, {found['rounds']} rounds; before is commit {found['before']}.\n\n"
    return text + table(head, rows, "lrrrrrr")


def _growth(found: Figures) -> str:
    rows: list[Row] = []
    for size, commands in found.items():
        for name, one in commands.items():
            each = 1e6 * one["seconds"] / int(size), 1024 * one["peak"] / int(size)
            cells = (f"{one['seconds']:.1f}", f"{each[0]:,.1f}", f"{one['peak']:,.0f}", f"{each[1]:,.1f}")
            rows.append((f"{int(size):,}", name, *cells))
    head = ("rows", "command", "seconds", "µs a row", "peak, MiB", "KiB a row")
    return "Whole processes, imports included; all rows are used.\n\n" + table(head, rows, "rlrrrr")


SECTIONS: dict[str, tuple[str, Callable[[Figures], str]]] = {
    "accuracy": ("Accuracy", _accuracy),
    "tables": ("Other tables", _tables),
    "throughput": ("Training the LSTM", _throughput),
    "goal": ("Time to 99 % on dev", _goal),
    "encoding": ("Encoding", _encoding),
    "prediction": ("Prediction", _prediction),
    "pipelines": ("Whole pipelines", _pipelines),
    "stages": ("Stage by stage", _stages),
    "growth": ("Growth", _growth),
}


def asked(found: Figures) -> list[Row]:
    """What was asked for, what was measured, and whether it is reached."""
    rows: list[Row] = []

    def bar(what: str, least: float, value: float, text: str, top: bool = False) -> None:
        reached = value <= least if top else value >= least
        rows.append((what, f"{'≤' if top else '≥'} {least:,.6g}", text, "yes" if reached else "**no**"))

    if of := found.get("accuracy"):
        first, lr = readers.DEFAULT, readers.LR
        share = of["small"]["readers"][first]["accuracy"]
        bar("accuracy, 1000 words, %", 99.3, 100 * share["value"], percent(share))
        for regime in ("small", "few"):
            gain = lead(of, regime, lr)
            bar(
                f"lead on logistic regression, {of[regime]['train']:,} words, points",
                0,
                gain["low"],
                points(gain),
            )
        if "all" in of:
            errors = [sum(of["all"]["readers"][name]["errors"]) for name in (first, lr)]
            part = errors[0] / errors[1]
            bar("errors ÷ logistic regression's, all words", 0.8, part, f"{part:.2f}", top=True)
            gain = lead(of, "networks", readers.NOTEBOOK)
            bar("LSTM's lead on the notebook's loop, all words, points", 0, gain["high"], points(gain))
    for name, each in found.get("tables", {}).items():
        others = [one["lead"] for other, one in each["readers"].items() if other != readers.DEFAULT]
        least = min(others, key=lambda one: float(one["high"]))
        bar(f"{name}, 1000 rows: lead on the best other reader, points", 0, least["high"], points(least))
    ratios: list[tuple[str, str, str, float, bool]] = [
        ("pipelines", "naive_to_ours", "notebook-like pipeline ÷ ours, `dvc repro -f`", 3, False),
        ("pipelines", "ours_to_parts", "ours ÷ (DVC, imports, training alone)", 2.5, True),
        ("pipelines", "no_op_to_floor", "no-op ÷ DVC's floor", 1.1, True),
        ("encoding", "encode", "encoding: notebook's time ÷ ours", 10, False),
        ("encoding", "read", "parquet to tensors: notebook's time ÷ ours", 20, False),
    ]
    for each in found.get("throughput", {"each": []})["each"]:
        what = f"LSTM's training rate ÷ the notebook's, {each['threads']} thread(s)"
        bar(what, 4, each["ratio"]["median"], median(each["ratio"]))
    if of := found.get("goal"):
        ratio = of["ratio"][readers.LSTM]
        bar("notebook's time to 99 % on dev ÷ the LSTM's", 7, ratio["median"], median(ratio))
    for measured, key, what, bound, top in ratios:
        if of := found.get(measured):
            bar(what, bound, of[key]["median"], median(of[key]), top)
    if of := found.get("prediction"):
        rate = of["rates"]["esetrag, bulk"]
        bar("bulk prediction, words a second, one thread", 100_000, rate["median"], median(rate))
    if of := found.get("growth"):
        peaks = [
            f"{of[size]['predict']['peak']:,.0f} MiB at {int(size):,}"
            for size in (min(of, key=int), max(of, key=int))
        ]
        rows.append(("`esetrag predict`, peak memory", "bounded", ", ".join(peaks), ""))
    return rows


def page(found: Figures) -> str:
    """The page of what was measured.

    Args:
        found: figures by measurement, those that are there.
    """
    text = f"# Measurements\n\n{machine()}. Made by `make bench`. Times and ratios are medians (range) "
    text += "of jobs taken in turn.\n\n![Accuracy, training, pipelines, growth](results.png)\n\n"
    text += (
        "## Asked and measured\n\n" + table(("", "asked", "measured", "reached"), asked(found), "lrrl") + "\n"
    )
    for name, (title, show) in SECTIONS.items():
        text += f"\n## {title}\n\n{show(found[name])}\n" if name in found else ""
    return text


def main() -> None:
    """Writes both."""
    quick: bool = results.parser(__doc__).parse_args().quick
    found = {name: content for name in SECTIONS if (content := results.read(name, quick)) is not None}
    folder = results.folder(True) if quick else REPO / "bench"
    (folder / "results.md").write_text(page(found), "utf-8")
    picture.draw(found, folder / "results.png")


if __name__ == "__main__":
    main()
