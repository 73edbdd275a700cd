"""Pairs over several splits: python -m bench.pairs [FOLDER]. Writes tables into docs/pairs.md.

With the folder of ``bench.audit`` each model also looks for the misaligned rows that are mixed into a table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bench import measure
from bench.audit import CLEAN, WRONG
from bench.experiment import rows
from bench.measure import REPO, mean
from esetrag import tasks
from esetrag.core import config, features
from esetrag.core.layout import PARAMS, PARTS
from esetrag.data import pairs
from esetrag.data.source import Source
from esetrag.models import checkpoint
from esetrag.predict import doubts
from esetrag.predict.pair_predictor import PairPredictor
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
    entry: config.BuiltPairsTask,
    params: config.Params,
    seed: int,
    changes: Mapping[str, Any],
    folder: Path | None,
) -> dict[str, Any]:
    """Accuracy and AUC of the model and of its baselines on the test rows of a split, CPU seconds."""
    sample = params.section_of(TASK, config.Sample).model_copy(update={"seed": seed})
    options = params.section_of(TASK, config.Train).model_copy(
        update={"seed": seed, "device": "cpu", **changes}
    )
    source = Source.load(entry)
    parts = source.parts(sample)[1]
    data, test = data_of(tasks.of(entry), parts, params)
    start = time.process_time()
    trained = trainer.fit(data, params.resolve(entry.model), options)
    seconds = time.process_time() - start
    output = trained.output(data, test, params.calibration)
    labels = data.vocabulary.labels
    tested = evaluation.evaluate(
        Pair(), parts, {"model": output}, labels, params.evaluate, params.calibration
    )
    models = {n: [f["accuracy"], f.get("auc")] for n, f in tested.figures["models"].items()}
    kinds = by_kind(
        parts["test"],
        source.selection.table,
        test.targets[np.arange(len(test)), output.probabilities.argmax(1)],
    )
    found = {} if folder is None else audit(trained, data, params, folder)
    return {"seconds": seconds, **models, "kinds": kinds, "audit": found}


def by_kind(test: pa.Table, every: pa.Table, correct: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Accuracy on right forms, on the lemma's forms of other cells, on forms that it does not have."""
    has_form = pc.is_in(test["form"], pairs.joined(every["lemma"], every["form"])).to_numpy()
    right = pc.equal(test["label"], pairs.RIGHT).to_numpy()
    masks = {"right": right, "right in another cell": has_form & ~right, "made": ~has_form & ~right}
    return {name: float(correct[mask].mean()) for name, mask in masks.items()}


def audit(
    trained: trainer.Trained, data: Data, params: config.Params, folder: Path
) -> dict[str, list[float]]:
    """How well the doubtful rows of a table are the misaligned ones that were mixed in (``ranked``)."""
    clean, wrong = (rows(folder / name) for name in (CLEAN, WRONG))
    both = pa.concat_tables([clean, wrong]).combine_chunks()
    with TemporaryDirectory() as made:
        calibrated = trained.calibrate(data, params.calibration)
        checkpoint.save(
            Path(made), trained.network, trained.experts, data.vocabulary, data.train, {}, calibrated
        )
        listed = doubts.review(PairPredictor.load(Path(made)), both)
    errors = np.arange(len(both)) >= len(clean)
    is_wrong = dict(
        zip(zip(*(both[name].to_pylist() for name in pairs.CELL), strict=True), errors, strict=True)
    )
    known = {*pc.unique(data.rows["lemma"]).to_pylist()}
    cases = [[features.values(row[place], "Case") for place in (4, 5)] for row in listed]
    of_case = [
        row for row, (stated, likelier) in zip(listed, cases, strict=True) if likelier and likelier != stated
    ]
    of_new = [row for row in of_case if row[1] not in known]
    new_errors = sum(is_error for (lemma, _, _), is_error in is_wrong.items() if lemma not in known)
    lists = {
        "all": (listed, errors.sum()),
        "another case is likelier": (of_case, errors.sum()),
        "the same, lemmas without training pairs": (of_new, new_errors),
    }
    return {
        name: ranked([is_wrong[row[1:4]] for row in part], count) for name, (part, count) in lists.items()
    }


def ranked(found: list[bool], errors: int) -> list[float]:
    """Recall at 99 % precision, precision at 98 % recall (0 if it is not reached), of a ranked list."""
    hits = np.cumsum(found)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / errors
    return [float(recall[precision >= 0.99].max(initial=0)), float(precision[recall >= 0.98].max(initial=0))]


def data_of(task: Task, parts: Mapping[str, pa.Table], params: config.Params) -> tuple[Data, Any]:
    """What a training starts from, and the encoded test rows."""
    vocabulary = task.vocabulary([parts["train"]], params.build_vocab)
    width = max(encoding.width_of(task.texts(rows, vocabulary), None) for rows in parts.values())
    train, dev, test = (task.encode(parts[part], vocabulary, width, "end", 0) for part in PARTS)
    return Data(train, dev, vocabulary, parts["train"]), test


def page(results: list[dict[str, Any]]) -> str:
    """Means over the splits with Student's interval."""

    def shown(values: list[float], interval: bool) -> str:
        of = mean([100 * value for value in values])
        return f"{of['value']:.1f}" + (
            f" ({of.get('low', 0):.1f}–{of.get('high', 0):.1f})" if interval else ""
        )

    models = []
    for name in ("majority", "similarity", "differing_endings", "model"):
        accuracy, area = ([of[name][place] for of in results] for place in (0, 1))
        models.append((NAMES.get(name, "`siamese`"), shown(accuracy, True), shown(area, False)))
    text = table(("model", "accuracy, %", "AUC, %"), models, "lrr")
    kinds = [(name, shown([of["kinds"][name] for of in results], False)) for name in results[0]["kinds"]]
    text += "\n\n" + table(("the form is", "`siamese`: accuracy, %"), kinds, "lr")
    lists = []
    for name in results[0]["audit"]:
        recall, precision = ([of["audit"][name][place] for of in results] for place in (0, 1))
        lists.append((name, shown(recall, False), shown(precision, False)))
    head = ("doubtful rows", "recall at 99 % precision, %", "precision at 98 % recall, %")
    return text + ("\n\n" + table(head, lists, "lrr") if lists else "")


def main() -> None:
    """Trains and tests on several splits."""
    options = measure.parser(__doc__)
    options.add_argument("folder", type=Path, nargs="?", help=f"with {CLEAN} and {WRONG}")
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
        results.append(run(entry, params, seed, changes, arguments.folder))
        print(seed, results[-1], file=sys.stderr, flush=True)
    print(text := page(results))
    if not arguments.quick and not changes:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        Path(PAGE).write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
