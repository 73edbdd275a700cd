from __future__ import annotations

import itertools

import torch
from torch import Tensor

from esetrag.training.lbfgs import REMEMBERED, Lbfgs, Objective

SCALES = torch.logspace(-1, 1, 40)
CENTRE = torch.linspace(-3, 3, 40)


def valley(point: Tensor) -> tuple[float, Tensor]:
    """A long narrow valley, 100 times as steep in one direction as in another."""
    away = point - CENTRE
    return float((SCALES * away.square()).sum() / 2), SCALES * away


def banana(point: Tensor) -> tuple[float, Tensor]:
    """The function of Rosenbrock (1960); its minimum is at (1, 1)."""
    x, y = point.double()
    slope = torch.stack([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
    return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), slope


def counted(objective: Objective) -> tuple[Objective, list[float]]:
    values: list[float] = []

    def count(point: Tensor) -> tuple[float, Tensor]:
        value, slope = objective(point)
        values.append(value)
        return value, slope

    return count, values


def test_it_finds_the_bottom_of_a_narrow_valley() -> None:
    minimiser = Lbfgs(valley, torch.zeros(40))
    for _ in range(60):
        minimiser.step()
    torch.testing.assert_close(minimiser.point, CENTRE, rtol=0, atol=5e-3)


def test_it_follows_a_bent_valley() -> None:
    minimiser = Lbfgs(banana, torch.tensor([-1.2, 1.0], dtype=torch.float64))
    for _ in range(100):
        minimiser.step()
    torch.testing.assert_close(minimiser.point, torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-4)


def test_every_step_leads_down() -> None:
    minimiser = Lbfgs(banana, torch.tensor([-1.2, 1.0], dtype=torch.float64))
    values = [minimiser.value]
    while minimiser.step() and len(values) < 200:
        values.append(minimiser.value)
    assert all(after < before for before, after in itertools.pairwise(values))


def test_at_the_bottom_it_says_so_and_stays() -> None:
    minimiser = Lbfgs(valley, CENTRE.clone())
    assert not minimiser.step()
    assert torch.equal(minimiser.point, CENTRE)
    assert minimiser.value == 0


def test_a_step_costs_little_more_than_one_evaluation() -> None:
    objective, values = counted(valley)
    minimiser = Lbfgs(objective, torch.zeros(40))
    for _ in range(30):
        assert minimiser.step()
    assert len(values) < 1.5 * 30


def test_the_point_and_its_gradient_are_those_of_the_value() -> None:
    minimiser = Lbfgs(banana, torch.tensor([-1.2, 1.0], dtype=torch.float64))
    for _ in range(20):
        minimiser.step()
        value, slope = banana(minimiser.point)
        assert minimiser.value == value
        assert torch.equal(minimiser.gradient, slope)


def test_only_the_last_steps_are_remembered() -> None:
    minimiser = Lbfgs(valley, torch.zeros(40))
    for _ in range(REMEMBERED + 5):
        minimiser.step()
    assert len(minimiser.steps) == len(minimiser.changes) == REMEMBERED


def test_no_number_anywhere_is_no_way_down() -> None:
    minimiser = Lbfgs(lambda point: (float("nan"), point * float("nan")), torch.ones(3))
    assert not minimiser.step()
    assert torch.equal(minimiser.point, torch.ones(3))
