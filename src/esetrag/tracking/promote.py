"""Who becomes champion: a candidate that is correct on significantly more of the same test rows."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esetrag.core import config
from esetrag.core.errors import DataError, EsetragError, TrackingError
from esetrag.core.layout import Layout
from esetrag.tracking import compare, log_run, runs, store
from esetrag.tracking.run_state import Revision, State, UnknownRevisionError, restored
from esetrag.tracking.runs import Inputs, Outcome
from esetrag.tracking.store import Store

WHY = "esetrag.champion"
"""The tag of a version that says why it has become the champion."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of a promotion."""

    is_champion: bool
    """Whether the candidate is the champion now."""
    text: str
    """What the figures say and what was done, a line or two."""


def promote(layout: Layout, params: config.Params, name: str | None = None, anyway: bool = False) -> Verdict:
    """Makes a run's model the champion of its task if there is none, or if it is significantly better.

    Args:
        layout: of the task.
        params: all parameters.
        name: of the run (or its id), of a git revision or a DVC experiment; None is the workspace.
        anyway: whatever the figures are. The model must load all the same.

    Raises:
        DataError: if no run is named and the pipeline has not run to its end, or if candidate and
            champion have other test rows or other labels.
        TrackingError: if there is no such run, one has no predictions, or the store cannot be used.
        CheckpointError: if the candidate's model cannot be loaded.
    """
    state = runs.finished(layout, params) if name is None else None
    with store.opened(params.experiment_of(layout.task)) as opened:
        run = opened.named(name) if name else None
        if run is None and (state := state or _of_revision(name or "", layout)):
            run = opened.run(state[0].key, state[1].results)
        if run is None or run.info.status != "FINISHED":
            wanted = f"called {name}; list them: make ui" if name else "of the files as they are now"
            mend = f"log it: esetrag track --task {layout.task}"
            raise TrackingError(f"{opened.uri}: no finished run of {layout.task} {wanted}; {mend}")
        new, old = log_run.register(opened, run.info.run_id), opened.champion(layout.task)
        # A version is text from a server, a number from SQLite.
        if old is not None and int(old.version) == int(new.version):
            return Verdict(True, f"{layout.task}: version {new.version} is the champion already.")
        _load(opened, new)
        return _challenge(opened, layout, params.evaluate, new, old, anyway)


def _of_revision(name: str, layout: Layout) -> tuple[Inputs, Outcome] | None:
    """What git and DVC keep of a revision: of two experiments with the same results one names the run."""
    try:
        with (
            Revision.named(name, layout.root) as revision,
            restored(revision, layout.task) as (layouts, params),
        ):
            return runs.finished(layouts[0], params)
    except UnknownRevisionError:
        return None


def _load(opened: Store, version: Any) -> None:
    """Loads the model of a version: what cannot be loaded is no champion."""
    from esetrag.models import checkpoint  # PyTorch

    with tempfile.TemporaryDirectory() as folder:
        checkpoint.load(opened.checkpoint(version.source, Path(folder)))


def _challenge(
    opened: Store, layout: Layout, how: config.Evaluate, new: Any, old: Any | None, anyway: bool
) -> Verdict:
    """Compares a version with the champion, and gives it the alias if it is significantly better."""
    task, client = layout.task, opened.client
    better, why = True, f"{task} had no champion."
    if old is not None:
        try:
            a, b = (_state(opened, layout, version) for version in (old, new))
            better, why = _is_better(a, b, how)
        except EsetragError as error:
            if not anyway:
                raise type(error)(f"{error}; to promote it still: --anyway") from error
            better, why = False, f"Not compared: {error}."
        if not (better or anyway):
            stays = (
                f"version {old.version} stays the champion; to promote version {new.version} still: --anyway"
            )
            return Verdict(False, f"{why}\n{task}: {stays}")
    client.set_model_version_tag(task, new.version, WHY, why if better else f"{why} Promoted anyway.")
    client.set_registered_model_alias(task, store.CHAMPION, new.version)
    return Verdict(True, f"{why}\n{task}: version {new.version} is the champion now.")


def _is_better(old: State, new: State, how: config.Evaluate) -> tuple[bool, str]:
    """Whether the interval of the gain lies above 0, and the figures; DataError if the rows differ."""
    result = compare.compare(old, new, how)
    if result.rows != (result.shared, result.shared):
        raise DataError(
            f"expected {new.name} and {old.name} to have the same test rows under the same labels, "
            f"found {result.shared:,} such rows of {result.rows[1]:,} and {result.rows[0]:,}"
        )
    return result.gain.low > 0, compare.sentence(result)


def _state(opened: Store, layout: Layout, version: Any) -> State:
    """What the run of a version predicted, also where the run is deleted."""
    try:
        run = opened.client.get_run(version.run_id)
    except opened.mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise TrackingError(f"version {version.version}: its run and its predictions are gone") from error
    return State.logged(f"version {version.version}", run, layout, opened)
