"""The trainings of a task: one, or one for each of several seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from esetrag.core import config, files, runtime
from esetrag.core.layout import Layout
from esetrag.training import history, progress, resume, trainer
from esetrag.training.data import Data
from esetrag.training.history import Epoch
from esetrag.training.resume import SavedStates


def train(
    layout: Layout,
    model: config.Resolved,
    options: config.Train,
    calibrating: config.Calibration,
    log: Callable[[Epoch], None],
) -> list[Epoch]:
    """Trains with each seed, resuming where an earlier attempt was stopped; writes checkpoints and history.

    Args:
        layout: of the task.
        model: its experts.
        options: optimisation; ``repeats`` further seeds follow the one given.
        calibrating: what is fitted on dev.
        log: receives the epochs of the first seed, whose model is used.

    Returns:
        These epochs.

    Raises:
        TrainingError: if the loss is no longer a number.
    """
    data = Data.read(layout)
    inputs = (layout.vocab, layout.sample("train"), layout.encoded("train"), layout.encoded("dev"))
    states: list[SavedStates] = []
    first: list[Epoch] = []
    for number in range(options.repeats + 1):
        seeded = options.model_copy(update={"seed": options.seed + number})
        key = resume.key(inputs, (*model.experts, seeded))

        def saved(expert: int, seed: int = seeded.seed, key: str = key) -> SavedStates:
            states.append(SavedStates(layout.runtime / f"train-{seed}-{expert}", key))
            return states[-1]

        with progress.epochs(model.experts[0].epochs(options)) as show, runtime.patiently() as stop:
            listeners = (show, stop) if number else (log, show, stop)
            trained = trainer.fit(data, model, seeded, listeners, saved)
        trained.save(layout, data, seeded, calibrating, is_extra=number > 0)
        first = first or trained.epochs
    files.write_text(layout.history, history.to_csv(first))
    files.write_json(layout.metrics / "train.json", asdict(history.best(first)))
    for state in states:  # now that all results are there
        state.clear()
    return first
