"""Rates on one thread, ours and the notebook's in turn: training, time to 99 %, encoding, prediction."""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import torch

from bench import measure, notebook
from bench.experiment import CPU, MANY_ROWS, Parts, Prepared, TableSample, parameters
from bench.measure import Times, bar, median, ratio, spread
from esetrag.core import config
from esetrag.core.layout import Layout
from esetrag.predict.predictor import Predictor
from esetrag.symbols import encoding
from esetrag.symbols.batch import Batch
from esetrag.tasks import baselines
from esetrag.training import trainer

ROUNDS, FAST_ROUNDS = 5, 25
ROWS, DEV, EPOCHS, GOAL = 20_000, 1000, 8, 0.99
"""Of the trainings: rows of train and dev, the notebook's epochs at most, accuracy on dev that is the goal."""
NOTEBOOK, WHOLE, SHORT = "notebook's loop", "bilstm, whole words", "bilstm, last 6 symbols"
ALONE, IN_BULK = 200, 100_000
"""Words predicted one by one, and at once."""


def training(parts: Parts, rounds: int, quick: bool) -> None:
    """The same network on the same rows: words a second in the first epoch, and time to the goal.

    Ours takes batches of 512 words of similar length. That of the last 6 symbols sees the end of a word alone,
    so it has less arithmetic to do. Tests after an epoch are not in the notebook's time, but in ours.
    """
    params = parameters()
    expert = params.resolve("bilstm").experts[0].model_copy(update={"dropout": 0.0})
    model = config.Resolved("bilstm", [expert], lemmas=False)
    parts = {**parts, "train": parts["train"].slice(0, ROWS), "dev": parts["dev"].slice(0, DEV)}
    own = {WHOLE: Prepared(parts, params), SHORT: Prepared(parts, params, max_symbols=6)}
    first: Times = {name: [] for name in (NOTEBOOK, *own)}
    goal: Times = {name: [] for name in first}
    for seed in range(1, rounds + 1):
        lecture = notebook.fit(own[WHOLE].pairs("train"), own[WHOLE].pairs("dev"), seed, EPOCHS)
        first[NOTEBOOK].append(lecture.training[0])
        accuracies = [accuracy for _, _, _, accuracy in lecture.history]
        goal[NOTEBOOK].append(_reached(accuracies, list(pd.Series(lecture.training).cumsum())))
        for name, prepared in own.items():
            ends: list[tuple[float, float]] = []
            prepared.data  # noqa: B018 encoded before the clock starts
            trainer.fit(
                prepared.data,
                model,
                prepared.options(seed, **MANY_ROWS),
                [lambda epoch, ends=ends: ends.append((epoch.dev_accuracy, time.perf_counter()))],
            )
            taken = [end - ends[0][1] for _, end in ends[1:]]
            first[name].append(taken[0])
            goal[name].append(_reached([accuracy for accuracy, _ in ends[1:]], taken))
        print(
            f"training {seed}:", {name: (first[name][-1], goal[name][-1]) for name in first}, file=sys.stderr
        )
    count = len(parts["train"])
    rates = {name: ratio(first[NOTEBOOK], times) for name, times in first.items()}
    sooner = {name: ratio(goal[NOTEBOOK], times) for name, times in goal.items()}
    rows = [
        (name, median(spread([count / each for each in first[name]])), median(rates[name]),
         median(spread(goal[name])), median(sooner[name]))
        for name in first
    ]  # fmt: skip
    measure.write_section(
        "1 Training the BiLSTM",
        f"{count:,} rows in turn, one thread. Time to the first epoch's end with {GOAL:.0%} on dev.",
        ("training", "words a second", "times the notebook's", f"seconds to {GOAL:.0%}", "notebook's ÷ its"),
        rows,
        quick,
        [
            bar(f"{SHORT}: training rate ÷ the notebook's", 4, rates[SHORT]["median"], median(rates[SHORT])),
            bar(
                f"notebook's time to {GOAL:.0%} ÷ {SHORT}", 4, sooner[SHORT]["median"], median(sooner[SHORT])
            ),
        ],
    )


def _reached(accuracies: list[float], times: list[float]) -> float:
    return next((end for accuracy, end in zip(accuracies, times, strict=True) if accuracy >= GOAL), math.inf)


