"""What every model has in common, whatever computes its scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional, init
from torch.overrides import TorchFunctionMode

from esetrag.core.config import Head
from esetrag.symbols.batch import Batch

NEVER = -1e9
"""The logit of what cannot be; infinity times zero would be no number."""
AT_ONCE = 4096
"""Rows scored at once: fewer take longer each, more take memory."""


class Network(nn.Module):
    """Scores the labels of words.

    The head says what scores mean. ``softmax``: the labels share one distribution, and a word with
    several labels has an equal share of each. ``sigmoid``: each label is present or absent by itself.
    """

    at_once = AT_ONCE

    def __init__(self, labels: int, head: Head) -> None:
        """Sets what a head needs.

        Args:
            labels: number of labels.
            head: meaning of the scores.
        """
        super().__init__()
        self.labels, self.head = labels, head

    def forward(self, batch: Batch) -> Tensor:
        """Logits of words, (b, labels)."""
        raise NotImplementedError

    def attribute(self, batch: Batch, label: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """What each symbol contributes to one label against another.

        Args:
            batch: b words, on the CPU.
            label: (b,) int64.
            against: (b,) int64.

        Returns:
            Scores of the symbols (b, t), 0 at BOS, EOS and PAD; the rest (b,). Both together are the
            difference of the two logits.
        """
        raise NotImplementedError

    def is_sound(self) -> bool:
        """Whether all that is looked up is as the look-up needs it."""
        return True

    def distribution(self, target: Tensor) -> Tensor:
        """What probabilities should be, (b, labels) float32; zeros for ``softmax`` without a known label."""
        share = target.float()
        return share if self.head == "sigmoid" else share / share.sum(1, keepdim=True).clamp_min(1)

    def known(self, target: Tensor) -> Tensor:
        """Whether training had any of a row's labels, (b,) bool."""
        return target.any(1)

    def correct(self, logits: Tensor, target: Tensor) -> Tensor:
        """Whether the top label of each word is one of its labels, (b,) bool."""
        return target.gather(1, logits.argmax(1, keepdim=True))[:, 0]

    def probabilities(self, logits: Tensor) -> Tensor:
        """Logits (b, labels) as probabilities."""
        return torch.sigmoid(logits) if self.head == "sigmoid" else torch.softmax(logits, dim=1)

    def loss(self, logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy of each word in nats, (b,); with ``sigmoid`` the sum over the labels.

        Args:
            logits: (b, labels).
            target: (b, labels) bool; without a known label the loss under ``softmax`` is 0.
            smoothing: share of the target that is spread over all labels.
        """
        wanted = self.distribution(target)
        if self.head == "softmax":
            return functional.cross_entropy(logits, wanted, reduction="none", label_smoothing=smoothing)
        smoothed = wanted * (1 - smoothing) + smoothing / 2
        return functional.binary_cross_entropy_with_logits(logits, smoothed, reduction="none").sum(1)


@torch.inference_mode()
def score(network: Network, rows: Batch) -> Tensor:
    """Logits of many rows without training, (n, labels), words of similar length together."""
    network.eval()
    logits = torch.empty((len(rows), network.labels), device=rows.device)
    for part in parts(rows):
        logits[part] = network(rows[part])
    return logits


def parts(rows: Batch, most: int = AT_ONCE) -> Sequence[Tensor] | Sequence[slice]:
    """Which rows are computed together: those of similar length, so many at the most."""
    if len(rows) <= most:
        return [slice(None)] if len(rows) else []
    return list(torch.argsort(rows.source.lengths, stable=True).split(most))


def difference(logits: Tensor, label: Tensor, against: Tensor) -> Tensor:
    """Of each row the logit of one label less that of another, (b,)."""
    return (logits.gather(1, label[:, None]) - logits.gather(1, against[:, None]))[:, 0]


class Unfilled(TorchFunctionMode):
    """Leaves weights as they are made: to draw numbers on the meta device, PyTorch imports its compiler."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Calls a function of PyTorch, unless it is to fill a weight."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == init.__name__:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
