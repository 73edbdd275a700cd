"""Searches for better parameters with Optuna: train trains, dev judges, test is never opened.

Trials go into a journal, so a search that was killed goes on, and several processes share one. Each trial
is a child run in MLflow.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from esetrag.core import config, files, yaml_reader
from esetrag.core.errors import DataError, EsetragError, ParamsError, TrackingError, TrainingError
from esetrag.core.explanation import explain
from esetrag.core.layout import Layout
from esetrag.core.section import Section
from esetrag.core.streams import tell
from esetrag.experiments import engine
from esetrag.scoring import calibration
from esetrag.scoring.ratios import Ratio
from esetrag.tracking import store

STARTUP, WARMUP = 5, 10
"""Trials before any is pruned; epochs before one may be: until then the learning rate is still high."""
STATUS = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}
"""What MLflow calls the states of a trial that has ended; one that was killed never did."""
PARENT, STUDY, TRIAL = "mlflow.parentRunId", "esetrag.study", "esetrag.trial"


class Interval(Section):
    """All numbers from one to another; whole ones if both are whole."""

    low: int | float
    high: int | float
    log: bool = False


Ranges = dict[str, list[bool | int | float | str | None] | Interval]


@dataclass(frozen=True)
class Search:
    """What a process needs to take part in a search."""

    layout: Layout
    params: config.Params
    ranges: Ranges
    trials: int
    number: int = 0
    """Of the process."""

    @property
    def writes(self) -> bool:
        """Whether the model proposes outputs, which differ from trial to trial."""
        return self.params.model_of(self.layout.task).experts[0].task_kind in ("transduce", "tag")

    def study(self) -> Any:
        """Optuna's study, made if there is none of the same rows, parameters and ranges."""
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        rows = [files.md5(self.layout.encoded(part)) for part in ("train", "dev")]
        ranges = TypeAdapter(Ranges).dump_python(self.ranges)
        measured = ["with what is not proposed"] if self.writes else []
        content = json.dumps([ranges, self.params.used_by(self.layout.task), rows, *measured])
        journal = self.layout.runtime / "tune.journal"
        journal.parent.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            study_name=hashlib.sha256(content.encode()).hexdigest()[:16],
            storage=JournalStorage(JournalFileBackend(str(journal))),
            pruner=optuna.pruners.MedianPruner(STARTUP, WARMUP),
            load_if_exists=True,
        )
        # A search that goes on must not draw the numbers again that it began with.
        seed = self.params.train.seed + 1000 * self.number + len(study.trials)
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        return study


def read(path: Path, params: config.Params, task: str) -> Ranges:
    """The ranges of a file, by the dotted names of parameters.

    Raises:
        ParamsError: naming the parameter that cannot be searched, and why.
    """
    try:
        ranges = TypeAdapter(Ranges).validate_python(yaml_reader.read(path))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"][:1]))
        raise ParamsError(f"{path}: {place}: expected a list of values, or {{low: …, high: …}}") from error
    for name, values in ranges.items():
        section, _, key = name.partition(".")
        if section not in ("models", "train") and not name.startswith(f"tasks.{task}.train."):
            raise ParamsError(f"{path}: {name}: expected a parameter of models or train")
        if section == "train" and key in params.task(task).train:
            raise ParamsError(f"{path}: {name}: the task has its own value; name it tasks.{task}.{name}")
        for value in (values.low, values.high) if isinstance(values, Interval) else values:
            changed(params, {name: value})
    return ranges


def changed(params: config.Params, values: Mapping[str, Any]) -> config.Params:
    """Parameters with some values replaced, by their dotted names; ParamsError if one cannot be."""
    content = params.model_dump(exclude_unset=True)
    for name, value in values.items():
        *path, last = name.split(".")
        section = reduce(lambda part, key: part.get(key, {}), path, content)
        if last not in section:
            raise ParamsError(f"{name}: no such parameter in params.yaml")
        section[last] = value
    try:
        return config.Params.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"params.yaml: {explain(error, config.Params)}") from error


