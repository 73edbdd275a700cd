"""Whole pipelines, ours and one written after the notebook, then each of our stages: seconds, CPU, memory."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from bench import measure
from bench.measure import bar, median, ratio, spread
from bench.process import STAGES, Copy, Ran, run

ROUNDS = 5
FIRST = "esetrag, first `dvc repro`"
OURS, NOTEBOOK = "esetrag, `dvc repro -f`", "notebook-like, `dvc repro -f`"
NAIVE = {  # stage: dependencies > outputs
    "prepare": "raw.tsv.gz > rows.csv",
    "sample": "rows.csv > train.csv dev.csv test.csv",
    "build_vocab": "train.csv > vocab.json",
    "encode_pad": "train.csv dev.csv test.csv vocab.json > train.parquet dev.parquet test.parquet",
    "train": "train.parquet dev.parquet vocab.json > model.safetensors run.txt",
    "evaluate": "model.safetensors test.parquet vocab.json run.txt > test.json predictions.csv",
}
"""The pipeline of ``bench.naive``."""


def naive(folder: Path, raw: Path) -> None:
    """Makes a project of the pipeline that was written after the notebook."""
    folder.mkdir()
    shutil.copyfile(raw, folder / "raw.tsv.gz")
    stages = {}
    for name, files in NAIVE.items():
        inputs, outputs = (part.split() for part in files.split(">"))
        stages[name] = {"cmd": f"python -m bench.naive {name}", "deps": inputs, "outs": outputs}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False), "utf-8")
    run(["dvc", "init", "--no-scm", "--quiet"], folder)
    run(["dvc", "repro"], folder)


def main() -> None:
    """Runs all commands in turn."""
    arguments = measure.parser(__doc__).parse_args()
    ran: dict[str, list[Ran]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        naive(folder / "naive", arguments.raw)
        copy = Copy(folder / "ours", arguments.raw)
        ran[FIRST] = [copy.run("dvc", "repro")]
        for number in range(1 if arguments.quick else ROUNDS):
            # Of the same inputs ours would find its run in MLflow and log none; the other always logs.
            copy.change("train", seed=number + 2)
            each = {
                NOTEBOOK: run(["dvc", "repro", "-f"], folder / "naive"),
                OURS: copy.run("dvc", "repro", "-f"),
                "esetrag, nothing to do": copy.run("dvc", "repro"),
                **{stage: copy.stage(stage) for stage in STAGES},
            }
            for command, done in each.items():
                ran.setdefault(command, []).append(done)
            print(
                f"round {number + 1}:", {name: done.seconds for name, done in each.items()}, file=sys.stderr
            )
    seconds = {name: [done.seconds for done in each] for name, each in ran.items()}
    cpu = {name: spread([done.cpu for done in each]) for name, each in ran.items()}
    rows = [
        (name, median(spread(seconds[name])), median(cpu[name]), f"{max(done.peak for done in each):,.0f}")
        for name, each in ran.items()
    ]
    bars = [
        bar("notebook-like pipeline ÷ ours, `dvc repro -f`", 3, ratio(seconds[NOTEBOOK], seconds[OURS])),
        bar("`dvc repro -f`, CPU seconds", 15, cpu[OURS], at_most=True),
    ]
    head = ("command", "seconds", "CPU seconds", "peak, MiB")
    text = f"{ROUNDS} rounds, imports included; below, our stages alone."
    measure.write_section("4 Pipelines", text, head, rows, arguments.quick, bars)


if __name__ == "__main__":
    main()
