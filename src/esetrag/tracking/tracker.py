"""A stage's side of the tracking: it tells, and whatever the store does, its results stand."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from esetrag.core import config, stage
from esetrag.core.errors import TrackingError
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.streams import tell
from esetrag.training.history import Epoch

COMPLETE = "complete"
"""Tells the tracker's process to complete the run when it is told which stages ran."""
READY_IN, DONE_IN, MARKED_IN = 30.0, 5.0, 3.0
"""Seconds that ``tracking.required`` waits for the store, the end of a training for its last epochs, and
a training that was stopped for its mark."""


@contextmanager
def live(layout: Layout) -> Iterator[Callable[[Epoch], None]]:
    """Logs a training's epochs from another process, which a slow or dead store cannot hold up.

    Args:
        layout: of the task; ``params.yaml`` is read beside it.

    Yields:
        The function that is to be told of every epoch.

    Raises:
        TrackingError: before the training, if ``tracking.required`` and the store cannot be used.
    """
    settings = config.load(layout.root / PARAMS).tracking
    if not settings.enabled:
        yield lambda _: None
        return
    with _process(layout.task) as process:
        if process.stdin is None or process.stdout is None:
            raise TrackingError("the tracker's process has no pipes")
        pipe = process.stdin.fileno()
        os.set_blocking(pipe, False)
        if settings.required and (answer := _answer(process, READY_IN)) != "ready":
            process.kill()
            raise TrackingError(f"tracking.required is true and the store cannot be used: {answer}")

        def tell(epoch: Epoch) -> None:
            # A full or broken pipe loses an epoch of the run, never of the training; the last
            # stage completes the run from the history.
            with contextlib.suppress(OSError):
                os.write(pipe, (json.dumps(asdict(epoch)) + "\n").encode())

        try:
            yield tell
            with contextlib.suppress(OSError):
                os.write(pipe, b"end\n")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(DONE_IN)
            if process.returncode != 0:
                answer = "it takes too long" if process.returncode is None else _answer(process, 1)
                _warn(f"the epochs were not logged ({answer}); the last stage will log the run")
                process.kill()
        finally:
            with contextlib.suppress(OSError):
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(MARKED_IN)  # after a failed training it marks the run as killed
            process.kill()


@contextmanager
def completing(layout: Layout) -> Iterator[None]:
    """Makes the run of a finished pipeline whole, at the end of the last stage's work.

    Another process imports MLflow and opens the store meanwhile.

    Args:
        layout: of the task; ``params.yaml`` is read beside it.

    Raises:
        TrackingError: if ``tracking.required`` and the store cannot be used.
    """
    settings = config.load(layout.root / PARAMS).tracking
    ran = stage.ran(layout.task)
    if not settings.enabled:
        yield
        return
    with _process(layout.task, COMPLETE) as process:
        try:
            yield
            answer = process.communicate((json.dumps(ran) + "\n").encode())[0].decode(errors="replace")
        finally:
            process.kill()  # after a failed stage: a run is completed from whole artifacts or not at all
    if process.returncode == 0:
        return
    reason = (answer.splitlines() or ["it ended without a word"])[-1]
    if settings.required:
        raise TrackingError(reason)
    _warn(f"the run was not logged ({reason}); log it later: esetrag track")


def _process(*arguments: str) -> subprocess.Popen[bytes]:
    """Starts the tracker's process, in a group of its own: Ctrl-C is for the stage, which ends it."""
    command = [sys.executable, "-m", "esetrag.tracking.log_run", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)  # noqa: S603


def _answer(process: subprocess.Popen[bytes], seconds: float) -> str:
    """The line with which the tracker says that it is ready, or why it is not."""
    if process.stdout is None or not select.select([process.stdout], [], [], seconds)[0]:
        return f"no answer within {seconds:g} seconds"
    lines = os.read(process.stdout.fileno(), 4096).decode(errors="replace").splitlines()
    return lines[-1] if lines else "it ended without a word"


def _warn(text: str) -> None:
    tell(f"tracking: {text}")