def encode(parts: Parts, rounds: int, quick: bool) -> None:
    """From forms and labels to padded ids, and from parquet to the tensors of a training."""
    prepared = Prepared(parts, parameters())
    words, vocabulary = prepared.pairs("train"), prepared.vocabulary
    alphabet = notebook.Alphabet.of(words)
    with tempfile.TemporaryDirectory() as folder:
        theirs, own = Path(folder) / "notebook.parquet", Path(folder) / "ours.parquet"
        notebook.encode(words, alphabet).to_parquet(theirs)
        encoding.write(own, prepared.encode("train"), len(vocabulary.symbols))
        jobs: dict[str, tuple[Callable[[], Any], Callable[[], Any], float]] = {
            "forms and labels to ids": (
                lambda: notebook.encode(words, alphabet),
                lambda: prepared.encode("train"),
                10,
            ),
            "parquet to tensors": (
                lambda: notebook.tensors(pd.read_parquet(theirs)),
                lambda: Batch.of(encoding.read(own, vocabulary), CPU),
                20,
            ),
        }
        rows, bars = [], []
        for name, (slow, fast, least) in jobs.items():
            times = measure.alternate({"notebook": slow, "esetrag": fast}, rounds)
            quotient = ratio(times["notebook"], times["esetrag"])
            each = [f"{1000 * spread(of)['median']:.1f}" for of in times.values()]
            rows.append((name, *each, median(quotient)))
            bars.append(bar(f"{name}: notebook's time ÷ ours", least, quotient["median"], median(quotient)))
    head = ("", "pandas as in the notebook, ms", "esetrag, ms", "ratio")
    measure.write_section("2 Encoding", f"{len(words):,} rows.", head, rows, quick, bars)


def prediction(parts: Parts, rounds: int, quick: bool) -> None:
    """Words a second: the default model from its checkpoint, the notebook's network, logistic regression."""
    params = parameters()
    prepared = Prepared(
        {**parts, "train": parts["train"].slice(0, 1000), "dev": parts["dev"].slice(0, 200)}, params
    )
    options = prepared.options(1)
    trained = trainer.fit(prepared.data, params.resolve("bilstm"), options)
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout("bench", Path(folder))
        trained.save(layout, prepared.data, options, params.calibration)
        predictor = Predictor.load(layout.checkpoint)
    lecture = notebook.fit(prepared.pairs("train"), None, 1, epochs=1)
    labels, length = prepared.vocabulary.labels, params.evaluate.suffix_length
    regression = baselines.train(prepared.parts["train"], labels, length)["logistic_regression"]
    forms = parts["test"]["form"]
    column = pa.chunked_array(forms.chunks * (IN_BULK // len(forms) + 1)).slice(0, IN_BULK).combine_chunks()
    bulk, frame = pa.chunked_array([column]), pd.DataFrame({"form": column.to_numpy(zero_copy_only=False)})
    alone = column.slice(0, ALONE).to_pylist()
    jobs: dict[str, Callable[[], object]] = {
        "esetrag, bulk": lambda: predictor.predict_table(bulk),
        "notebook, bulk": lambda: lecture.predict(frame),
        "logistic regression, bulk": lambda: regression.logits(bulk),
        "esetrag, one by one": lambda: [predictor.predict([form]) for form in alone],
        "notebook, one by one": lambda: [lecture.predict(frame.iloc[[row]]) for row in range(ALONE)],
        "logistic regression, one by one": lambda: [
            regression.logits(pa.chunked_array([[form]], pa.string())) for form in alone
        ],
    }
    times = measure.alternate(jobs, rounds)
    counts = {name: ALONE if name.endswith("one by one") else IN_BULK for name in jobs}
    rates = {name: spread([counts[name] / each for each in taken]) for name, taken in times.items()}
    rate = rates["esetrag, bulk"]
    measure.write_section(
        "3 Prediction",
        "One thread.",
        ("prediction", "words a second"),
        [(name, median(each)) for name, each in rates.items()],
        quick,
        [bar("bulk prediction, words a second, one thread", 100_000, rate["median"], median(rate))],
    )


def main() -> None:
    """Measures one after another."""
    jobs = {"training": training, "encode": encode, "prediction": prediction}
    options = measure.parser(__doc__)
    options.add_argument("--only", nargs="+", choices=jobs, default=list(jobs))
    arguments = options.parse_args()
    torch.set_num_threads(1)
    size = 5000 if arguments.quick else None
    sample = TableSample(arguments.raw, "hun", "Case", None, 1)
    parts = {part: table.slice(0, size) for part, table in sample.parts(parameters()).items()}
    for name in arguments.only:
        rounds = 2 if arguments.quick else FAST_ROUNDS if name == "encode" else ROUNDS
        jobs[name](parts, rounds, arguments.quick)


if __name__ == "__main__":
    main()
