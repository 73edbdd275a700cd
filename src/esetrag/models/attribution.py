"""Integrated gradients: what each symbol contributes to the score of one label against another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from esetrag.symbols.batch import Batch

POINTS = (12, 48, 192)
"""Of the Gauss-Legendre rule; rows that fewer points do not integrate well get more."""
TOLERANCE = 0.05
"""By how much the sum of the contributions may miss the difference of the logits."""


def integrated_gradients(
    embed: Callable[[Tensor], Tensor],
    score_embedded: Callable[[Tensor, Tensor], Tensor],
    batch: Batch,
    label: Tensor,
    against: Tensor,
) -> tuple[Tensor, Tensor]:
    """Contributions to the difference of two labels' logits (Sundararajan et al. 2017).

    The path of integration starts at the form whose symbols are zero vectors, as PAD is.

    Args:
        embed: ids (n, t) to embeddings (n, t, e).
        score_embedded: embeddings and lengths (n,) to logits (n, labels).
        batch: n forms.
        label: (n,) int64, label ids.
        against: (n,) int64, other label ids.

    Returns:
        Contributions of the symbols (n, t), 0 at BOS, EOS and PAD; the difference without symbols (n,).
    """
    symbols, rest = torch.zeros(batch.ids.shape), torch.zeros(len(batch))
    rows = torch.arange(len(batch))
    for points in POINTS:
        part = batch[rows]
        place = torch.arange(part.ids.shape[1])
        inside = ((place >= 1) & (place < part.lengths[:, None] - 1))[..., None]  # (n, t, 1)
        columns = torch.stack([label[rows], against[rows]], dim=1)

        def difference(embedded: Tensor, part: Batch = part, columns: Tensor = columns) -> Tensor:
            logits = score_embedded(embedded, part.lengths).gather(1, columns)
            return logits[:, 0] - logits[:, 1]

        with torch.no_grad():
            whole = embed(part.ids)
            change = whole * inside
            empty = whole - change
            rest[rows], expected = difference(empty), difference(whole)
        gradient = torch.zeros_like(whole)
        for point, weight in zip(*np.polynomial.legendre.leggauss(points), strict=True):
            between = (empty + (float(point) + 1) / 2 * change).requires_grad_()
            gradient += float(weight) / 2 * torch.autograd.grad(difference(between).sum(), between)[0]
        contributions = (change * gradient).sum(2)
        symbols[rows, : contributions.shape[1]] = contributions
        rows = rows[(contributions.sum(1) + rest[rows] - expected).abs() > TOLERANCE]
        if not len(rows):
            break
    return symbols, rest
