"""Several features at once: python -m bench.bundles FOLDER. Writes a table into docs/bundles.md.

FOLDER holds UniMorph tables (``isl.tsv``). Each seed has its own split by lemma, draw and training. The model
of bundles, that of each feature alone and the baselines are trained on the same rows and tested on the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import torch

from bench import experiment, measure
from bench.measure import REPO, mean
from esetrag.core import config, features
from esetrag.core.layout import PARAMS
from esetrag.data import label_sets, sampling, unimorph
from esetrag.data.bundles import features_of
from esetrag.data.selection import select
from esetrag.report.markdown import table
from esetrag.scoring import calibration
from esetrag.tasks import classify, evaluation
from esetrag.tasks.classify import Classify
from esetrag.training import trainer

GROUP, ROWS, TEST, MODEL = "bundles", 1000, 4000, "bilstm"
PAGE = REPO / "docs/bundles.md"
BEGIN, END = "<!-- figures: python -m bench.bundles FOLDER -->", "<!-- end of figures -->"
Tables = dict[str, tuple[Path, str, list[str]]]
"""By name: file, part of speech, features."""
Figures = dict[str, float]


def tables(raw: Path, folder: Path | None) -> Tables:
    """What is measured."""
    found: Tables = {"Hungarian nouns (embedded)": (raw, "N", ["Case", "Number"])}
    if folder:
        found |= {
            "Icelandic nouns": (folder / "isl.tsv", "N", ["Case", "Number", "Definiteness"]),
            "Estonian nouns": (folder / "est.tsv", "N", ["Case", "Number"]),
            "Romanian nouns": (folder / "ron.tsv", "N", ["Case", "Number", "Definiteness"]),
        }
    return found


def run(path: Path, pos: str, asked: list[str], seed: int, params: config.Params) -> Figures:
    """Shares of one seed, by ``score`` of the bundle, ``joint feature`` and ``single feature``."""
    start = time.process_time()
    rows = select(unimorph.batches(path), path, pos, asked).table
    drawn = {"split": "lemma", "seed": 200 + seed, "train": ROWS, "test": TEST}
    sample = params.sample.model_copy(update=drawn)
    parts = sampling.draw(sampling.split(rows, sample), sample)
    data = experiment.data_of(parts, params)
    options, model = experiment.options_of(params, data, seed), params.resolve(MODEL)
    output = trainer.fit(data, model, options).output(data, data.encode(parts["test"]), params.calibration)
    labels = data.vocabulary.labels
    present = [feature.name for feature in features_of(labels, asked)]
    quickly = params.evaluate.model_copy(update={"resamples": 100})  # intervals are those over seeds
    tested = evaluation.evaluate(
        Classify(), parts, {MODEL: output}, labels, quickly, params.calibration, dimensions=present
    ).figures
    made: Figures = {"bundles": len(labels), "test": len(parts["test"])}
    for name in (MODEL, *tested["baselines"]):
        made |= {f"{name} {score}": tested["models"][name][score] for score in experiment.SCORES}
    for name in present:
        made[f"joint {name}"] = tested["features"][name][MODEL]["accuracy"]
        made[f"suffix {name}"] = tested["features"][name]["longest_suffix"]["accuracy"]
        alone = {part: of_feature(rows, name) for part, rows in parts.items()}
        own = experiment.data_of(alone, params)
        found = trainer.fit(own, model, options).output(own, own.encode(alone["test"]), params.calibration)
        true = classify.true_labels(alone["test"], own.vocabulary.labels)
        made[f"single {name}"] = float(calibration.correct(found.probabilities, true).mean())
    return {**made, "seconds": time.process_time() - start}


def of_feature(rows: pa.Table, name: str) -> pa.Table:
    """Rows whose labels are the values of one feature of their bundles; absent is a value."""
    labels = label_sets.names(rows["label"])
    (feature,) = features_of(labels, [name])
    chosen = feature.true(label_sets.matrix(rows["label"], labels))
    values = pa.array(label_sets.labels(chosen, feature.values), pa.string())
    return rows.set_column(rows.column_names.index("label"), "label", values)


def page(results: dict[str, list[Figures]]) -> str:
    """Two tables: the exact bundle, and each feature beside its own model."""
    whole, single = [], []
    for name, runs in results.items():
        exact, lead = columns(runs, f"{MODEL} any_correct", "longest_suffix any_correct")
        others = [cell([run[f"{MODEL} {score}"] for run in runs]) for score in ("set_f1", "ece")]
        suffix = cell([run["longest_suffix any_correct"] for run in runs])
        regression = cell([run["logistic_regression any_correct"] for run in runs])
        whole.append((name, str(int(runs[0]["bundles"])), exact, suffix, lead, regression, *others))
        for feature in features.DIMENSIONS:
            if f"joint {feature}" in runs[0]:
                joint, ahead = columns(runs, f"joint {feature}", f"single {feature}")
                rest = (cell([run[f"{kind} {feature}"] for run in runs]) for kind in ("single", "suffix"))
                single.append((name, feature, joint, *rest, ahead))
    head = (
        "table",
        "bundles",
        "exact bundle",
        "longest-suffix baseline",
        "lead",
        "logistic regression",
        "set F1",
        "ECE",
    )
    names = (
        *("table", "feature", "joint model", "single-feature model"),
        *("longest-suffix baseline", "difference"),
    )
    return f"{table(head, whole, 'lrrrrrrr')}\n\n{table(names, single, 'llrrrr')}"


def columns(runs: list[Figures], ours: str, other: str) -> tuple[str, str]:
    """Our share, and by how much it is ahead, with Student's interval over the seeds."""
    ahead = mean([run[ours] - run[other] for run in runs])
    bounds = f" ({100 * ahead['low']:+.2f} to {100 * ahead['high']:+.2f})" if "low" in ahead else ""
    return cell([run[ours] for run in runs]), f"{100 * ahead['value']:+.2f}{bounds}".replace("-", "−")


def cell(shares: list[float]) -> str:
    """A mean in per cent."""
    return f"{100 * mean(shares)['value']:.2f}"


def jobs(arguments: dict[str, list[Figures]], seeds: int) -> Iterator[tuple[str, int]]:
    """What is not measured yet: one seed of all tables after the other."""
    for seed in range(1, seeds + 1):
        yield from ((name, seed) for name, runs in arguments.items() if len(runs) < seed)


def main() -> None:
    """Measures what is not measured yet, and writes the page."""
    options = measure.parser(__doc__)
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--seeds", type=int, default=3)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    params, asked = config.load(REPO / PARAMS), tables(arguments.raw, arguments.folder)
    known = measure.read(GROUP, arguments.quick)
    results: dict[str, list[Figures]] = {name: known.get(name, []) for name in asked}
    for name, seed in jobs(results, arguments.seeds):
        results[name].append(run(*asked[name], seed, params))
        measure.write(f"{GROUP}/{name}", results[name], arguments.quick)
        print(name, seed, {key: round(value, 4) for key, value in results[name][-1].items()}, flush=True)
    text = page(results)
    if not arguments.quick:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
