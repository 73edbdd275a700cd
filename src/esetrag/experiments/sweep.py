"""Many runs of the pipeline, tasks by parameters: each in a process of its own, here or on a Ray cluster.

A worker computes a run in a clone of the commit and pushes DVC's run cache to the project's remote. When all
have ended, DVC finds every stage there: ``dvc.lock`` is that of a sequential ``dvc repro``, byte for byte.
Other parameters than those of ``params.yaml`` become DVC experiments.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from esetrag.core import config, files
from esetrag.core.errors import DataError, ParamsError, TrackingError
from esetrag.core.layout import PARAMS
from esetrag.core.streams import tell
from esetrag.experiments import engine
from esetrag.tracking import store

KEPT = Path(".esetrag/sweep")
"""Which runs are done, and the output of those that failed, in a folder of each commit."""
DONE, FAILED = "DONE", "FAILED"
OUTPUT = 20_000
"""Characters of the output of a failed run that are kept."""
INPUTS = (str(PARAMS), "dvc.yaml", "src", "stages", "data")
FOREIGN = ("MLFLOW_", "DVC_", "GIT_", "MAKE", "MFLAGS")


class Run(NamedTuple):
    """A task with values of parameters, as ``dvc exp run -S`` takes them."""

    task: str
    settings: tuple[str, ...]

    @property
    def name(self) -> str:
        """Both as the name of a file."""
        return _name((self.task, *self.settings))


def runs(tasks: Sequence[str], grid: Sequence[str]) -> list[Run]:
    """All runs of a sweep.

    Args:
        tasks: keys of ``tasks``.
        grid: parameters with several values each (``train.seed=1,2,3``), as of ``dvc exp run --queue -S``.

    Raises:
        ParamsError: if that is not what ``grid`` has.
    """
    from dvc.utils.hydra import get_hydra_sweeps
    from hydra.errors import HydraException

    try:
        sweeps = get_hydra_sweeps({str(PARAMS): list(grid)}) if grid else [{str(PARAMS): []}]
    except HydraException as error:
        raise ParamsError(f"--set: {str(error).splitlines()[0]}") from error
    return [Run(task, tuple(settings[str(PARAMS)])) for settings in sweeps for task in tasks]


def compute(shared: Mapping[str, Any], run: Run) -> tuple[float, str]:
    """Computes a run in a process of its own.

    Args:
        shared: ``repository`` and ``commit`` to clone; ``remote``, the configuration of DVC's; ``memory``,
            bytes that each of its processes may allocate, or 0.
        run: which.

    Returns:
        The seconds it took; the end of its output if it failed, else nothing.
    """
    start = time.monotonic()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "esetrag.experiments.sweep_worker"],
        env={**clean, "PATH": path, "DVC_NO_ANALYTICS": "1"},
        input=json.dumps({**shared, **run._asdict()}),  # no argument: a remote may hold a secret
        capture_output=True,
        text=True,
    )
    output = f"{done.stdout}{done.stderr}"[-OUTPUT:] + f"exit code {done.returncode}\n"
    return time.monotonic() - start, output if done.returncode else ""


def sweep(
    params: config.Params,
    listed: Sequence[Run],
    places: tuple[str, int],
    memory: int = 0,
    repository: str = "",
) -> Iterator[tuple[Run, str, float]]:
    """Computes all runs that are not done yet, then brings their results into the workspace.

    Args:
        params: all parameters.
        listed: what ``runs`` gave.
        places: engine and runs at once.
        memory: bytes for each process of a run; 0 is no bound.
        repository: what workers clone; empty is this folder, which other machines must see.

    Yields:
        Each run as it ends, with ``DONE`` or ``FAILED``, and seconds (0 if it was done before).

    Raises:
        DataError: if the commit cannot be computed elsewhere, or DVC cannot bring results here.
        ParamsError: if the engine is not installed.
    """
    commit, remote = _state()
    shared = {
        "commit": commit,
        "remote": remote,
        "memory": memory,
        "repository": repository or str(Path.cwd()),
    }
    folder = KEPT / commit[:12]
    states = {run: DONE if (folder / f"{run.name}.done").exists() else FAILED for run in listed}
    yield from ((run, DONE, 0.0) for run, state in states.items() if state == DONE)
    left = [run for run, state in states.items() if state == FAILED]
    for run, result in engine.results(partial(compute, shared), left, *places, threads=True) if left else ():
        seconds, output = (0.0, str(result)) if isinstance(result, Exception) else result
        if output:
            files.write_text(folder / f"{run.name}.log", output)
            _log_failed(params, run, commit)
        else:
            files.write_text(folder / f"{run.name}.done", f"{seconds:.1f}\n")
            states[run] = DONE
        yield run, states[run], seconds
    _gather(params, [run for run, state in states.items() if state == DONE], folder)


def _name(parts: Sequence[str]) -> str:
    return re.sub(r"[^\w.=+-]+", "_", "-".join(parts))


def _state() -> tuple[str, dict[str, Any]]:
    """The commit, and the configuration of the default remote."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if changed := _output("git", "status", "--porcelain", "--", *INPUTS):
        raise DataError(f"{changed.split()[1]}: changed, and workers compute the last commit; commit it")
    try:
        with Repo() as repo:
            settings = repo.config
    except DvcException as error:
        raise DataError(f"DVC: {error}") from error
    if (name := settings["core"].get("remote")) is None:
        raise DataError("no DVC remote for the results; add one: dvc remote add --default NAME FOLDER_OR_URL")
    return _output("git", "rev-parse", "HEAD").strip(), dict(settings["remote"][name])


