"""Whole pipelines in folders of their own: ours, one written after the notebook, and six stages of ``cp``."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from bench import clock, results
from bench.child import REPO, environment, run
from bench.copies import RAW, STAGES, Copy

ROUNDS = 5
NAIVE = {  # stage: what it reads, what it makes
    "prepare": (["raw.tsv.gz"], ["rows.csv"]),
    "sample": (["rows.csv"], ["train.csv", "dev.csv", "test.csv"]),
    "build_vocab": (["train.csv"], ["vocab.json"]),
    "encode_pad": (
        ["train.csv", "dev.csv", "test.csv", "vocab.json"],
        ["train.parquet", "dev.parquet", "test.parquet"],
    ),
    "train": (["train.parquet", "dev.parquet", "vocab.json"], ["model.safetensors", "run.txt"]),
    "evaluate": (
        ["model.safetensors", "test.parquet", "vocab.json", "run.txt"],
        ["test.json", "predictions.csv"],
    ),
}
"""The pipeline of ``bench.naive``."""


def naive(folder: Path, raw: Path) -> None:
    """Lays out the pipeline written after the notebook."""
    stages = {
        name: {"cmd": f"python -m bench.naive {name}", "deps": deps, "outs": outs}
        for name, (deps, outs) in NAIVE.items()
    }
    _lay_out(folder, stages, raw)


def copying(folder: Path, raw: Path) -> None:
    """Lays out six stages of ``cp``: DVC's floor."""
    files = ["raw.tsv.gz", *(f"{number}.gz" for number in range(1, len(STAGES) + 1))]
    pairs = itertools.pairwise(files)
    _lay_out(
        folder,
        {
            name: {"cmd": f"cp {a} {b}", "deps": [a], "outs": [b]}
            for name, (a, b) in zip(STAGES, pairs, strict=True)
        },
        raw,
    )


def _lay_out(folder: Path, stages: dict[str, Any], raw: Path) -> None:
    folder.mkdir()
    shutil.copyfile(raw, folder / "raw.tsv.gz")
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False), "utf-8")
    run(["dvc", "init", "--no-scm", "--quiet"], folder)


def main() -> None:
    """Times all commands in turn."""
    options = results.parser(__doc__)
    arguments = options.parse_args()
    raw = arguments.raw or REPO / RAW
    rounds = 1 if arguments.quick else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        naive(folder / "naive", raw)
        copying(folder / "cp", raw)
        # The pipeline's first run, nothing cached, makes the MLflow store too.
        cold = []
        for number in range(rounds):
            ours = Copy(folder / f"ours-{number}", raw=raw)
            cold.append(ours.run("dvc", "repro").seconds)
        for first in ("naive", "cp"):
            run(["dvc", "repro"], folder / first)
        places = {"ours": ours.root, "naive": folder / "naive", "cp": folder / "cp"}
        jobs: dict[str, tuple[list[str], Path]] = {}
        for place, root in places.items():
            jobs[f"{place}, dvc repro -f"] = (["dvc", "repro", "-f"], root)
            jobs[f"{place}, no-op"] = (["dvc", "repro"], root)
        for module in ("torch", "mlflow"):
            jobs[f"import {module}"] = ([sys.executable, "-c", f"import {module}"], folder)
        train = [sys.executable, "-m", "bench.training", *(["--raw", str(raw)] if arguments.raw else [])]
        times: clock.Times = {name: [] for name in (*jobs, "training alone")}
        peaks: dict[str, float] = {}
        for number in range(rounds):
            # Of the same inputs ours would find its finished run and log none; the other logs one each time.
            ours.change(train={"seed": number + 2})
            for job, (command, root) in jobs.items():
                ran = run(command, root, environment(root if root == ours.root else REPO))
                times[job].append(ran.seconds)
                peaks[job] = max(ran.peak, peaks.get(job, 0.0))
            times["training alone"].append(float(run(train, folder).output.split()[-1]))
            print(f"round {number + 1}:", {job: each[-1] for job, each in times.items()}, file=sys.stderr)
    times["cold"] = cold
    results.write("pipelines", {"rounds": rounds, **figures(times), "peak": peaks}, arguments.quick)


def figures(times: clock.Times) -> dict[str, Any]:
    """Seconds and ratios of what was timed."""
    floor = ["cp, dvc repro -f", "import torch", "import mlflow", "training alone"]
    parts = [sum(each) for each in zip(*(times[name] for name in floor), strict=True)]
    whole = times["ours, dvc repro -f"]
    return {
        "seconds": {
            **{name: clock.spread(each) for name, each in times.items()},
            "parts": clock.spread(parts),
        },
        "naive_to_ours": clock.ratio(times["naive, dvc repro -f"], whole),
        "ours_to_parts": clock.ratio(whole, parts),
        "no_op_to_floor": clock.ratio(times["ours, no-op"], times["cp, no-op"]),
    }


if __name__ == "__main__":
    main()
