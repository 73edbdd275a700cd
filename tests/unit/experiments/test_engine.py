from __future__ import annotations

import sys
from functools import partial

import pytest

from esetrag.core.errors import DataError, ParamsError
from esetrag.experiments import engine


def quotient(dividend: int, number: int) -> float:
    if number == 0:
        raise DataError("nothing is the inverse of 0")
    return dividend / number


def outcomes(name: str, threads: bool = False) -> dict[int, float | str]:
    found = engine.results(partial(quotient, 1), [2, 0, 4], name, 2, threads)
    return {job: str(result) if isinstance(result, Exception) else result for job, result in found}


EXPECTED = {2: 0.5, 0: "nothing is the inverse of 0", 4: 0.25}


@pytest.mark.parametrize("threads", [False, True])
def test_a_job_that_fails_does_not_end_the_others(threads: bool) -> None:
    assert outcomes("local", threads) == EXPECTED


def test_without_ray_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ParamsError, match=r"Ray is not installed; get it: pip install '\.\[ray\]'"):
        outcomes("ray")


def test_ray_does_the_same() -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    found = outcomes("ray")
    assert {job: found[job] for job in (2, 4)} == {2: 0.5, 4: 0.25}
    assert "nothing is the inverse of 0" in str(found[0])