def _gather(params: config.Params, done: Sequence[Run], folder: Path) -> None:
    """Lets DVC find what is done in the run cache; an experiment that lacks some of it is made anew."""
    known = _output("dvc", "exp", "list", "--name-only").split()
    for settings in dict.fromkeys(run.settings for run in done):
        ended = {run.task for run in done if run.settings == settings}
        if settings:  # the experiment also has what sweeps of other tasks computed
            ended |= {task for task in params.tasks if (folder / f"{Run(task, settings).name}.done").exists()}
        targets = [] if len(ended) == len(params.tasks) else [f"error_analysis@{x}" for x in sorted(ended)]
        if not settings:
            _reproduce(targets)
            continue
        name = _name(settings)
        gathered = folder / f"{name}.gathered"
        if name in known:
            if not gathered.exists():
                tell(f"{name}: an experiment that no sweep made stays; to replace it: dvc exp remove {name}")
                continue
            if ended <= {*gathered.read_text("utf-8").split()}:
                continue
            _output("dvc", "exp", "remove", name)
        chosen = [part for setting in settings for part in ("-S", setting)]
        files.write_text(gathered, "\n".join(sorted(ended)))
        _output("dvc", "exp", "run", "--temp", "--pull", "--name", name, *chosen, *targets)


def _reproduce(targets: list[str]) -> None:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    from esetrag.experiments import sweep_worker

    logging.getLogger("dvc").setLevel(logging.WARNING)  # a line for each stage
    try:
        with Repo() as repo:
            sweep_worker.reproduce(repo, targets)
    except DvcException as error:
        raise DataError(f"dvc repro: {error}") from error


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise DataError(f"{' '.join(command)[:200]}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def _log_failed(params: config.Params, run: Run, commit: str) -> None:
    """Makes a failed run one in MLflow, too; the others are logged from their results: ``esetrag track``."""
    if not params.tracking.enabled:
        return
    try:
        with store.opened(params.experiment_of(run.task)) as opened:
            tags = {"task": run.task, "mlflow.source.git.commit": commit}
            logged = opened.client.create_run(opened.experiment_id, tags=tags, run_name=run.name).info.run_id
            for setting in run.settings:
                opened.client.log_param(logged, *setting.split("=", 1))
            opened.client.set_terminated(logged, FAILED)
    except TrackingError as error:
        tell(f"tracking: {error}")
