"""Tells how training goes: a bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from esetrag.core.streams import show
from esetrag.training.history import Epoch


@contextmanager
def epochs(total: int) -> Iterator[Callable[[Epoch], None]]:
    """Gives the function that is to be told of every epoch.

    Args:
        total: epochs at the most.
    """
    if not sys.stderr.isatty():
        yield lambda epoch: show(f"epoch {epoch.epoch:>3}  {_line(epoch)}")
        return
    with tqdm(total=total, unit="epoch", leave=True) as bar:

        def move(epoch: Epoch) -> None:
            bar.update(min(epoch.epoch, 1))
            bar.set_postfix_str(f"dev loss {epoch.dev_loss:.3f} accuracy {epoch.dev_accuracy:.4f}")

        yield move


def _line(epoch: Epoch) -> str:
    return (
        f"train loss {epoch.train_loss:.4f} accuracy {epoch.train_accuracy:.4f}  "
        f"dev loss {epoch.dev_loss:.4f} accuracy {epoch.dev_accuracy:.4f}"
    )
