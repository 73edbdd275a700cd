"""Where many jobs run: in processes of this machine or on a Ray cluster. Neither scheduler is ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from esetrag.core.errors import ParamsError

Job = TypeVar("Job")
Result = TypeVar("Result")
Submit = Callable[..., "Future[Any]"]


def results(
    function: Callable[[Job], Result], jobs: Sequence[Job], engine: str, workers: int, threads: bool = False
) -> Iterator[tuple[Job, Result | Exception]]:
    """Each job with its result, or with the error it ended in, as soon as it is done.

    Args:
        function: of a module, so that another process finds it.
        jobs: its arguments.
        engine: ``local`` or ``ray``.
        workers: jobs at once; a Ray cluster that is there already decides itself.
        threads: whether jobs start processes of their own, so that threads are enough here.

    Raises:
        ParamsError: if Ray is wanted and not installed.
    """
    with _ray(workers) if engine == "ray" else _local(workers, threads) as submit:
        started = {submit(function, job): job for job in jobs}
        for future in as_completed(started):
            error = future.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            yield started[future], error or future.result()


@contextmanager
def _local(workers: int, threads: bool) -> Iterator[Submit]:
    pool = (
        ThreadPoolExecutor(workers) if threads else ProcessPoolExecutor(workers, get_context("spawn"))
    )  # each of the latter loads PyTorch
    try:
        yield pool.submit
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _call(function: Callable[[Job], Result], job: Job) -> Result:
    return function(job)


@contextmanager
def _ray(workers: int) -> Iterator[Submit]:
    try:
        import ray
    except ImportError as error:
        raise ParamsError("--engine ray: Ray is not installed; get it: pip install '.[ray]'") from error
    try:
        ray.init(address="auto", log_to_driver=False)
    except ConnectionError:  # no cluster runs
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    try:  # a job whose worker or node dies runs again elsewhere, three times at the most
        call = ray.remote(num_cpus=1)(_call)
        yield lambda function, job: call.remote(function, job).future()
    finally:
        ray.shutdown()
