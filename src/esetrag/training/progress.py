"""Shows how training goes: a bar on a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from esetrag.core.streams import show
from esetrag.training.history import Epoch


@contextmanager
def epochs(total: int) -> Iterator[Callable[[Epoch], None]]:
    """Yields the function to call with each epoch, of ``total`` at most."""
    if not sys.stderr.isatty():
        yield _print
        return
    with tqdm(total=total, unit="epoch", leave=True) as bar:

        def move(epoch: Epoch) -> None:
            bar.update(min(epoch.epoch, 1))
            bar.set_postfix_str(f"dev loss {epoch.dev_loss:.3f} accuracy {epoch.dev_accuracy:.4f}")

        yield move


def _print(epoch: Epoch) -> None:
    train = f"train loss {epoch.train_loss:.4f} accuracy {epoch.train_accuracy:.4f}"
    show(f"epoch {epoch.epoch:>3}  {train}  dev loss {epoch.dev_loss:.4f} accuracy {epoch.dev_accuracy:.4f}")
