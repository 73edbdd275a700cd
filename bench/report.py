"""The figures of all measurements as pages: bench/results.md and docs/results.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from bench import measure
from bench.experiment import BASELINES, MODELS, NOTEBOOK, SCORES
from bench.measure import REPO, Bar, bar, mean, spread
from esetrag.report.markdown import Row, table
from esetrag.scoring import reliability

Figures = dict[str, Any]
CHOICE, BOUND, REGRESSION = "dev's choice", "upper bound", "logistic_regression"
NOTE = "Whole test sets; intervals by Student's t over the samples."
WELL = 0.02
"""Largest calibration error that is asked for."""
LEAST = {1000: 99.44, 300: 99.1}
"""Accuracies in % that are asked for, by training words."""
LANGUAGES = """# Results by language and feature

Made by `python -m bench.languages FOLDER`, with the values of `params.yaml` for every row. Means over the
seeds, each with its own split by lemma, sample and training, on whole test sets. {cpu:.0f} CPU minutes in
all on {machine}, one thread. The baselines have the same rows, and are calibrated on dev as the models are.

- *strict*: correct predictions over pairs of form and label (± standard deviation over the seeds). With one
  label for each form, no model is better than the *upper bound*. *any*: share of the forms whose predicted
  label is one of theirs.
- *set F1*: of predicted label sets. *ECE*: expected calibration error in points, over the forms of all test
  sets. With few forms, part of it is chance: in simulations, a perfectly calibrated model has 2.5 on the
  1,225 forms of bel (1.7 to 3.4 in 90 % of them), and 0.6 on the 8,997 forms of two samples of isl.
- *lead*: difference in *any* to the best baseline, in points, with Student's 95 % interval over the seeds.
  **Bold**: the whole interval is below 0. *forms*: of the training and of the test set.
- *dev's choice*: for each seed, the model with the lowest loss on dev: the default, unless another model's
  loss is lower by 2 nats. The row *upper bound* says how many seeds chose each model.

[probing.md](probing.md) has words of running text, without lemmas.
"""


def percent(share: Figures, sign: str = "", dash: str = "–") -> str:
    """A mean in per cent with its interval."""
    value, *bounds = (f"{100 * share[key]:{sign}.2f}" for key in ("value", "low", "high") if key in share)
    return f"{value} ({dash.join(bounds)})" if bounds else value


def points(lead: Figures) -> str:
    """A difference in points with its interval."""
    return percent(lead, "+", " to ")


class Group:
    """The samples of one table, feature and size."""

    def __init__(self, samples: list[Figures]) -> None:
        """Adds what dev chose as one more model."""
        self.samples = samples
        for sample in samples:
            sample["models"][CHOICE] = sample["models"][sample["prefers"]]
            sample["bins"][CHOICE] = sample["bins"][sample["prefers"]]
        self.best = max(BASELINES, key=lambda name: self.mean(name)["value"])

    def values(self, name: str, score: str = "any_correct") -> list[float]:
        """A model's score of each sample."""
        return [sample["models"][name][score] for sample in self.samples]

    def mean(self, name: str, score: str = "any_correct") -> Figures:
        """The mean of that."""
        return mean(self.values(name, score))

    def average(self, key: str) -> float:
        """The mean of a number that is no score."""
        return float(np.mean([sample[key] for sample in self.samples]))

    def lead(self, name: str, other: str) -> Figures:
        """By how much a model is better than another one."""
        pairs = zip(self.values(name), self.values(other), strict=True)
        return mean([a - b for a, b in pairs])

    def errors(self, name: str) -> int:
        """Misclassified forms of all test sets."""
        tested = [sample["test"] for sample in self.samples]
        return round(float(np.dot(tested, np.subtract(1, self.values(name)))))

    def calibration_error(self, name: str) -> float:
        """Of the forms of all test sets together: in bins of few forms the gap is mostly chance."""
        rows = [row for sample in self.samples for row in sample["bins"][name]]
        bins = pd.DataFrame(rows, columns=["low", "forms", "confidence", "accuracy"])
        sums = bins[["confidence", "accuracy"]].mul(bins["forms"], axis=0).assign(forms=bins["forms"])
        sums = sums.groupby(bins["low"]).sum()
        return reliability.expected_error(sums.div(sums["forms"], axis=0).assign(forms=sums["forms"]))

    def chosen(self) -> str:
        """How often dev chose each model."""
        names = [sample["prefers"] for sample in self.samples]
        return ", ".join(f"{name} {names.count(name)}" for name in MODELS if name in names)


def groups(samples: Iterable[Figures], *keys: str) -> dict[tuple[Any, ...], Group]:
    """Samples by the values of some keys, sorted."""
    by_key: dict[tuple[Any, ...], list[Figures]] = {}
    for sample in samples:
        by_key.setdefault(tuple(sample[key] or 0 for key in keys), []).append(sample)
    return {key: Group(of_key) for key, of_key in sorted(by_key.items())}


