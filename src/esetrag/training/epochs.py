"""The course of a training, an epoch at a time, and what it takes to go on from between two epochs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from torch import Tensor

Tensors = dict[str, Tensor]


class Epochs(Iterator[tuple[float, float, float]], ABC):
    """Gives of each epoch, once it is over, its running loss and accuracy and the learning rate at its start.

    The network is changed in place. Chance must be drawn from generators that are made anew for
    each epoch from its number, so that no generator has a state that outlives an epoch.
    """

    @abstractmethod
    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """All that the coming epochs depend on, the network's weights too; it is shared, not copied.

        Returns:
            Tensors by name; anything else, as JSON has it.
        """

    @abstractmethod
    def restore(self, tensors: Tensors, account: dict[str, Any]) -> None:
        """Goes back to a state, of this course or of another one that began alike.

        Args:
            tensors: those of the state; they become this course's own.
            account: the rest of the state.
        """


def named(prefix: str, tensors: Tensors) -> Tensors:
    """Tensors under names that begin with a prefix."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def under(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with a prefix, without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
