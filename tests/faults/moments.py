"""Kills the real ``train`` before each of its changes to files in turn, and lets it go on.

``python -m tests.faults.moments LOG`` in a project before its training. PyTorch is imported
once; each run of the stage is a fork. Prints as JSON what was done before each kill, and what came of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import runpy
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.conftest import OUTPUTS, STATES

OURS = (STATES, "data/toy", "metrics/toy")
CHANGES = {"os.rename": 1, "os.remove": 0, "os.rmdir": 0}
"""Audit events that change what is there, and which argument names the file."""


def watched(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The file of ours that an event is about to change."""
    if event not in CHANGES:
        return None
    path = str(arguments[CHANGES[event]])
    if "/." in path.replace(STATES, ""):  # a temporary file that has already got its name
        return None
    # (rmtree names files relative to an open folder.)
    return path if path.startswith("state-") or any(name in path for name in OURS) else None


def forked(work: Callable[[], None]) -> int:
    """Runs something in a fork; returns how it ended, as ``os.waitstatus_to_exitcode`` has it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except SystemExit as error:
            os._exit(int(error.code or 0))
        except BaseException as error:  # noqa: BLE001
            print(repr(error), file=sys.stderr)
            os._exit(99)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def stage(kill_before: int, log: Path) -> None:
    """Runs the stage script, up to a change of files."""
    done = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        if (path := watched(event, arguments)) is not None:
            done += 1
            os.write(2, f"change: {event} {path}\n".encode())
            if done == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)

    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.addaudithook(hook)
    runpy.run_path("stages/train.py", run_name="__main__")


def clear() -> None:
    """What DVC does before it runs a stage."""
    shutil.rmtree("data/toy/model", ignore_errors=True)
    for name in OUTPUTS:
        Path(name).unlink(missing_ok=True)


def digests() -> dict[str, str]:
    """SHA-256 of each output that is there."""
    paths = {name: Path(name) for name in OUTPUTS}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.exists()
    }


def main() -> None:
    log = Path(sys.argv[1])
    sys.argv = ["stages/train.py", "toy"]
    sys.path.insert(0, "src")
    # So that no fork has to import them.
    import filelock  # noqa: F401
    import torch._dynamo  # noqa: F401

    from esetrag.core import tables  # noqa: F401
    from esetrag.models import checkpoint  # noqa: F401
    from esetrag.models.lemma_prior import analogy  # noqa: F401
    from esetrag.tracking import tracker  # noqa: F401
    from esetrag.training import progress, trainer  # noqa: F401

    whole: dict[str, str] = {}
    moments = []
    for number in range(1, 1000):
        clear()
        shutil.rmtree(".esetrag", ignore_errors=True)
        ended = forked(lambda number=number: stage(number, log))  # type: ignore[misc]
        if ended == 0:  # no change was left to kill it before
            whole = digests()
            break
        last = [line for line in log.read_text().splitlines() if line.startswith("change: ")][-1]
        clear()
        again = forked(lambda: stage(0, log))
        moments.append(
            {
                "change": last.removeprefix("change: "),
                "killed": ended,
                "again": again,
                "said": [line for line in log.read_text().splitlines() if line.startswith("training: ")],
                "outputs": digests(),
                "left": sorted(
                    path.name for path in Path(".esetrag/toy").iterdir() if path.suffix != ".lock"
                ),
            }
        )
    print(json.dumps({"whole": whole, "moments": moments}))


if __name__ == "__main__":
    main()
