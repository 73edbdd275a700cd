"""Every reader on every table and feature, one configuration: python -m bench.languages FOLDER.

Writes docs/results.md. Each row is the mean over several splits, samples and training seeds, on the
whole test part. Nothing is chosen here: the parameters are those of params.yaml.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from bench import ours, results
from bench.child import REPO
from bench.rows import Source
from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.report import markdown
from esetrag.scoring import calibration, reliability
from esetrag.symbols.batch import score
from esetrag.tasks import evaluation
from esetrag.tasks.baselines import NAMES as BASELINES

READER = "reader"
SEEDS = 10
WORDS = 1000
FEATURES = ("Case", "Number")
NAMES = {
    "majority": "commonest value",
    "longest_suffix": "longest suffix",
    "logistic_regression": "suffix regression",
    READER: "**esetrag**",
}
COLUMNS = ("accuracy", "any_correct", "set_f1", "ece")
EMBEDDED = "hun (embedded)"
INTRODUCTION = """# Results by language and feature

Made by `python -m bench.languages FOLDER`: one configuration for every row, that of `params.yaml`; means over
{seeds} splits by lemma, samples and training seeds, on whole test parts. {minutes:.0f} CPU minutes in all on
{machine}, one thread, baselines and bootstrap included.

- *strict*: share of the pairs of form and value whose value is read, with the deviation over the seeds. A
  reader that gives one value a form cannot pass the *ceiling*.
- *any*: share of the forms whose value read is one that they bear.
- *set F1*: of the sets of values read against the true sets, over all pairs.
- *ECE*: expected calibration error in points, 15 bins over the forms of all test parts, after the temperature
  that was fitted on dev.
- *lead*: of esetrag's *any* on the best baseline's, in points, with Student's interval over the seeds;
  *resolves*: what difference one test part can tell.
- *forms*: of the training and of the test part; how many of these bear several values.

How much the lemmas that a form could come from count beside its n-grams, dev decides for each row and
split (`model.lemmas` is where it starts).

The baselines are trained on the same forms, and calibrated on dev as the reader is. *Suffix regression* is
scikit-learn's recipe of counts of suffixes 1-8 and logistic regression.
"""


def tasks(folder: Path | None) -> Iterator[tuple[str, str, Source]]:
    """Name, feature and rows of every task there is: the embedded table, then those of a folder."""
    for raw in [None, *sorted(folder.glob("*.tsv") if folder else ())]:
        for feature in FEATURES:
            try:
                yield (raw.stem if raw else EMBEDDED), feature, Source.read(raw, feature)
            except DataError:  # a table without the feature
                continue


def measured(source: Source, words: int | None, seed: int) -> dict[str, Any]:
    """The figures of one split, sample and training, as the evaluate stage has them, and CPU seconds."""
    start = time.process_time()
    given = source.given
    parts = source.parts(seed, words, given.sample.dev)
    trained = ours.fit(given, parts, seed)
    encoded = {part: trained.encoder.encode(getattr(parts, part)) for part in ("dev", "test")}
    logits = {
        part: score(trained.network, trained.encoder.batch(getattr(parts, part))).numpy() for part in encoded
    }
    head = given.model.head
    fitted = calibration.fit(logits["dev"], encoded["dev"].targets, head, given.calibration)
    shares = calibration.probabilities(logits["test"], head, fitted).astype(np.float32)
    rows = {"train": parts.train, "dev": parts.dev, "test": parts.test}
    read = calibration.ModelOutput(shares, fitted, head)
    labels = trained.encoder.vocabulary.labels
    found = evaluation.evaluate(rows, {READER: read}, labels, given.evaluate, given.calibration)
    seconds = time.process_time() - start
    return {
        **found.figures,
        **found.figures["models"],
        "train": len(parts.train),
        "seconds": seconds,
        "bins": found.reliability,
    }


def pooled(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the seeds; of the lead on each baseline also its interval by Student's t.

    The calibration error is that of the forms of all test parts together: in bins of few forms the gap
    between confidence and accuracy is mostly chance.
    """
    from scipy import stats

    of: dict[str, Any] = {
        name: {column: float(np.mean([one[name][column] for one in found])) for column in COLUMNS}
        for name in NAMES
    }
    for name in NAMES:
        of[name]["ece"] = _expected_error([one["bins"] for one in found], name)
    of[READER]["deviation"] = float(np.std([one[READER]["accuracy"] for one in found], ddof=1))
    leads = {}
    for name in BASELINES:
        lead = np.array([one[READER]["any_correct"] - one[name]["any_correct"] for one in found])
        half = stats.t.ppf(0.975, len(lead) - 1) * lead.std(ddof=1) / np.sqrt(len(lead))
        leads[name] = {
            "value": float(lead.mean()),
            "low": float(lead.mean() - half),
            "high": float(lead.mean() + half),
        }
    best = min(leads, key=lambda name: leads[name]["value"])
    return {
        **of,
        "ceiling": float(np.mean([one["upper_bound"]["accuracy"] for one in found])),
        "lead": {**leads[best], "on": best},
        "train": round(float(np.mean([one["train"] for one in found]))),
        "test": round(float(np.mean([one["rows"] for one in found]))),
        "several": float(np.mean([one["ambiguous_forms"] / one["rows"] for one in found])),
        "resolution": float(np.mean([one["resolution"] for one in found])),
        "seconds": float(np.sum([one["seconds"] for one in found])),
    }


