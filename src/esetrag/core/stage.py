"""Runs a stage script: task and parameters in; one line and exit code 2 if the user must mend something."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

from esetrag.core import config, runtime
from esetrag.core.errors import ParamsError, mendable
from esetrag.core.layout import PARAMS, Layout
from esetrag.core.streams import tell


def run(main: Callable[..., None], *sections: type) -> None:
    """Runs ``main(layout, *sections)`` for the task named on the command line.

    The whole parameter file is checked first; ``main`` gets only the sections named here.

    Args:
        main: the stage.
        sections: classes of the sections it reads, as ``Params.sections`` takes them.
    """
    # Garbage collection takes a third of the time in which PyTorch or MLflow is imported.
    gc.set_threshold(100_000, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
    script = Path(sys.argv[0])
    parser = argparse.ArgumentParser(prog=script.name, description=sys.modules["__main__"].__doc__)
    # DVC names the stage, "sample@hun-noun-case", in a variable: no text of params.yaml reaches a shell.
    task = os.environ.get("DVC_STAGE", "").partition("@")[2] or None
    nargs = "?" if task else None
    parser.add_argument("task", nargs=nargs, default=task, help="a key of tasks in params.yaml")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args()
    try:
        runtime.handle_signals()
        params = config.load(PARAMS)
        params.task(arguments.task)
        layout, wanted = Layout(arguments.task), params.sections(arguments.task, sections)
        with runtime.locked(layout.runtime, script.stem):
            main(layout, *wanted)
        # DVC reads the parameters once more now, and would note them as those of these results.
        if config.load(PARAMS).sections(arguments.task, sections) != wanted:
            raise ParamsError(f"{PARAMS} was changed while this ran; make the artifacts anew: dvc repro")
        code = 0
    except runtime.Stopped as stopped:
        tell(f"{script.stem}: {stopped}")
        code = stopped.code
    except Exception as error:
        known = mendable(error)
        if known is None or arguments.debug:
            raise
        tell(f"{script.stem}: {known}")
        code = 2
    runtime.leave(code)