def tune(layout: Layout, params: config.Params, path: Path, trials: int, workers: int) -> str:
    """Searches, or goes on with a search, until there are so many trials.

    Args:
        layout: of a task whose rows are encoded.
        params: all parameters; their values are the first trial.
        path: of the file of ranges.
        trials: how many are wanted.
        workers: processes at once.

    Returns:
        What was found, and the command that trains with it.

    Raises:
        ParamsError: if a parameter cannot be searched.
        DataError: if the rows are not there.
        TrainingError: if no trial has trained to its end.
    """
    if not layout.encoded("dev").exists():
        raise DataError(f"{layout.encoded('dev')} is not there; get it: dvc repro encode_pad@{layout.task}")
    search = Search(layout, params, read(path, params, layout.task), trials)
    study, content = search.study(), params.model_dump()
    usual = {name: reduce(lambda part, key: part[key], name.split("."), content) for name in search.ranges}
    usual = {name: value for name, value in usual.items() if _has(search.ranges[name], value)}
    if not _losses(study, usual):
        study.enqueue_trial(usual)
    searches = [replace(search, number=number) for number in range(workers)]
    for _, result in engine.results(optimize, searches, "local", workers):
        if isinstance(result, Exception):
            raise result
    if params.tracking.enabled:
        try:
            _log(study, layout, params)
        except TrackingError as error:
            tell(f"tracking: {error}")
    states = [trial.state.name for trial in study.trials]
    if not (losses := _losses(study, {})):
        raise TrainingError(f"{layout.task}: no trial has trained to its end; lower the ranges of {path}")
    best, first = study.best_trial, _losses(study, usual)
    settings = " ".join(f"-S {name}={json.dumps(_rounded(value))}" for name, value in best.params.items())
    ended = sum(state in STATUS for state in states)
    unit = "nats a word" + f" ({-math.log(calibration.LEAST):.1f} if it is not proposed)" * search.writes
    return (
        f"{layout.task}: {ended} trials, {states.count('PRUNED')} of them pruned; loss on dev, {unit}:\n"
        + "".join(f"  {loss:.4f}  parameters as they are\n" for loss in first[:1])
        + f"  {min(losses):.4f}  trial {best.number}, the best\n"
        f"dvc exp run {settings}"
    )


def optimize(search: Search) -> None:
    """Runs trials until the study has as many as are wanted, those of other processes counted."""
    import optuna
    import torch

    from esetrag.symbols.batch import Batch
    from esetrag.training import trainer
    from esetrag.training.data import Data
    from esetrag.training.history import Epoch

    data, task, study = Data.read(search.layout), search.layout.task, search.study()
    dev = Batch.of(data.dev, torch.device("cpu"))

    def objective(trial: optuna.Trial) -> float:
        values = {name: _rounded(_suggest(trial, name, given)) for name, given in search.ranges.items()}
        params = changed(search.params, values)
        model, options = params.model_of(task), params.section_of(task, config.Train)

        def listen(epoch: Epoch) -> None:
            trial.report(epoch.dev_loss, epoch.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        trained = trainer.fit(data, model, options, [listen])
        logits, targets = (part.numpy() for part in trained.network.ranked(dev))
        fitted = trained.calibrate(data, params.calibration)
        shares = calibration.probabilities(logits, model.head, fitted)
        if search.writes:  # a trial must not gain by proposing less
            proposed = np.maximum((shares * targets).sum(1), calibration.LEAST)
            return Ratio.mean(-np.log(proposed)).value
        return float(calibration.losses(shares, targets, model.head).value)

    ended = [optuna.trial.TrialState[name] for name in STATUS]
    if len(study.get_trials(states=ended)) < search.trials:
        enough = optuna.study.MaxTrialsCallback(search.trials, ended)
        study.optimize(objective, callbacks=[enough], catch=(EsetragError,))


def _losses(study: Any, values: dict[str, Any]) -> list[float]:
    """Of the trials with these values that trained to their end."""
    trials = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    return [trial.value for trial in trials if values.items() <= trial.params.items()]


def _suggest(trial: Any, name: str, given: list[Any] | Interval) -> Any:
    if not isinstance(given, Interval):
        return trial.suggest_categorical(name, given)
    whole = isinstance(given.low, int) and isinstance(given.high, int)
    suggest = trial.suggest_int if whole else trial.suggest_float
    return suggest(name, given.low, given.high, log=given.log)


def _has(given: list[Any] | Interval, value: Any) -> bool:
    return given.low <= value <= given.high if isinstance(given, Interval) else value in given


def _rounded(value: Any) -> Any:
    """A number as it is trained with and shown: with three digits."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _log(study: Any, layout: Layout, params: config.Params) -> None:
    """Logs the trials that the MLflow store lacks, as children of one run."""
    with store.opened(params.experiment_of(layout.task)) as opened:
        client, entities, now = opened.client, opened.mlflow.entities, int(time.time() * 1000)

        def create(name: str, **tags: str) -> str:
            tags = {"task": layout.task, **tags}
            return str(client.create_run(opened.experiment_id, tags=tags, run_name=name).info.run_id)

        parents = opened.runs(f"tags.`{STUDY}` = '{study.study_name}'")
        parent = (
            parents[0].info.run_id if parents else create(f"tune-{layout.task}", **{STUDY: study.study_name})
        )
        logged = {run.data.tags[TRIAL] for run in opened.runs(f"tags.`{PARENT}` = '{parent}'", 50_000)}
        for trial in study.trials:
            number = str(trial.number)
            if trial.state.name not in STATUS or number in logged:
                continue
            run = create(f"tune-{layout.task}-{number}", **{PARENT: parent, TRIAL: number})
            losses = [*trial.intermediate_values.items()][:900]  # more are no valid call
            metrics = [entities.Metric("dev_loss", loss, now, step) for step, loss in losses]
            metrics += [entities.Metric("best_dev_loss", value, now, 0) for value in trial.values or ()]
            chosen = [entities.Param(name, str(_rounded(value))) for name, value in trial.params.items()]
            client.log_batch(run, metrics=metrics, params=chosen)
            client.set_terminated(run, STATUS[trial.state.name])
        client.set_terminated(parent)
