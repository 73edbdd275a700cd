"""A stage's side of the tracking: whatever the store does, the results of the stage stand.

A daemon thread imports MLflow and talks to the store while the stage works. A store that does not
answer in time is given up; the process does not wait for the thread when it ends.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from esetrag.core import config
from esetrag.core.errors import DataError, TrackingError
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.runtime import STORE
from esetrag.core.streams import tell
from esetrag.training.history import Epoch

T = TypeVar("T")
SERVER, LOCAL = 12.0, 120.0
"""Seconds for a store, from the start of a training or the end of the last stage; a local file answers."""
LAST, STOPPED = 5.0, 3.0
"""Seconds more for the last epochs of a training, and for the mark of one that was stopped."""


@contextmanager
def live(layout: Layout) -> Iterator[Callable[[Epoch], None]]:
    """Yields the function that logs an epoch of a task's training.

    Raises:
        TrackingError: before the training, if ``tracking.required`` and the store cannot be used.
    """
    params, end = config.load(layout.root / PARAMS), time.monotonic() + _limit()
    if not params.tracking.enabled:
        yield lambda _: None
        return
    events: SimpleQueue[Epoch | bool] = SimpleQueue()
    ready = threading.Event()

    def follow() -> None:
        from esetrag.tracking import log_run

        log_run.follow(layout, params, events.get, ready.set)

    work = _background(follow)
    work.add_done_callback(lambda _: ready.set())
    if (
        params.tracking.required
        and (not ready.wait(_limit()) or work.done())
        and (reason := _failure(work, 0))
    ):
        raise TrackingError(f"tracking.required is true and the store cannot be used: {reason}")
    try:
        yield events.put
    except BaseException:
        events.put(False)
        _failure(work, STOPPED)
        raise
    events.put(True)
    if reason := _failure(work, max(LAST, end - time.monotonic())):
        tell(f"tracking: the epochs were not logged ({reason}); the last stage will log the run")


@contextmanager
def completing(layout: Layout) -> Iterator[None]:
    """Makes the run of a finished pipeline whole, after the block: the last stage's work.

    Raises:
        TrackingError: if ``tracking.required`` and the store cannot be used.
    """
    params, done = config.load(layout.root / PARAMS), threading.Event()
    if not params.tracking.enabled:
        yield
        return

    def complete() -> None:
        from esetrag.tracking import log_run, store

        with store.opened(params.experiment_of(layout.task)):  # which takes most of the time
            pass
        done.wait()
        log_run.complete(layout, params)

    work = _background(complete)
    yield  # if it raises, the thread waits until the process ends: no run is made of half the artifacts
    done.set()
    if reason := _failure(work, _limit()):
        if params.tracking.required:
            raise TrackingError(reason)
        tell(f"tracking: the run was not logged ({reason}); log it later: esetrag track")


def complete(
    layout: Layout, params: config.Params, origin: dict[str, str] | None = None, seconds: float | None = None
) -> str:
    """``log_run.complete`` within so many seconds, None being those of the last stage.

    Raises:
        TrackingError: if the store has not taken everything by then, or cannot be used.
        DataError: if an artifact is missing.
    """
    from esetrag.tracking import log_run, store

    limit = _limit() if seconds is None else seconds
    try:
        return _background(lambda: log_run.complete(layout, params, origin)).result(limit)
    except TimeoutError as error:
        mend = "goes on where this ended, and takes more patience: --wait 600"
        raise TrackingError(
            f"{store.address()}: not all was logged in {limit:g} seconds; esetrag track {mend}"
        ) from error


def complete_each(
    layouts: Sequence[Layout],
    params: config.Params,
    origin: dict[str, str] | None = None,
    seconds: float | None = None,
) -> Iterator[tuple[str, str]]:
    """``complete`` of several tasks: one that is not ready keeps no other from being logged.

    Yields:
        Each task that is logged, with the id of its run.

    Raises:
        TrackingError: as ``complete``, at once.
        DataError: at the end, of the last task that is not ready; those before it are told.
    """
    from esetrag.tracking import lock

    errors = list[DataError]()
    for layout in layouts:
        try:
            if origin is None:  # a revision was checked when it was restored
                lock.check(layout)
            run_id = complete(layout, params, origin, seconds)
        except DataError as error:
            errors.append(error)
        else:
            yield layout.task, run_id
    for earlier in errors[:-1]:
        tell(f"esetrag: {earlier}")
    if errors:
        raise errors[-1]


def _limit() -> float:
    return SERVER if os.environ.get("MLFLOW_TRACKING_URI", "").startswith("http") else LOCAL


def _background(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 whatever the store does, the stage goes on
            future.set_exception(error)

    threading.Thread(target=run, name=STORE, daemon=True).start()
    return future


def _failure(work: Future[Any], seconds: float) -> str:
    """Why work has failed or is not done after so many seconds; empty if it is done."""
    try:
        work.result(seconds)
    except Exception as error:  # noqa: BLE001
        return " ".join(str(error).split()) or f"no answer in {_limit():.0f} seconds"
    return ""
