"""Rates on one thread, ours and the notebook's in turn: training, time to 99 %, encoding, prediction."""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import torch

from bench import measure, notebook
from bench.experiment import MANY_ROWS, Parts, TableSample, data_of, options_of, pairs, parameters
from bench.measure import Bar, Jobs, Times, bar, median, ratio, spread
from esetrag.core import config
from esetrag.core.layout import Layout
from esetrag.predict.predictor import Predictor
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.tasks import baselines
from esetrag.training import trainer
from esetrag.training.history import Epoch

ROUNDS, FAST_ROUNDS = 5, 25
ROWS, DEV, GOAL = 20_000, 1000, 0.99
"""Of the trainings: rows of train and dev, the accuracy on dev that is the goal."""
EPOCHS = 8
"""Of the notebook's loop at most."""
NOTEBOOK, WHOLE, SHORT = "notebook's loop", "bilstm, whole words", "bilstm, last 6 symbols"
ALONE, IN_BULK = 200, 100_000
"""Words predicted one by one, and at once."""


def training(parts: Parts, rounds: int, quick: bool) -> None:
    """The same network on the same rows: words a second in the first epoch, and time to the goal.

    Ours takes batches of 512 words of similar length. That of the last 6 symbols sees the end of a word
    alone, so it has less arithmetic to do. Tests after an epoch are not in the notebook's time, but in ours.
    """
    params = parameters()
    expert = params.resolve("bilstm").experts[0].model_copy(update={"dropout": 0.0})
    model = config.Resolved("bilstm", [expert], lemmas=False)
    parts = {**parts, "train": parts["train"].slice(0, ROWS), "dev": parts["dev"].slice(0, DEV)}
    own = {WHOLE: data_of(parts, params), SHORT: data_of(parts, params, max_symbols=6)}
    train, dev = pairs(parts["train"]), pairs(parts["dev"])
    first: Times = {name: [] for name in (NOTEBOOK, *own)}
    goal: Times = {name: [] for name in first}
    for seed in range(1, rounds + 1):
        lecture = notebook.fit(train, dev, seed, EPOCHS)
        ends = itertools.accumulate(lecture.training)
        epochs = {NOTEBOOK: [(epoch[-1], end) for epoch, end in zip(lecture.history, ends, strict=True)]}
        for name, data in own.items():
            of_ours = list[tuple[float, float]]()
            options = options_of(params, data, seed).model_copy(update=MANY_ROWS)
            trainer.fit(data, model, options, [partial(_note, of_ours)])
            epochs[name] = [(accuracy, end - of_ours[0][1]) for accuracy, end in of_ours[1:]]
        for name, each in epochs.items():
            first[name].append(each[0][1])
            goal[name].append(next((end for accuracy, end in each if accuracy >= GOAL), math.inf))
        print(
            f"training {seed}:", {name: (first[name][-1], goal[name][-1]) for name in first}, file=sys.stderr
        )
    rates = {name: spread([len(parts["train"]) / each for each in times]) for name, times in first.items()}
    faster, sooner = (
        {name: ratio(times[NOTEBOOK], each) for name, each in times.items()} for times in (first, goal)
    )
    columns = (rates, faster, {name: spread(each) for name, each in goal.items()}, sooner)
    rows = [(name, *(median(column[name]) for column in columns)) for name in first]
    rows[0] = (NOTEBOOK, rows[0][1], "", rows[0][3], "")
    head = ("training", "words a second", "÷ the notebook's", f"seconds to {GOAL:.0%}", "the notebook's ÷")
    text = (
        f"{len(train):,} rows in turn, one thread. Time to the end of the first epoch with {GOAL:.0%} "
        f"on dev; inf: not in {EPOCHS} epochs of the notebook's loop, or {MANY_ROWS['epochs']} of ours."
    )
    bars = [
        bar(f"{SHORT}: training rate ÷ the notebook's", 4, faster[SHORT]),
        bar(f"notebook's time to {GOAL:.0%} ÷ {SHORT}", 4, sooner[SHORT]),
    ]
    measure.write_section("1 Training the BiLSTM", text, head, rows, quick, bars)


def _note(epochs: list[tuple[float, float]], epoch: Epoch) -> None:
    epochs.append((epoch.dev_accuracy, time.perf_counter()))


