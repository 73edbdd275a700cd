"""Trains a network of either kind, epoch by epoch; the best state by dev loss is kept."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from esetrag.core import config
from esetrag.core.errors import TrainingError
from esetrag.models import heads
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.network import Network
from esetrag.models.ngram import NgramClassifier
from esetrag.symbols.batch import Batch, score
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import history, lemma_weight, linear, loop
from esetrag.training.epochs import Epochs
from esetrag.training.history import Epoch
from esetrag.training.resume import SavedStates, Snapshot

MEND = {"ngram": "lower train.penalty", "lstm": "lower train.learning_rate or train.weight_decay"}
"""What helps when the loss is no longer a number."""


@dataclass(frozen=True)
class Trained:
    """The outcome of training."""

    network: Network
    """With the weights of the best epoch."""
    epochs: list[Epoch]
    """Of the n-gram reader, before the lemmas are asked."""
    device: str
    """Kind of device it was trained on."""

    @property
    def lemmas(self) -> float:
        """Weight of what the lemmas say beside the n-grams; 0 if they are not asked."""
        inflection = getattr(self.network, "inflection", None)
        return float(inflection.weight) if isinstance(inflection, LemmaPrior) else 0.0


def choose_device(name: str) -> torch.device:
    """``auto`` is a GPU if there is one; any other name is taken as it is.

    Raises:
        TrainingError: if the device named is not there.
    """
    available = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(available if name == "auto" else name)
    except RuntimeError as error:
        raise TrainingError(f"params.yaml: train.device: no device is called {name}") from error
    count = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if (device.index or 0) >= count[device.type]:
        raise TrainingError(
            f"params.yaml: train.device: no {name} on this machine; auto would take {available}"
        )
    return device


def measure(network: Network, rows: Batch) -> tuple[float, float]:
    """Loss and accuracy of a network on some rows."""
    return loss_and_accuracy(score(network, rows), rows.targets, network.head)


def logits(network: Network, rows: Encoded) -> npt.NDArray[np.float32]:
    """What a trained network scores some rows, (rows, labels), on the CPU."""
    scores: npt.NDArray[np.float32] = score(network.cpu(), Batch.of(rows, torch.device("cpu"))).numpy()
    return scores


def loss_and_accuracy(logits: Tensor, targets: Tensor, head: config.Head) -> tuple[float, float]:
    """Mean cross-entropy over the rows that have a known value, and accuracy over all rows.

    A row of unseen values has no cross-entropy and counts as misread.

    Args:
        logits: (rows, labels)
        targets: (rows, labels) bool.
        head: meaning of the logits.

    Returns:
        Loss in nats, 0 if no value is known; share of the rows whose likeliest value is theirs.
    """
    known = targets.any(1)
    each = heads.losses(logits, heads.truth(targets, head), head)
    right = int(heads.right(logits, targets).sum())
    return float(each[known].sum()) / max(int(known.sum()), 1), right / max(len(targets), 1)


def most_epochs(model: config.Model, how: config.Train) -> int:
    """Epochs that a training takes at the most; a step of L-BFGS is one."""
    return how.iterations if model.kind == "ngram" else how.epochs


def fit(
    train: Encoded,
    dev: Encoded,
    vocabulary: Vocabulary,
    model: config.Model,
    how: config.Train,
    analogies: Analogies | None = None,
    listeners: Sequence[Callable[[Epoch], None]] = (),
    saved: SavedStates | None = None,
) -> Trained:
    """Trains a network.

    The same rows, parameters, thread count and library versions give the same weights to the bit
    on one kind of machine.

    Args:
        train: training rows.
        dev: rows that choose the epoch and the lemmas' weight, and stop the training early if
            ``how.patience`` is set.
        vocabulary: symbols and labels.
        model: kind and shape of the network.
        how: optimisation.
        analogies: of the training rows; None makes no forms by analogy.
        listeners: are told of every epoch when it ends, those before a resumption included. One that
            raises stops the training, whose state is saved first.
        saved: states of the same training: it goes on from the newest, to the same weights and
            epochs as if it had not been stopped. None saves none.

    Raises:
        TrainingError: if the loss is no longer a number.
    """
    torch.set_num_threads(how.threads)
    # L-BFGS over some thousand rows is a matter of seconds, and a CPU's bits are the same everywhere.
    device = torch.device("cpu") if model.kind == "ngram" else choose_device(how.device)
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic cuBLAS needs
        torch.use_deterministic_algorithms(True)
    train_rows, dev_rows = Batch.of(train, device), Batch.of(dev, device)
    try:
        network, course = _begin(train_rows, vocabulary, model, how, analogies, train.keep)
    except (MemoryError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise TrainingError(
            f"no room for the network ({reason}); lower the sizes of model or train.analogies"
        ) from error

    epochs: list[Epoch] = []
    kept: dict[str, Any] = {}  # the weights of the best epoch

    def snapshot() -> Snapshot:
        return Snapshot(epochs, kept, *course.state())

    def record(loss: float, accuracy: float, rate: float) -> None:
        nonlocal kept
        number = len(epochs)
        epochs.append(Epoch(number, loss, accuracy, *measure(network, dev_rows), rate))
        if not all(math.isfinite(value) for value in astuple(epochs[-1])):
            raise TrainingError(f"the loss is no longer a number in epoch {number}; {MEND[model.kind]}")
        if history.best(epochs).epoch == number:
            kept = _copy(network)
        if saved:
            saved.reached(snapshot)
        try:
            for listener in listeners:
                listener(epochs[-1])
        except BaseException:
            if saved:
                saved.save(snapshot())
            raise

    if saved and (before := saved.newest()):
        course.restore(before.tensors, before.account)
        epochs, kept = before.epochs, before.kept
        for epoch in epochs:
            for listener in listeners:
                listener(epoch)
    else:  # an untrained network must be about as good as chance
        record(*measure(network, train_rows), 0.0)
    while not _patience_is_over(epochs, how) and (epoch_of_course := next(course, None)):
        record(*epoch_of_course)
    network.load_state_dict(kept)
    if isinstance(network, NgramClassifier) and model.lemmas and analogies and vocabulary.unit == "char":
        network.inflection = LemmaPrior.fit(analogies, train_rows.targets, model.lemmas)
        lemma_weight.choose(network, dev_rows)
    return Trained(network, epochs, device.type)


def _patience_is_over(epochs: list[Epoch], how: config.Train) -> bool:
    return how.patience is not None and epochs[-1].epoch - history.best(epochs).epoch >= how.patience


def _begin(
    rows: Batch,
    vocabulary: Vocabulary,
    model: config.Model,
    how: config.Train,
    analogies: Analogies | None,
    keep: Keep,
) -> tuple[Network, Epochs]:
    """An untrained network of the kind wanted, and what trains it."""
    if model.kind == "ngram":
        shown, weights = linear.shown(rows, analogies, keep, how)
        network = linear.network(shown, weights, len(vocabulary.labels), model).to(rows.lengths.device)
        return network, linear.LinearFit(network, shown, weights, how)
    lstm = loop.network(vocabulary, model, how).to(rows.lengths.device)
    return lstm, loop.GradientDescent(lstm, rows, analogies, keep, how)


def _copy(network: Network) -> dict[str, Any]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
