"""Many runs of the pipeline, tasks by parameters: each in a process of its own, here or on a Ray cluster.

A worker computes a run in a clone of the commit and pushes DVC's run cache to the project's remote. When all
have ended, DVC finds every stage there: ``dvc.lock`` is that of a sequential ``dvc repro``, byte for byte.
Other parameters than those of ``params.yaml`` become DVC experiments.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esetrag.core import config, files
from esetrag.core.errors import DataError, TrackingError
from esetrag.core.layout import PARAMS
from esetrag.core.streams import tell
from esetrag.tracking import engine, store

KEPT = Path(".esetrag/sweep")
DONE, FAILED = "DONE", "FAILED"
INPUTS = (str(PARAMS), "dvc.yaml", "src", "stages", "data")
FOREIGN = ("MLFLOW_", "DVC_", "GIT_", "MAKE", "MFLAGS", "PYTHONPATH")


@dataclass(frozen=True)
class Run:
    """A task with some values of parameters; both as ``dvc exp run`` names them."""

    task: str
    settings: tuple[str, ...]

    @property
    def name(self) -> str:
        """Task and settings as a name of a file."""
        return named((self.task, *self.settings))


@dataclass(frozen=True)
class Job:
    """What a worker receives."""

    run: Run
    repository: str
    commit: str
    remote: dict[str, Any]
    memory: int
    """Bytes that each of its processes may allocate; 0 is no bound."""


def named(parts: Sequence[str]) -> str:
    """Some words as one name of a file and of a DVC experiment."""
    return re.sub(r"[^\w.=+-]+", "_", "-".join(parts))


def runs(tasks: Sequence[str], grid: Sequence[str]) -> list[Run]:
    """All runs of a sweep.

    Args:
        tasks: keys of ``tasks``.
        grid: parameters with several values each, ``train.seed=1,2,3``, as of ``dvc exp run --queue -S``.
    """
    from dvc.utils.hydra import get_hydra_sweeps

    sweeps = get_hydra_sweeps({str(PARAMS): list(grid)}) if grid else [{str(PARAMS): []}]
    return [Run(task, tuple(settings[str(PARAMS)])) for settings in sweeps for task in tasks]


def compute(job: Job) -> float:
    """Computes a run in a process of its own; returns the seconds it took.

    Raises:
        TrackingError: with the end of its output, if it failed.
    """
    start = time.monotonic()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    content = {**vars(job), "task": job.run.task, "settings": job.run.settings, "run": None}
    done = subprocess.run(
        [sys.executable, "-m", "esetrag.tracking.sweep_worker"],
        env={**clean, "PATH": path, "PYTHONPATH": str(Path(__file__).parents[2]), "DVC_NO_ANALYTICS": "1"},
        input=json.dumps(content),  # not an argument: a remote may hold a secret
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise TrackingError(f"exit code {done.returncode}: {(done.stdout + done.stderr)[-4000:]}")
    return time.monotonic() - start


def sweep(
    params: config.Params,
    tasks: Sequence[str],
    grid: Sequence[str],
    places: tuple[str, int],
    memory: int = 0,
    repository: str = "",
) -> Iterator[tuple[Run, str, float]]:
    """Computes all runs that are not done yet, then brings their results into the workspace.

    Args:
        params: all parameters.
        tasks: which.
        grid: as of ``runs``.
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
    folder = KEPT / commit[:12]
    listed = runs(tasks, grid)
    states = dict.fromkeys(listed, FAILED)
    for run in listed:
        if (folder / f"{run.name}.done").exists():
            states[run] = DONE
            yield run, DONE, 0.0
    repository = repository or str(Path.cwd())
    jobs = [Job(run, repository, commit, remote, memory) for run in listed if states[run] == FAILED]
    for job, result in engine.results(compute, jobs, *places, threads=True) if jobs else ():
        if isinstance(result, Exception):
            files.write_text(folder / f"{job.run.name}.log", f"{result}\n")
            _log_failed(params, job, str(result))
            yield job.run, FAILED, 0.0
        else:
            states[job.run] = DONE
            files.write_text(folder / f"{job.run.name}.done", f"{result:.1f}\n")
            yield job.run, DONE, result
    _gather(params, states)


def _state() -> tuple[str, dict[str, Any]]:
    """The commit, and the configuration of the default remote."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if changed := _output("git", "status", "--porcelain", "--", *INPUTS):
        raise DataError(f"{changed.split()[1]}: changed, and workers compute the last commit; commit it")
    try:
        with Repo() as repo:
            settings = repo.config
            name = settings["core"].get("remote")
            if name is None:
                raise DataError("no default remote for results: dvc remote add --default NAME FOLDER_OR_URL")
            return _output("git", "rev-parse", "HEAD").strip(), dict(settings["remote"][name])
    except DvcException as error:
        raise DataError(f"DVC: {error}") from error


def _gather(params: config.Params, states: dict[Run, str]) -> None:
    """Lets DVC find the finished runs in the run cache; the experiments that are there stay."""
    known = _output("dvc", "exp", "list", "--name-only").split()
    for settings in dict.fromkeys(run.settings for run in states):
        tasks = [run.task for run, state in states.items() if run.settings == settings and state == DONE]
        targets = [] if len(tasks) == len(params.tasks) else [f"error_analysis@{task}" for task in tasks]
        if not settings and tasks:
            _output("dvc", "repro", "--pull", *targets)
        elif tasks and (name := named(settings)) not in known:
            chosen = [part for setting in settings for part in ("-S", setting)]
            _output("dvc", "exp", "run", "--temp", "--pull", "--name", name, *chosen, *targets)


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise DataError(f"{' '.join(command)[:200]}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def _log_failed(params: config.Params, job: Job, reason: str) -> None:
    """Makes a failed run one in MLflow, too; others are logged from their results (``esetrag track``)."""
    if not params.tracking.enabled:
        return
    try:
        with store.opened(params.tracking.experiment) as opened:
            tags = {"task": job.run.task, "mlflow.note.content": reason, "commit": job.commit}
            run = opened.client.create_run(opened.experiment_id, tags=tags, run_name=job.run.name)
            for setting in job.run.settings:
                opened.client.log_param(run.info.run_id, *setting.split("=", 1))
            opened.client.set_terminated(run.info.run_id, FAILED)
    except TrackingError as error:
        tell(f"tracking: {error}")
