"""Who becomes champion: a candidate that surely reads more of the same test rows right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esetrag.core import config
from esetrag.core.errors import DataError, EsetragError, TrackingError
from esetrag.core.layout import Layout
from esetrag.tracking import compare, registry, runs, store
from esetrag.tracking.run_state import State
from esetrag.tracking.store import Store


@dataclass(frozen=True)
class Verdict:
    """The outcome of a challenge."""

    is_champion: bool
    """Whether the candidate is the champion now."""
    text: str
    """What the figures say and what was done, a line or two."""


def promote(layout: Layout, given: config.Params, name: str | None = None, anyway: bool = False) -> Verdict:
    """Makes a run's model the champion of its task if there is none, or if it is surely better.

    Args:
        layout: of the task.
        given: all parameters.
        name: id or name of the run; None is that of the files as they are.
        anyway: make it the champion whatever the figures are.

    Raises:
        DataError: if no run is named and the pipeline has not run to its end, or if candidate and
            champion have other test rows.
        TrackingError: if there is no such run, one has no predictions, or the store cannot be used.
    """
    state = None if name else runs.finished(layout, given)
    with store.opened(given.tracking.experiment) as opened:
        if state is None:
            run, wanted = opened.named(str(name)), f"called {name}; list them: make ui"
        else:
            run = opened.finished(state[0].key, state[1].digest)
            wanted = f"of {layout.task} as the files are now; log it: esetrag track --task {layout.task}"
        if run is None:
            raise TrackingError(f"{opened.uri}: no finished run {wanted}")
        if (task := run.data.tags["task"]) != layout.task:
            raise TrackingError(f"{name}: a run of the task {task}; to promote it: --task {task}")
        new = registry.register(opened, layout.task, run.info.run_id)
        return _challenge(opened, layout, given.evaluate, new, anyway)


def _challenge(opened: Store, layout: Layout, how: config.Evaluate, new: Any, anyway: bool) -> Verdict:
    """Compares a version with the champion of its task, and gives it the alias if it has earned it."""
    task, old = layout.task, registry.champion(opened, layout.task)
    if old is None:
        surely, why = True, f"{task} had no champion."
    elif int(old.version) == int(new.version):  # text from a server, a number from SQLite
        return Verdict(True, f"{task}: version {new.version} is the champion already.")
    else:
        try:
            a, b = (_state(opened, layout, version) for version in (old, new))
            surely, why = _is_better(a, b, how)
        except EsetragError as error:
            if not anyway:
                raise type(error)(f"{error}; to promote it still: --anyway") from error
            surely, why = False, f"Not compared: {error}."
    if surely or anyway:
        registry.crown(opened, new, why if surely else f"{why} Promoted anyway.")
        return Verdict(True, f"{why}\n{task}: version {new.version} is the champion now.")
    stays = f"version {old.version} stays the champion; to promote version {new.version} still: --anyway"
    return Verdict(False, f"{why}\n{task}: {stays}")


def _is_better(old: State, new: State, how: config.Evaluate) -> tuple[bool, str]:
    """Whether the interval of the gain lies above 0, and the figures.

    Raises:
        DataError: if the two have other test rows.
    """
    found = compare.compare(old, new, how)
    if found.rows != (found.shared, found.shared):
        raise DataError(
            f"expected {new.name} and {old.name} to have the same test rows under the same labels, "
            f"found {found.shared:,} such rows of {found.rows[1]:,} and {found.rows[0]:,}"
        )
    return found.gain.low > 0, compare.sentence(found)


def _state(opened: Store, layout: Layout, version: Any) -> State:
    """What the run of a version read, also where the run is deleted."""
    try:
        run = opened.client.get_run(version.run_id)
    except opened.mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise TrackingError(f"version {version.version}: its run and its predictions are gone") from error
    return State.logged(f"version {version.version}", run, layout, opened)
