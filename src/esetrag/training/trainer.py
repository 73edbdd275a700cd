"""Trains the model of a task: its experts one after another, then what dev decides, then the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from esetrag.core.config import Calibration, Resolved, Seq2seqModel, TaggerModel, Train, WordTaggerModel
from esetrag.core.errors import RoomError, TrainingError, mendable
from esetrag.core.layout import Layout
from esetrag.models import checkpoint
from esetrag.models.blend import Blend
from esetrag.models.edit_rules import EditRules
from esetrag.models.lemma_prior.decomposition import Decomposition
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.network import Network
from esetrag.models.transducer import Transducer
from esetrag.scoring import calibration
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.training import blending, gradient, history, linear
from esetrag.training.augmentation import Analogies
from esetrag.training.choices import choose
from esetrag.training.data import Data
from esetrag.training.exchange import Exchange
from esetrag.training.history import Epoch
from esetrag.training.loop import Loop
from esetrag.training.resume import SavedStates

CPU = torch.device("cpu")
Listener = Callable[[Epoch], None]
Weights = npt.NDArray[np.float64]
TRAINERS: dict[str, Callable[[Data, Any, Train, Any, Loop], Network]] = {
    "bilstm": gradient.fit,
    "ngram": linear.fit,
    "seq2seq": gradient.fit,
    "siamese": gradient.fit,
    "tagger": gradient.fit,
    "word_tagger": gradient.fit,
}
"""What trains a model, by its kind."""
RULES = 0.1
"""The weight of edit rules beside networks that write, unless dev speaks against it."""
MEMBER = 1_000_003
"""Between the seeds of the networks that vote; the seeds that follow each other are those of repetitions."""


@dataclass(frozen=True)
class Trained:
    """The outcome of a training."""

    network: Blend
    """With the weights of the best epoch of each expert, on the CPU."""
    experts: list[Any]
    """The shape of each expert, as a checkpoint keeps it."""
    epochs: list[Epoch]
    """Of the first expert, before others are blended with it."""
    chosen: dict[str, Any]
    """What dev has decided."""

    def save(
        self, layout: Layout, data: Data, options: Train, calibrating: Calibration, is_extra: bool = False
    ) -> None:
        """Calibrates the model on dev and writes its checkpoint.

        Args:
            layout: of the task.
            data: what it was trained on.
            options: how it was trained.
            calibrating: what is fitted on dev.
            is_extra: whether the training is that of a further seed.
        """
        fitted = self.calibrate(data, calibrating)
        weights = [round(float(weight), 4) for weight in self.network.weights]
        summary: dict[str, Any] = {
            **options.model_dump(),
            "task": layout.task,
            "epoch": history.best(self.epochs).epoch,
            "chosen": self.chosen,
            "weights": [[expert.kind, weight] for expert, weight in zip(self.experts, weights, strict=True)],
        }
        folder = layout.extra_seed(options.seed) if is_extra else layout.checkpoint
        checkpoint.save(folder, self.network, self.experts, data.vocabulary, data.train, summary, fitted)

    def logits(self, rows: Encoded) -> npt.NDArray[np.float32]:
        """What the model scores some rows, (rows, labels)."""
        logits: npt.NDArray[np.float32] = self.network.ranked(Batch.of(rows, CPU))[0].numpy()
        return logits

    def calibrate(self, data: Data, calibrating: Calibration) -> calibration.Calibration:
        """What dev says of how far the probabilities are to be trusted."""
        logits, targets = self.network.ranked(Batch.of(data.dev, CPU))
        labels = data.vocabulary.labels
        return calibration.fit(logits.numpy(), targets.numpy(), self.network.head, calibrating, labels)

    def output(self, data: Data, rows: Encoded, calibrating: Calibration) -> calibration.ModelOutput:
        """Calibrated probabilities of some rows."""
        fitted = self.calibrate(data, calibrating)
        shares = calibration.probabilities(self.logits(rows), self.network.head, fitted)
        return calibration.ModelOutput(shares, fitted, self.network.head)


def fit(
    data: Data,
    model: Resolved,
    options: Train,
    listeners: Sequence[Listener] = (),
    saved: Callable[[int], SavedStates | None] = lambda _: None,
) -> Trained:
    """Trains a model.

    The same rows, parameters, thread count and library versions give the same weights to the bit
    on one kind of processor.

    Args:
        data: rows of train and dev; dev chooses the epoch, the weights of the experts, and whether
            augmentation, prefixes and the lemma prior are used at all.
        model: its experts.
        options: optimisation.
        listeners: receive the epochs of the first expert.
        saved: gives the saved states of the expert of a number.

    Raises:
        TrainingError: if there is no memory for a network, or its loss is no longer a number.
    """
    torch.set_num_threads(options.threads)
    classifies = model.experts[0].task_kind in ("classify", "pair")
    fit_experts = _classifier if classifies else _transducer
    try:
        return fit_experts(data, model, options, listeners, saved)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(mendable(error), RoomError):
            raise  # a fault of ours
        reason = " ".join(str(error).split())[:100]
        raise TrainingError(
            f"no room for the network ({reason}); lower the sizes of the model or train.analogies"
        ) from error


def _classifier(
    data: Data,
    model: Resolved,
    options: Train,
    listeners: Sequence[Listener],
    saved: Callable[[int], SavedStates | None],
) -> Trained:
    """Trains the experts of a classifier and blends them with the lemma prior."""
    analogies = Analogies(data.split, data.vocabulary, data.train.keep) if data.split else None
    choices = choose(data, model.head, options, analogies, model.has_prefixes)
    classifiers, epochs = [], list[list[Epoch]]()
    shapes: list[Any] = []
    for number, expert in enumerate(model.experts):
        shape = expert.chosen(choices.prefixes)
        loop = Loop(Batch.of(data.dev, CPU), options.patience, () if number else listeners, saved(number))
        used = replace(analogies, unaccented=options.unaccented) if analogies and choices.analogies else None
        classifiers.append(TRAINERS[expert.kind](data, shape, options, used, loop))
        epochs.append(loop.epochs)
        shapes.append(shape)
    prior = None
    if model.lemmas and data.split and data.vocabulary.unit == "char":  # it spells; merged symbols do not
        rows = Decomposition.of(data.rows, data.vocabulary, unaccented=True) if options.unaccented else None
        rows = rows or data.split
        prior = LemmaPrior.fit(rows, torch.from_numpy(data.train.targets)[rows.row], model.head)
    shapes += [checkpoint.LemmaPriorModel(head=model.head)] if prior else []
    network, used_experts = blending.blend(classifiers, prior, Batch.of(data.dev, CPU))
    return Trained(network, [shapes[number] for number in used_experts], epochs[0], choices._asdict())


def _transducer(
    data: Data,
    model: Resolved,
    options: Train,
    listeners: Sequence[Listener],
    saved: Callable[[int], SavedStates | None],
) -> Trained:
    """Trains networks that write words or tags; dev decides how much edit rules count beside them."""
    shape = cast("Seq2seqModel | TaggerModel | WordTaggerModel", model.experts[0])
    vocabulary, dev, ensemble = data.vocabulary, Batch.of(data.dev, CPU), shape.ensemble
    exchange = Exchange.of(data) if vocabulary.writes_edits else None
    experts, epochs = list[Network](), list[list[Epoch]]()
    for number in range(ensemble):
        loop = Loop(dev, options.patience, () if number else listeners, saved(number))
        seeded = options.model_copy(update={"seed": (options.seed + number * MEMBER) % 2**32})
        experts.append(TRAINERS[shape.kind](data, shape, seeded, exchange, loop))
        epochs.append(loop.epochs)
    shapes: list[Any] = [shape] * ensemble
    weights = np.full(ensemble, 1 / ensemble)
    alone = [weights]
    if vocabulary.writes_edits and shape.rules:
        experts.append(EditRules.of_rows(Batch.of(data.train, CPU), vocabulary))
        shapes.append(checkpoint.EditRulesModel())
        alone = [np.append(weights, 0), np.append(0 * weights, 1)]
        weights = np.append(weights, RULES)
    joined = checkpoint.JOINED[shape.kind]
    if len(experts) > 1 and len(dev) and joined is Transducer:
        weights = _weights(Transducer(experts, torch.ones(len(experts))).eval(), weights, alone, dev)
    used = [number for number, weight in enumerate(weights) if weight > 0 or number == 0]
    network = joined([experts[number] for number in used], torch.from_numpy(weights[used]).float())
    return Trained(network.eval(), [shapes[number] for number in used], epochs[0], {})


def _weights(every: Transducer, usual: Weights, alone: list[Weights], dev: Batch) -> Weights:
    """The weights of what writes: fitted, unless networks or rules alone get more rows of dev right."""
    candidates = every.candidates(dev.source)
    matches = every.matches(candidates, dev)

    def right(weights: Weights) -> int:
        blended = torch.tensordot(torch.from_numpy(weights), candidates.scores.double(), 1)
        return int(matches.gather(1, blended.argmax(1, keepdim=True)).sum())

    return max([blending.fit(candidates.scores.double(), usual, matches, every), *alone], key=right)
