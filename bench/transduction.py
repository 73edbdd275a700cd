"""Inflection and lemmatisation: python -m bench.transduction FOLDER. Writes a table into docs/transduce.md.

FOLDER holds UniMorph tables (``isl.tsv``) and, in ``sigmorphon``, files of the shared tasks of 2022 and 2023.
All are trained with the options of ``hun-inflect`` in params.yaml, with one network or with three that vote.
The published development part of a shared task is its test set; a fifteenth of the training lemmas is held
out as dev.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import measure
from bench.measure import REPO, percent
from esetrag import tasks
from esetrag.core import config
from esetrag.core.layout import PARAMS, PARTS
from esetrag.data import change
from esetrag.data.source import Source
from esetrag.report.markdown import table
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.tasks.transduce import right
from esetrag.tasks.transduce_evaluation import Ranked, baselines
from esetrag.training import trainer
from esetrag.training.data import Data

GROUP, TASK, HELD_OUT = "transduction", "hun-inflect", 15
PAGE = REPO / "docs/transduce.md"
BEGIN, END = "<!-- figures: python -m bench.transduction FOLDER -->", "<!-- end of figures -->"
CPU = torch.device("cpu")
MODELS = ("model", "edit_rules", "copy")
VOTING = 3
"""Networks of an ensemble."""


@dataclass(frozen=True)
class Experiment:
    """A table, what is asked of it, and how many rows are trained on."""

    name: str
    entry: config.InflectionTask
    rows: int | None
    """None: all."""

    def run(self, seed: int, params: config.Params) -> dict[str, float]:
        """Trains with one seed; exact match of the model and the baselines, CPU seconds, rows."""
        task = tasks.of(self.entry)
        sizes = {"train": self.rows, "dev": min(1000, (self.rows or 5000) // 5), "test": 4000}
        sample = params.sample.model_copy(update={**sizes, "seed": 200 + seed})
        _, parts = Source.load(self.entry).parts(sample)
        vocabulary = task.vocabulary([parts["train"]], params.build_vocab)
        width = max(encoding.width_of(task.texts(rows, vocabulary), None) for rows in parts.values())
        steps = {part: max(encoding.width_of(parts[part]["label"], None), 3) for part in PARTS}
        encoded = {part: task.encode(parts[part], vocabulary, width, "end", steps[part]) for part in PARTS}
        data = Data(encoded["train"], encoded["dev"], vocabulary, parts["train"])
        options = params.section_of(TASK, config.Train)
        options = options.model_copy(update={"seed": seed, "device": "cpu"})
        start = time.process_time()
        trained = trainer.fit(data, params.resolve("seq2seq"), options)
        seconds = time.process_time() - start
        test, batch = parts["test"], Batch.of(encoded["test"], CPU)
        forms = change.words(test["form"])
        fitted = trained.calibrate(data, params.calibration)
        models = {"model": Ranked.of(trained.network, fitted, batch, forms, vocabulary)}
        models |= baselines(parts["train"], encoded["train"], batch, forms, vocabulary)
        exact = {name: float(right(of.words, test["label"])[:, 0].mean()) for name, of in models.items()}
        return {**exact, "seconds": seconds, "train": len(data.train), "test": len(test)}


def unimorph(raw: Path, **asked: Any) -> config.InflectionTask:
    """A task of nouns."""
    fields = {"kind": "transduce", "raw": str(raw), "pos": "N", "model": "seq2seq"}
    return config.InflectionTask.model_validate({**fields, **asked})


INFLECT = {"source": ["features", "lemma"], "target": "form"}
LEMMATISE = {"source": ["form"], "target": "lemma"}


def shared_task(train: Path, dev: Path, folder: Path, seed: int = 1) -> config.InflectionTask:
    """A task of a given split: dev is the test set, some lemmas of train are held out."""
    columns = ["lemma", "tags", "form"] if train.name.startswith("2023") else ["lemma", "form", "tags"]
    rows = [line for line in train.read_text("utf-8").splitlines() if line.count("\t") == 2]
    lemmas = sorted({row.split("\t")[0] for row in rows})
    random.Random(seed).shuffle(lemmas)  # noqa: S311
    held_out = {*lemmas[: max(1, len(lemmas) // HELD_OUT)]}
    folder.mkdir(parents=True)
    parts = {
        "train": [row for row in rows if row.split("\t")[0] not in held_out],
        "dev": [row for row in rows if row.split("\t")[0] in held_out],
        "test": dev.read_text("utf-8").splitlines(),
    }
    for part, lines in parts.items():
        (folder / f"{part}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    splits = {part: f"{part}.tsv" for part in parts}
    fields = {"kind": "transduce", "raw": str(folder), "splits": splits, "model": "seq2seq"}
    return config.InflectionTask.model_validate({**fields, "columns": columns, **INFLECT})


def experiments(raw: Path, folder: Path | None, scratch: Path) -> Iterator[Experiment]:
    """All tables with what is asked of them."""
    for rows in (1000, 10_000, None):
        yield Experiment(f"Hungarian nouns (embedded), {rows or 'all'}", unimorph(raw, **INFLECT), rows)
    yield Experiment("lemmas: Hungarian nouns (embedded), 10000", unimorph(raw, **LEMMATISE), 10_000)
    if folder is None:
        return
    yield Experiment("lemmas: isl, 10000", unimorph(folder / "isl.tsv", **LEMMATISE), 10_000)
    shared = folder / "sigmorphon"
    for path in sorted(shared.glob("2023.*.trn")):
        language = path.name.split(".")[1]
        entry = shared_task(path, path.with_suffix(".dev"), scratch / path.stem)
        yield Experiment(f"SIGMORPHON 2023, {language}", entry, None)
    for size in ("large", "small"):
        entry = shared_task(shared / f"2022.hun_{size}.train", shared / "2022.hun.dev", scratch / size)
        yield Experiment(f"SIGMORPHON 2022, hun {size}", entry, None)


def page(quick: bool) -> str:
    """The table of all experiments, exact match in %."""
    alone, voting = (measure.read(group, quick) for group in (GROUP, f"{GROUP}-{VOTING}"))
    rows = []
    for name, runs in alone.items():
        votes = voting.get(name, [])
        cells = [percent([run[model] for run in runs]) for model in MODELS]
        cells.insert(1, percent([run["model"] for run in votes]) if votes else "")
        sizes = [f"{np.mean([run[key] for run in runs]):,.0f}" for key in ("train", "test", "seconds")]
        rows.append((name, *cells, *sizes, f"{len(runs)}, {len(votes)}"))
    head = ("table, training rows", "seq2seq", f"`ensemble: {VOTING}`", "edit rules", "copy")
    return table([*head, "train", "test", "CPU s", "seeds"], rows, "lrrrrrrrr")


def main() -> None:
    """Measures what is not measured yet, and writes the page."""
    options = measure.parser(__doc__)
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--only", default="", help="experiments with this in their names")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--ensemble", type=int, choices=(1, VOTING), default=1, help="networks that vote")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    params = config.load(REPO / PARAMS)
    params.models["seq2seq"] = params.models["seq2seq"].model_copy(update={"ensemble": arguments.ensemble})
    group = GROUP if arguments.ensemble == 1 else f"{GROUP}-{VOTING}"
    with tempfile.TemporaryDirectory() as scratch:
        for experiment in experiments(arguments.raw, arguments.folder, Path(scratch)):
            if arguments.only not in experiment.name:
                continue
            path = measure.folder(arguments.quick) / group / f"{experiment.name}.json"
            runs = measure.read(group, arguments.quick).get(path.stem, [])
            for seed in range(len(runs) + 1, arguments.seeds + 1):
                runs.append(experiment.run(seed, params))
                measure.write(f"{group}/{path.stem}", runs, arguments.quick)
                figures = {key: round(value, 4) for key, value in runs[-1].items()}
                print(experiment.name, seed, figures, flush=True)
    text = page(arguments.quick)
    if not arguments.quick:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