def languages(samples: list[Figures]) -> str:
    """The table of all tables."""
    behind, badly = list[str](), list[str]()
    rows: list[Row] = []
    for (words, name, feature), group in groups(samples, "words", "table", "feature").items():
        title = f"{name}, {feature}" + ("" if words else ", all")
        sizes = f"{group.average('train'):,.0f} / {group.average('test'):,.0f}"
        for model in (*BASELINES, *MODELS, CHOICE):
            means = {score: group.mean(model, score) for score in SCORES}
            means["ece"]["value"] = error = group.calibration_error(model)
            cells = [f"{100 * each['value']:.2f}" for each in means.values()]
            if "deviation" in means["accuracy"]:
                cells[0] += f" ± {100 * means['accuracy']['deviation']:.2f}"
            ahead = {} if model in BASELINES else group.lead(model, group.best)
            is_behind = ahead.get("high", 0) < 0
            lead = points(ahead) if ahead else ""
            first = model == BASELINES[0]
            row = title if first else "", model, *cells, f"**{lead}**" if is_behind else lead
            rows.append((*row, sizes if first else ""))
            behind += [title] if is_behind and model == CHOICE else []
            badly += [f"{title} ({model} {100 * error:.2f})"] if ahead and error > WELL else []
        share = f"{100 * group.average('ambiguous') / group.average('test'):.1f} % ambiguous"
        strict = f"{100 * group.average('upper_bound'):.2f}"
        rows.append(("", BOUND, strict, "100", "100", "", f"dev's choice: {group.chosen()}", share))
    head = ("table, feature", "model", "strict", "any", "set F1", "ECE", "lead", "forms")
    cpu = sum(sample["cpu"] for sample in samples) / 60
    return "\n".join(
        [
            LANGUAGES.format(cpu=cpu, machine=platform.machine()),
            f"Whole interval of dev's choice below 0: {', '.join(behind) or 'nowhere'}.\\",
            f"Calibration errors above {100 * WELL:.0f} points: {', '.join(badly) or 'none'}.\n",
            table(head, rows, "llrrrrrr") + "\n",
        ]
    )


def goal(samples: list[Figures]) -> tuple[str, list[Bar]]:
    """The accuracies on the task's table, a table for each size; what is asked for."""
    text, bars = list[str](), list[Bar]()
    default = MODELS[0]
    for (words,), group in groups(samples, "words").items():
        size = f"{words:,} words" if words else f"All {group.average('train'):,.0f} words"
        trained = group.samples[0]["models"]
        names = [name for name in (*MODELS, CHOICE, *BASELINES, NOTEBOOK) if name in trained]
        rows = [
            (
                name,
                percent(group.mean(name)),
                group.errors(name),
                "" if name == default else points(group.lead(default, name)),
                "" if name == NOTEBOOK else f"{100 * group.calibration_error(name):.2f}",
            )
            for name in names
        ]
        head = ("model", "accuracy, %", "errors", f"lead of {default}, points", "ECE")
        text.append(f"### {size}, {len(group.samples)} samples, each with its own split and seed\n")
        text.append(f"{table(head, rows, 'lrrrr')}\n\nDev's choice: {group.chosen()}.\n")
        lead, accuracy = group.lead(default, REGRESSION), group.mean(default)
        if words:
            least, value = LEAST.get(words, 0.0), {"median": 100 * accuracy["value"]}
            bars.append(bar(f"accuracy, {size}, %", least, value, percent(accuracy)))
            value = {"median": lead.get("low", lead["value"])}
            bars.append(bar(f"lead on logistic regression, {size}, points", 0, value, points(lead)))
        else:
            share = spread([group.errors(default) / max(group.errors(REGRESSION), 1)])
            bars.append(bar("errors ÷ logistic regression's, all words", 0.8, share, at_most=True))
    return "\n".join([*text, *([NOTE] if text else [])]), bars


def machine() -> str:
    """What the figures were measured on."""
    path = Path("/proc/cpuinfo")
    names = re.findall(
        r"^model name\s*: (.*)", path.read_text("utf-8") if path.exists() else "", re.MULTILINE
    )
    model = next(iter(names), platform.machine())
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, PyTorch {torch.__version__}"


def measurements(quick: bool) -> str:
    """The page of accuracies on the task's table and of all times."""
    text, bars = goal(list(measure.read("goal", quick).values()))
    sections = [f"## Accuracy\n\n{text}"] if text else []
    for name, content in measure.read("sections", quick).items():
        bars += content["bars"]
        rows = table(content["head"], content["rows"], "l" + "r" * (len(content["head"]) - 1))
        sections.append(f"## {name[2:]}\n\n{content['text']}\n\n{rows}")
    intro = (
        f"# Measurements\n\n{machine()}. Made by `make bench`. Times and ratios are medians (range) of jobs "
    )
    intro += "done in turn.\n\n## Asked and measured\n\n"
    intro += table(("", "asked", "measured", "reached"), bars, "lrrl")
    return "\n\n".join([intro, *sections]) + "\n"


def write(quick: bool) -> None:
    """Writes both pages from the figures that there are; those of quick runs beside these."""
    samples = measure.read("languages", quick)
    folder, docs = (measure.folder(True),) * 2 if quick else (REPO / "bench", REPO / "docs")
    (folder / ("measurements.md" if quick else "results.md")).write_text(measurements(quick), "utf-8")
    if samples:
        (docs / "results.md").write_text(languages(list(samples.values())), "utf-8")


if __name__ == "__main__":
    write(measure.parser(__doc__).parse_args().quick)
