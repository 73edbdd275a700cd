"""Runs a stage script: task and parameters in; one line and exit code 2 if the user must mend something."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from esetrag.core import config, garbage, runtime
from esetrag.core.errors import DataError, mendable
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.streams import tell

NOTES = Path(".dvc/tmp/esetrag-ran")


def run(main: Callable[..., None], *sections: type) -> None:
    """Runs ``main(layout, *sections)`` for the task named on the command line.

    The whole parameter file is checked first; ``main`` is handed the sections named here alone.

    Args:
        main: the stage.
        sections: classes of the sections it reads, as ``Params.sections`` takes them.
    """
    garbage.collect_seldom()
    script = Path(sys.argv[0])
    parser = argparse.ArgumentParser(prog=script.name, description=sys.modules["__main__"].__doc__)
    parser.add_argument("task", help="a key of tasks in params.yaml")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args()
    try:
        params = config.load(PARAMS)
        params.task(arguments.task)
        layout, wanted = Layout(arguments.task), params.sections(arguments.task, sections)
        with runtime.guarded(layout.runtime, script.stem):
            _note(arguments.task, script.stem)
            main(layout, *wanted)
    except runtime.Stopped as stopped:
        tell(f"{script.stem}: {stopped}")
        sys.exit(stopped.code)
    except Exception as error:
        known = mendable(error)
        if known is None or arguments.debug:
            raise
        tell(f"{script.stem}: {known}")
        sys.exit(2)


def ran(task: str) -> list[str]:
    """The stages that ran since this was last asked; the others were cached."""
    notes = sorted((NOTES / task).glob("*"))
    for note in notes:
        note.unlink(missing_ok=True)
    return [note.name for note in notes]


def _note(task: str, stage: str) -> None:
    if NOTES.parent.parent.is_dir():  # within a DVC repository
        try:
            (NOTES / task).mkdir(parents=True, exist_ok=True)
            (NOTES / task / stage).touch()
        except OSError as error:
            raise DataError(f"{NOTES / task}: cannot be written ({error.strerror})") from error
