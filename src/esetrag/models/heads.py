"""What the scores of a network mean: shares of one distribution, or a probability for each value by itself.

``softmax``: the values share one, and a form of several values is taught an equal share of each.
``sigmoid``: every value is borne or not, whatever the others are.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from esetrag.core.config import Head


def truth(targets: Tensor, head: Head) -> Tensor:
    """What the probabilities of some forms should be.

    Args:
        targets: (n, labels) bool, the values of each form.
        head: meaning of the scores.

    Returns:
        (n, labels) float32; of ``softmax`` zeros where a form has no known value.
    """
    borne = targets.float()
    return borne if head == "sigmoid" else borne / borne.sum(1, keepdim=True).clamp_min(1)


def probabilities(logits: Tensor, head: Head) -> Tensor:
    """Scores (n, labels) as probabilities."""
    return torch.sigmoid(logits) if head == "sigmoid" else torch.softmax(logits, dim=1)


def losses(logits: Tensor, wanted: Tensor, head: Head, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of each form, in nats; of ``sigmoid`` the sum over the values.

    Args:
        logits: (n, labels).
        wanted: (n, labels) what ``truth`` gives; a row of zeros costs nothing under ``softmax``.
        head: meaning of the scores.
        smoothing: share of the truth that is spread over all values.

    Returns:
        (n,)
    """
    if head == "softmax":
        return functional.cross_entropy(logits, wanted, reduction="none", label_smoothing=smoothing)
    # A smoothed truth is between borne and not borne, half a share from either.
    softened = wanted * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, softened, reduction="none").sum(1)


def right(logits: Tensor, targets: Tensor) -> Tensor:
    """Whether the likeliest value of each form is one that it bears, (n,) bool."""
    return targets.gather(1, logits.argmax(1, keepdim=True))[:, 0]
