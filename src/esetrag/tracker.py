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

from esetrag import params, stage
from esetrag.errors import TrackingError
from esetrag.history import Epoch
from esetrag.layout import Layout

READY_IN, DONE_IN = 30.0, 5.0
"""Seconds that ``tracking.required`` waits for the store, and the end of a training for its last epochs."""


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
    settings = params.load(layout.root / "params.yaml").tracking
    if not settings.enabled:
        yield lambda _: None
        return
    command = [sys.executable, "-m", "esetrag.tracking", layout.task]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
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
        finally:
            with contextlib.suppress(OSError):
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)  # after a failed training it marks the run as killed
            process.kill()


def complete(layout: Layout) -> None:
    """Makes the run of a finished pipeline whole.

    Args:
        layout: of the task; ``params.yaml`` is read beside it.

    Raises:
        TrackingError: if ``tracking.required`` and the store cannot be used.
    """
    given = params.load(layout.root / "params.yaml")
    ran = stage.ran(layout.task)
    if not given.tracking.enabled:
        return
    from esetrag import tracking  # MLflow takes seconds to import

    try:
        tracking.complete(layout, given, ran)
    except TrackingError as error:
        if given.tracking.required:
            raise
        _warn(f"the run was not logged ({error}); log it later: esetrag track")


def _answer(process: subprocess.Popen[bytes], seconds: float) -> str:
    """The line with which the tracker says that it is ready, or why it is not."""
    if process.stdout is None or not select.select([process.stdout], [], [], seconds)[0]:
        return f"no answer within {seconds:g} seconds"
    lines = os.read(process.stdout.fileno(), 4096).decode(errors="replace").splitlines()
    return lines[-1] if lines else "it ended without a word"


def _warn(text: str) -> None:
    print(f"tracking: {text}", file=sys.stderr)