def encode(parts: Parts, rounds: int, quick: bool) -> None:
    """From forms and labels to padded ids, and from parquet to the tensors of a training."""
    data, words = data_of(parts, parameters()), pairs(parts["train"])
    alphabet = notebook.Alphabet.of(words)
    with tempfile.TemporaryDirectory() as folder:
        theirs, own = Path(folder) / "notebook.parquet", Path(folder) / "ours.parquet"
        notebook.encode(words, alphabet).to_parquet(theirs)
        encoding.write(own, data.train, len(data.vocabulary.symbols))
        jobs: Jobs = {
            "notebook, ids": lambda: notebook.encode(words, alphabet),
            "esetrag, ids": lambda: data.encode(parts["train"]),
            "notebook, tensors": lambda: notebook.tensors(pd.read_parquet(theirs)),
            "esetrag, tensors": lambda: Batch.of(encoding.read(own, data.vocabulary), torch.device("cpu")),
        }
        times = measure.alternate(jobs, rounds)
    rows, bars = list[Any](), list[Bar]()
    for job, name, least in (("ids", "forms and labels to ids", 10), ("tensors", "parquet to tensors", 20)):
        slow, fast = times[f"notebook, {job}"], times[f"esetrag, {job}"]
        rows.append(
            (name, *(f"{1000 * spread(of)['median']:.1f}" for of in (slow, fast)), median(ratio(slow, fast)))
        )
        bars.append(bar(f"{name}: notebook's time ÷ ours", least, ratio(slow, fast)))
    head = ("", "pandas as in the notebook, ms", "esetrag, ms", "ratio")
    measure.write_section("2 Encoding", f"{len(words):,} rows.", head, rows, quick, bars)


def prediction(parts: Parts, rounds: int, quick: bool) -> None:
    """Words a second: the default model from its checkpoint, the notebook's network, logistic regression."""
    params = parameters()
    few = {"train": parts["train"].slice(0, 1000), "dev": parts["dev"].slice(0, 200)}
    data = data_of(few, params)
    options = options_of(params, data, seed=1)
    trained = trainer.fit(data, params.resolve("bilstm"), options)
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout("bench", Path(folder))
        trained.save(layout, data, options, params.calibration)
        predictor = Predictor.load(layout.checkpoint)
    lecture = notebook.fit(pairs(few["train"]), None, 1, epochs=1)
    regression = baselines.logistic_regression(few["train"], data.vocabulary.labels)
    forms = parts["test"]["form"]
    column = pa.chunked_array(forms.chunks * (IN_BULK // len(forms) + 1)).slice(0, IN_BULK).combine_chunks()
    bulk, frame = pa.chunked_array([column]), pd.DataFrame({"form": column.to_numpy(zero_copy_only=False)})
    singles = [bulk.slice(row, 1) for row in range(ALONE)]
    jobs: Jobs = {
        "esetrag, bulk": lambda: predictor.predict_table(bulk),
        "notebook, bulk": lambda: lecture.predict(frame),
        "logistic regression, bulk": lambda: regression(bulk),
        "esetrag, one by one": lambda: [predictor.predict(single.to_pylist()) for single in singles],
        "notebook, one by one": lambda: [lecture.predict(frame.iloc[[row]]) for row in range(ALONE)],
        "logistic regression, one by one": lambda: [regression(single) for single in singles],
    }
    times = measure.alternate(jobs, rounds)
    counts = {name: ALONE if name.endswith("one by one") else IN_BULK for name in jobs}
    rates = {name: spread([counts[name] / each for each in taken]) for name, taken in times.items()}
    rows = [(name, median(each)) for name, each in rates.items()]
    bars = [bar("bulk prediction, words a second, one thread", 100_000, rates["esetrag, bulk"])]
    measure.write_section("3 Prediction", "One thread.", ("prediction", "words a second"), rows, quick, bars)


def main() -> None:
    """Measures one after another."""
    jobs = {"training": training, "encode": encode, "prediction": prediction}
    options = measure.parser(__doc__)
    options.add_argument("--only", nargs="+", choices=jobs, default=list(jobs))
    arguments = options.parse_args()
    torch.set_num_threads(1)
    size = 5000 if arguments.quick else None
    parts = TableSample(arguments.raw, 1, "hun", "Case", None).parts(parameters())
    parts = {part: table.slice(0, size) for part, table in parts.items()}
    for name in arguments.only:
        rounds = 2 if arguments.quick else FAST_ROUNDS if name == "encode" else ROUNDS
        jobs[name](parts, rounds, arguments.quick)


if __name__ == "__main__":
    main()
