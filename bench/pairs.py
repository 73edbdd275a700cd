"""Pairs over several splits: python -m bench.pairs. Writes a table into docs/pairs.md."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench import measure
from bench.measure import REPO, mean
from esetrag import tasks
from esetrag.core import config
from esetrag.core.layout import PARAMS, PARTS
from esetrag.data.source import Source
from esetrag.report.markdown import table
from esetrag.report.results import NAMES
from esetrag.symbols import encoding
from esetrag.tasks import evaluation
from esetrag.tasks.base import Task
from esetrag.tasks.pair import Pair
from esetrag.training import trainer
from esetrag.training.data import Data

TASK, PAGE = "hun-valid", REPO / "docs/pairs.md"
BEGIN, END = "<!-- figures: python -m bench.pairs -->", "<!-- end of figures -->"


def run(
    entry: config.BuiltPairsTask, params: config.Params, seed: int, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Accuracy and AUC of the model and of its baselines on the test rows of a split, CPU seconds."""
    sample = params.section_of(TASK, config.Sample).model_copy(update={"seed": seed})
    options = params.section_of(TASK, config.Train).model_copy(
        update={"seed": seed, "device": "cpu", **changes}
    )
    parts = Source.load(entry).parts(sample)[1]
    data, test = data_of(tasks.of(entry), parts, params)
    start = time.process_time()
    trained = trainer.fit(data, params.resolve(entry.model), options)
    seconds = time.process_time() - start
    outputs = {"model": trained.output(data, test, params.calibration)}
    labels = data.vocabulary.labels
    tested = evaluation.evaluate(Pair(), parts, outputs, labels, params.evaluate, params.calibration)
    models = tested.figures["models"]
    return {"seconds": seconds, **{n: [f["accuracy"], f.get("auc")] for n, f in models.items()}}


def data_of(task: Task, parts: Mapping[str, pa.Table], params: config.Params) -> tuple[Data, Any]:
    """What a training starts from, and the encoded test rows."""
    vocabulary = task.vocabulary([parts["train"]], params.build_vocab)
    width = max(encoding.width_of(task.texts(rows, vocabulary), None) for rows in parts.values())
    train, dev, test = (task.encode(parts[part], vocabulary, width, "end", 0) for part in PARTS)
    return Data(train, dev, vocabulary, parts["train"]), test


def page(results: list[dict[str, Any]]) -> str:
    """Means over the splits with Student's interval."""
    rows = []
    for name in ("majority", "similarity", "differing_endings", "model"):
        accuracy, area = (mean([100 * of[name][place] for of in results]) for place in (0, 1))
        interval = f"{accuracy['value']:.1f} ({accuracy.get('low', 0):.1f}–{accuracy.get('high', 0):.1f})"
        rows.append((NAMES.get(name, "`siamese`"), interval, f"{area['value']:.1f}"))
    return table(("model", "accuracy, %", "AUC, %"), rows, "lrr")


def main() -> None:
    """Trains and tests on several splits."""
    options = measure.parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    options.add_argument("--train", nargs="*", default=[], metavar="NAME=NUMBER", help="of the section train")
    arguments = options.parse_args()
    changes = {
        name: float(n) if "." in n else int(n) for name, _, n in (t.partition("=") for t in arguments.train)
    }
    params = config.load(PARAMS)
    entry = params.task(TASK)
    if not isinstance(entry, config.BuiltPairsTask):
        raise TypeError(f"{TASK} builds no pairs")
    results = []
    for seed in arguments.seeds:
        results.append(run(entry, params, seed, changes))
        print(seed, results[-1], file=sys.stderr, flush=True)
    print(text := page(results))
    if not arguments.quick and not changes:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        Path(PAGE).write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
