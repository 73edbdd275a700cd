"""L-BFGS: finds the minimum of a smooth function of many variables (Liu and Nocedal 1989)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

REMEMBERED = 10
"""Steps whose curvature is remembered; Liu and Nocedal find 3 to 20 alike."""
TRIES = 25
"""Shorter steps that are tried before a point counts as the minimum."""
SUFFICIENT = 1e-4
"""Share of the decrease that the slope promises which is enough (Armijo 1966)."""

NEGLIGIBLE = 1e-5
"""Share of the value by which it must fall for another step to be worth while."""

Objective = Callable[[Tensor], tuple[float, Tensor]]
"""From a point (n,) to the value there and the gradient (n,)."""


class Lbfgs:
    """One step after another; each begins with the gradient in which the last one ended.

    PyTorch's own evaluates everything twice if it is to stop after each step, and making one
    imports PyTorch's compiler, which takes as long as importing PyTorch.
    """

    def __init__(self, objective: Objective, start: Tensor) -> None:
        """Evaluates the objective at the start.

        Args:
            objective: is called with ``point`` after that was changed in place.
            start: (n,) becomes ``point``.
        """
        self.objective = objective
        self.point = start
        self.value, self.gradient = objective(start)
        self.steps: list[Tensor] = []  # the last few, and by how much the gradient changed over each
        self.changes: list[Tensor] = []

    def step(self) -> bool:
        """Goes down; says whether that led to a value lower by more than nothing."""
        direction = self._direction()
        slope = float(self.gradient @ direction)
        size = 1.0 if self.steps else min(1.0, 1 / max(float(self.gradient.abs().sum()), 1e-30))
        before, value, gradient = self.point.clone(), self.value, self.gradient
        for _ in range(TRIES if slope < 0 else 0):
            torch.add(before, direction, alpha=size, out=self.point)
            self.value, self.gradient = self.objective(self.point)
            if self.value <= value + SUFFICIENT * size * slope:
                self._remember(self.point - before, self.gradient - gradient)
                # The first step is a cautious one, and proves nothing.
                return len(self.steps) < 2 or value - self.value > NEGLIGIBLE * abs(value)
            # The minimum of the parabola through what is known, not too near either end.
            bend = self.value - value - size * slope
            size *= min(max(-slope * size / (2 * bend), 0.1), 0.5) if bend > 0 else 0.5
        self.point.copy_(before)
        self.value, self.gradient = value, gradient
        return False

    def _direction(self) -> Tensor:
        """Minus the gradient times what is known of the inverse curvature, by the two loops."""
        direction = self.gradient.neg()
        if not self.steps:
            return direction
        shares = []
        for step, change in zip(reversed(self.steps), reversed(self.changes), strict=True):
            shares.append((step @ direction) / (change @ step))
            direction.add_(change, alpha=-float(shares[-1]))
        step, change = self.steps[-1], self.changes[-1]
        direction.mul_(float((step @ change) / (change @ change)))
        for step, change in zip(self.steps, self.changes, strict=True):
            turn = (change @ direction) / (change @ step)
            direction.add_(step, alpha=float(shares.pop() - turn))
        return direction

    def _remember(self, step: Tensor, change: Tensor) -> None:
        if float(step @ change) > 1e-10 * float(change @ change):  # else it tells of no curvature
            self.steps = [*self.steps[1 - REMEMBERED :], step]
            self.changes = [*self.changes[1 - REMEMBERED :], change]
