"""Many tasks: what two workers gain, and what a task costs beside a plain call of the library.

Forty small tasks, each six stages of which nearly all is imports: the worst case for what DVC and a process
of its own add. ``PROBING``, a folder of tasks of words and labels, is what ``esetrag benchmark`` computes.
"""

from __future__ import annotations

import argparse
import runpy
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

from bench import measure
from bench.measure import RAW, REPO, TASK, Spread, bar, ratio, short
from bench.process import STAGES, Ran, run

TASKS, FEW, FEWEST = 40, 10, 4
"""Tasks of the sweeps; of the other commands; where CPU seconds alone count."""
WORKERS = ("1", "2")
SMALL = {
    "sample": {"train": 200, "dev": 100, "test": 200},
    "train": {"epochs": 1, "min_steps": 0, "analogies": 0},
}
GAIN = 1.7
"""How many times faster two workers should be."""


def project(root: Path, raw: Path, tasks: int, tracking: bool = True) -> None:
    """A clone of the last commit, with a DVC remote; its tasks are small samples of the default one."""
    run(["git", "clone", "--quiet", "--depth=1", REPO.as_uri(), str(root)], REPO)
    (root / "dvc.lock").unlink()
    shutil.copyfile(raw, root / RAW)
    params = yaml.safe_load((root / "params.yaml").read_text("utf-8"))
    task = params["tasks"][TASK]
    params["tasks"] = {
        f"task-{seed:02d}": {**task, **SMALL, "sample": {**SMALL["sample"], "seed": seed}}
        for seed in range(1, tasks + 1)
    }
    params["tracking"]["enabled"] = tracking
    (root / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True), "utf-8")
    run(["dvc", "remote", "add", "--quiet", "--default", "results", str(root.with_suffix(".remote"))], root)
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    run(["git", *identity, "commit", "--quiet", "--all", "--message", "Small tasks"], root)


def sweeps(folder: Path, raw: Path, tasks: int) -> dict[str, Ran]:
    """``esetrag sweep`` with one worker and with two."""
    ran = dict[str, Ran]()
    for count in WORKERS:
        root = folder / f"sweep-{count}"
        project(root, raw, tasks)
        command = ["python", "-m", "esetrag", "sweep", "--workers", count]
        ran[f"esetrag sweep --workers {count}"] = run(command, root, root)
    return ran


def benchmarks(folder: Path, probing: Path, tasks: int) -> dict[str, Ran]:
    """``esetrag benchmark`` of so many tasks with one worker and with two."""
    some = folder / "probing"
    for path in sorted(probing.glob("*/train.tsv"))[:tasks]:
        shutil.copytree(path.parent, some / path.parent.name)
    ran = dict[str, Ran]()
    for count in WORKERS:
        root = folder / f"benchmark-{count}"
        run(["git", "clone", "--quiet", "--depth=1", REPO.as_uri(), str(root)], REPO)
        command = ["python", "-m", "esetrag", "benchmark", str(some), "--workers", count]
        ran[f"esetrag benchmark --workers {count}"] = run(command, root, root)
    return ran


def gain(ran: dict[str, Ran], command: str) -> Spread:
    """How many times faster a command is with two workers."""
    one, two = (ran[f"{command} --workers {count}"].seconds for count in WORKERS)
    return ratio([one], [two])


def gains(arguments: argparse.Namespace, folder: Path) -> None:
    """Measures what two workers gain: on an idle machine."""
    many, few = (2, 2) if arguments.quick else (TASKS, FEW)
    ran = sweeps(folder, arguments.raw, many)
    sizes = dict.fromkeys(ran, many)
    bars = [bar("two workers ÷ one, `esetrag sweep`", GAIN, gain(ran, "esetrag sweep"))]
    if arguments.probing:
        ran |= benchmarks(folder, arguments.probing, few)
        bars.append(bar("two workers ÷ one, `esetrag benchmark`", GAIN, gain(ran, "esetrag benchmark")))
    project(folder / "repro", arguments.raw, few)
    ran["dvc repro"] = run(["dvc", "repro"], folder / "repro", folder / "repro")
    text = (
        "The tasks of the sweeps and of `dvc repro`, which also logs them in MLflow, are small: 200 words, "
        "one epoch. Those of the benchmark have 1,800 words."
    )
    rows = [
        (f"`{name}`", size, short(done.seconds / size), short(done.cpu / size))
        for name, done in ran.items()
        for size in [sizes.get(name, few)]
    ]
    head = ("command", "tasks", "seconds a task", "CPU seconds a task")
    measure.write_section("6 Many tasks", text, head, rows, arguments.quick, bars)


def costs(arguments: argparse.Namespace, folder: Path) -> None:
    """Measures what DVC and a process for each stage add, in CPU seconds."""
    few = 2 if arguments.quick else FEWEST
    ran = dict[str, Ran]()
    for number, (name, command) in enumerate(ONE_BY_ONE.items()):
        root = folder / str(number)
        project(root, arguments.raw, few, tracking=False)
        ran[name] = run(command, root, root)
    rows = [(name, short(done.cpu / few)) for name, done in ran.items()]
    text = f"Without MLflow; {few} of the small tasks."
    measure.write_section("7 What DVC adds", text, ("", "CPU seconds a task"), rows, arguments.quick)


ONE_BY_ONE = {
    "the six stages of all tasks in one process": ["python", "-m", "bench.many", "--only", "stages"],
    "`dvc repro`": ["dvc", "repro"],
    "`esetrag sweep --workers 1`": ["python", "-m", "esetrag", "sweep", "--workers", "1"],
}


def stages(_: argparse.Namespace, __: Path) -> None:
    """Runs the stages of all tasks of the current folder, in this process."""
    from esetrag.core import config, stage
    from esetrag.core.layout import PARAMS, Layout

    params = config.load(PARAMS)

    def run_here(main: Any, *sections: type) -> None:
        for task in params.tasks:
            main(Layout(task), *params.sections(task, sections))

    stage.run = run_here
    for name in STAGES:
        runpy.run_path(f"stages/{name}.py", run_name="__main__")


def main() -> None:
    """Measures one after another."""
    jobs = {"gains": gains, "costs": costs, "stages": stages}
    options = measure.parser(__doc__)
    options.add_argument("--only", nargs="+", choices=jobs, default=["gains", "costs"])
    options.add_argument("--probing", type=Path, help="a folder of tasks of words and labels")
    arguments = options.parse_args()
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            jobs[name](arguments, Path(folder))


if __name__ == "__main__":
    main()