def _expected_error(bins: list[pd.DataFrame], name: str) -> float:
    own = pd.concat([table[table["model"] == name] for table in bins])
    sums = (
        own.assign(confidence=own["confidence"] * own["forms"], accuracy=own["accuracy"] * own["forms"])
        .groupby("low")[["forms", "confidence", "accuracy"]]
        .sum()
    )
    means = sums[["confidence", "accuracy"]].div(sums["forms"], axis=0)
    return reliability.expected_error(means.assign(forms=sums["forms"]))


def page(found: list[dict[str, Any]], seeds: int) -> str:
    """docs/results.md."""
    minutes = sum(task["seconds"] for task in found) / 60
    text = [INTRODUCTION.format(seeds=seeds, minutes=minutes, machine=platform.machine())]
    for words in sorted({task["words"] or 0 for task in found}):
        text.append(f"## Trained on {words:,} forms\n" if words else "## Trained on all forms\n")
        rows: list[tuple[str, ...]] = []
        for task in found:
            if (task["words"] or 0) == words:
                rows += _rows(task)
        head = ("table, feature", "reader", "strict", "any", "set F1", "ECE", "lead", "forms")
        text += [markdown.table(head, rows, "llrrrrrr"), ""]
    return "\n".join(text)


def _rows(task: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for number, (name, shown) in enumerate(NAMES.items()):
        cells = [f"{100 * task[name][column]:.2f}" for column in COLUMNS]
        title = f"{task['table']}, {task['feature']}" if not number else ""
        sizes = f"{task['train']:,} / {task['test']:,}" if not number else ""
        lead = ""
        if name == READER:
            low, value, high = (f"{100 * task['lead'][key]:+.2f}" for key in ("low", "value", "high"))
            lead = f"{value} ({low} to {high})"
            cells[0] += f" ± {100 * task[READER]['deviation']:.2f}"
        rows.append((title, shown, *cells, lead, sizes))
    several = f"{100 * task['several']:.1f} % of several values"
    resolves = f"resolves {100 * task['resolution']:.2f}"
    rows.append(("", "ceiling", f"{100 * task['ceiling']:.2f}", "100", "100", "", resolves, several))
    return rows


def main() -> None:
    """Measures everything and writes the page."""
    options = results.parser(__doc__)
    options.add_argument("folder", type=Path, nargs="?", help="with UniMorph tables, *.tsv")
    options.add_argument("--all", action="store_true", help="also with all training forms; takes long")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    seeds = 2 if arguments.quick else SEEDS
    found = []
    for table, feature, source in tasks(arguments.folder):
        for words in [WORDS, *([None] if arguments.all else [])]:
            of_seeds = [measured(source, words, seed) for seed in range(1, seeds + 1)]
            task = {"table": table, "feature": feature, "words": words, **pooled(of_seeds)}
            found.append(task)
            lead = {key: round(100 * task["lead"][key], 2) for key in ("value", "low", "high")}
            print(table, feature, words, {n: round(100 * task[n]["any_correct"], 2) for n in NAMES}, lead,
                  f"ECE {100 * task[READER]['ece']:.2f}", f"{task['seconds']:.0f} s", flush=True)  # fmt: skip
    results.write("languages", found, arguments.quick)
    if not arguments.quick:
        files.write_text(REPO / "docs/results.md", page(found, seeds))


if __name__ == "__main__":
    main()
