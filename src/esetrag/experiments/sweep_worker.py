"""One run of a sweep: python -m esetrag.experiments.sweep_worker, its job as JSON on standard input."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException

from esetrag.core import runtime
from esetrag.core.layout import PARAMS


def main() -> None:
    """Computes a task in a clone of the commit, and pushes what each stage made to the project's remote."""
    job: dict[str, Any] = json.load(sys.stdin)
    runtime.handle_signals()
    runtime.end_with_parent()
    if job["memory"]:
        resource.setrlimit(resource.RLIMIT_DATA, (job["memory"], job["memory"]))  # stages inherit it
    with tempfile.TemporaryDirectory(prefix="esetrag-", ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        for command in (["clone", "-q", job["repository"], "."], ["checkout", "-q", job["commit"]]):
            subprocess.run(["git", *command], check=True)  # noqa: S603, S607
        os.environ["PYTHONPATH"] = str(Path(folder) / "src")  # the library of the commit
        try:
            compute(job["task"], job["settings"], job["remote"])
        except DvcException as error:
            sys.exit(f"DVC: {error}")
        except runtime.Stopped as stopped:
            sys.exit(stopped.code)


def compute(task: str, settings: list[str], remote: dict[str, Any]) -> None:
    """Reproduces a task here, as far as the run cache of the remote does not have it.

    Args:
        task: a key of ``tasks``.
        settings: values of parameters, as ``dvc exp run -S`` takes them.
        remote: configuration of the DVC remote.
    """
    from dvc.repo import Repo
    from dvc.utils.hydra import apply_overrides

    apply_overrides(PARAMS, [*settings, "tracking.enabled=false"])  # no stage depends on the latter
    last, config = f"error_analysis@{task}", {"core": {"remote": "sweep"}, "remote": {"sweep": remote}}
    with Repo(config=config) as repo:
        reproduce(repo, [last])
    with Repo(config=config) as repo:
        # DVC itself keeps no run of a stage whose outputs are neither cached nor plots, as pages are.
        for stage in repo.stage.collect(last, with_deps=True):
            repo.stage_cache.save(stage)
        objects = repo.stage_cache.get_used_objs(repo.stage_cache.push(None))
        for part in objects.values():
            repo.cloud.push(part)


def reproduce(repo: Any, targets: list[str]) -> None:
    """``dvc repro --pull``, but writes ``dvc.lock`` once: DVC writes all of it after each stage.

    Of 40 tasks, the run cache is found in a seventh of the time.

    Args:
        repo: DVC's.
        targets: names of stages; all if there are none.

    Raises:
        DvcException: if a stage fails; those before it are in ``dvc.lock``.
    """
    changed = []

    def run(stage: Any, **options: Any) -> Any:
        if done := stage.reproduce(**options):
            changed.append(done)
        return done

    try:
        repo.reproduce(targets or None, pull=True, repro_fn=run)
    finally:
        if changed:
            changed[0].dvcfile.dump_stages(changed, update_pipeline=False)


if __name__ == "__main__":
    main()
