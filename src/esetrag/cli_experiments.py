"""The commands of many runs: ``esetrag curve``, ``benchmark``, ``sweep`` and ``tune``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from esetrag.core import config
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.streams import show, tell

Options = argparse.Namespace
ENGINES = ("local", "ray")


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands; ``command(run, text, default)`` makes a parser of one."""
    curve = command(_curve, "measure the accuracy by the number of training forms, from 30 on")
    curve.add_argument("--seeds", type=int, default=3, metavar="N", help="splits and samples (default: 3)")
    curve.add_argument("--sizes", type=int, nargs="+", metavar="FORMS", help="default: 30 100 300 1000 3000")
    curve.add_argument("--all", action="store_true", help="all training forms as well; takes minutes")

    benchmark = command(
        _benchmark, "measure every model on a folder of tasks of words and labels", default=""
    )
    benchmark.add_argument("folder", type=Path, help="with a folder of train.tsv, dev.tsv, test.tsv a task")
    benchmark.add_argument(
        "--seeds", type=_count, default=1, metavar="N", help="trainings a task (default: 1)"
    )
    benchmark.add_argument("--only", default="", metavar="TEXT", help="tasks with this in their names")
    output = "path of .tsv, .md and .png (default: metrics/benchmark/NAME)"
    benchmark.add_argument("--output", type=Path, metavar="PATH", help=output)

    sweep = command(_sweep, "compute all tasks, with several values of parameters, in many processes", "all")
    grid = "values of a parameter, as train.seed=1,2,3; each combination is a DVC experiment"
    sweep.add_argument("-S", "--set", action="append", default=[], metavar="NAME=VALUES", help=grid)
    memory = "of each process of a run (default: 8; 0 is no bound)"
    sweep.add_argument("--memory", type=float, default=8, metavar="GIB", help=memory)
    sweep.add_argument("--repository", default="", metavar="URL", help="what workers clone (default: this)")

    tune = command(_tune, "search for better parameters: trains on train, judges on dev, never opens test")
    tune.add_argument("--ranges", type=Path, default="tune.yaml", metavar="FILE", help="default: tune.yaml")
    tune.add_argument(
        "--trials", type=_count, default=30, metavar="N", help="with those before (default: 30)"
    )
    tune.add_argument("--workers", type=_count, default=1, metavar="N", help="processes (default: 1)")

    for added in (benchmark, sweep):
        added.add_argument("--engine", choices=ENGINES, default="local", help="default: local")
        processes = "jobs at once (default: as many as processors; a Ray cluster decides itself)"
        added.add_argument("--workers", type=_count, default=os.cpu_count() or 1, metavar="N", help=processes)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {text}")
    return int(text)


def task_of(options: Options) -> tuple[config.Params, Layout]:
    """All parameters, and the task that is named or the first one."""
    params = config.load(PARAMS)
    layout = Layout(options.task or next(iter(params.tasks)))
    params.task(layout.task)
    return params, layout


def _curve(options: Options) -> None:
    params, layout = task_of(options)
    from esetrag.experiments import learning_curve

    measured = learning_curve.measure(layout, params, options.seeds, options.sizes, options.all)
    show(measured)


def _sweep(options: Options) -> None:
    from esetrag.experiments import sweep

    params = config.load(PARAMS)
    tasks = [options.task] if options.task and params.task(options.task) else list(params.tasks)
    places, memory = (options.engine, options.workers), int(options.memory * 2**30)
    failed = 0
    listed = sweep.runs(tasks, options.set)
    for run, state, seconds in sweep.sweep(params, listed, places, memory, options.repository):
        show(f"{state}  {run.name}" + (f"  {seconds:.1f} s" if seconds else ""))
        failed += state == sweep.FAILED
    if failed:
        tell(f"{failed} failed; their output is in {sweep.KEPT}")
        sys.exit(1)


def _tune(options: Options) -> None:
    from esetrag.experiments import tune

    params, layout = task_of(options)
    show(tune.tune(layout, params, options.ranges, options.trials, options.workers))


def _benchmark(options: Options) -> None:
    from esetrag.experiments import benchmark

    target = options.output or Path("metrics/benchmark") / options.folder.resolve().name
    places = options.engine, options.workers
    params = config.load(PARAMS)
    show(benchmark.measure(options.folder, params, options.seeds, options.only, target, places))
