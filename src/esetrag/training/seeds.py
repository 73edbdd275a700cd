"""The trainings of a task: one, or one for each of several seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from esetrag.core import config, runtime, tables
from esetrag.core.layout import Layout
from esetrag.models import checkpoint
from esetrag.models.lemma_prior import analogy
from esetrag.models.lemma_prior.analogy import Analogies
from esetrag.scoring import calibration
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import history, progress, resume, trainer
from esetrag.training.history import Epoch
from esetrag.training.resume import SavedStates


@dataclass(frozen=True)
class Material:
    """What a task's trainings start from."""

    layout: Layout
    vocabulary: Vocabulary
    analogies: Analogies | None
    rows: Encoded
    dev: Encoded

    @classmethod
    def read(cls, layout: Layout) -> Material:
        """Reads what the stages before have made.

        Args:
            layout: of the task.

        Raises:
            DataError: if it is not there or damaged.
        """
        vocabulary = Vocabulary.read(layout.vocab)
        analogies = analogy.found(tables.read(layout.sample("train"), tables.SAMPLE), vocabulary)
        rows, dev = (encoding.read(layout.encoded(part), vocabulary) for part in ("train", "dev"))
        return cls(layout, vocabulary, analogies, rows, dev)

    def train(
        self,
        model: config.Model,
        how: config.Train,
        calibrating: config.Calibration,
        number: int,
        log: Callable[[Epoch], None],
    ) -> SeedTraining:
        """Trains with one seed and writes the checkpoint, going on from where an earlier attempt was stopped.

        Args:
            model: shape of the network.
            how: optimisation; the seed of repetition n is the n-th after the one given.
            calibrating: what is to be fitted on dev.
            number: of the repetition; 0 is the training whose epochs are logged and whose reader is used.
            log: is told of every epoch.

        Raises:
            TrainingError: if the loss is no longer a number.
        """
        layout = self.layout
        seeded = how.model_copy(update={"seed": how.seed + number})
        read = (layout.vocab, layout.sample("train"), layout.encoded("train"), layout.encoded("dev"))
        states = layout.runtime / (f"train-{seeded.seed}" if number else "train")
        saved = resume.SavedStates(states, resume.key(read, (model, seeded)))
        with progress.epochs(trainer.most_epochs(model, how)) as show, runtime.patiently() as stop:
            told: Sequence[Callable[[Epoch], None]] = (show, stop) if number else (log, show, stop)
            trained = trainer.fit(
                self.rows, self.dev, self.vocabulary, model, seeded, self.analogies, told, saved
            )
        scores = trainer.logits(trained.network, self.dev)
        fitted = calibration.fit(scores, self.dev.targets, model.head, calibrating)
        best = history.best(trained.epochs)
        account: dict[str, Any] = {**seeded.model_dump(), "task": layout.task, "epoch": best.epoch}
        account |= {"device": trained.device, "lemmas": round(trained.lemmas, 4)}
        folder = layout.repeat(seeded.seed) if number else layout.checkpoint
        checkpoint.save(folder, trained.network, self.vocabulary, self.rows, model, account, fitted)
        return SeedTraining(trained.epochs, saved)


@dataclass(frozen=True)
class SeedTraining:
    """A training that has ended."""

    epochs: list[Epoch]
    saved: SavedStates
    """Its states, to be cleared when all results are there."""
