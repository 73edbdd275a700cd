"""Runs commands with little memory and little time, each in a fork of a process that has imported it all.

``python -m tests.faults.bounded CASES.json`` prints, as JSON, what became of each.
"""

from __future__ import annotations

import json
import os
import resource
import runpy
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

SECONDS = 60
ALLOWED = 3 * 2**29
"""Bytes of address space beyond those of the imported libraries: the largest table and a half."""


def main() -> None:
    from esetrag.analysis import error_analysis  # noqa: F401
    from esetrag.data import sampling, unimorph  # noqa: F401
    from esetrag.predict import inputs, outputs  # noqa: F401
    from esetrag.training import trainer  # noqa: F401

    idle = _run({"arguments": ["esetrag", "--help"], "folder": "."})["peak"]
    cases = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    results = {name: _run(case) for name, case in cases.items()}
    for result in results.values():
        result["peak"] -= idle
    print(json.dumps(results))


def _run(case: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            _be(case)
        _, status, usage = os.wait4(child, 0)
        for file in (out, err):
            file.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode(errors="replace"),
            "err": err.read().decode(errors="replace"),
            "peak": usage.ru_maxrss * 1024,
            "seconds": usage.ru_utime + usage.ru_stime,
        }


def _be(case: dict[str, Any]) -> None:
    """Becomes a command, and ends as it does."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + ALLOWED
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS)
    code = 0
    try:
        os.chdir(case["folder"])
        sys.argv = list(case["arguments"])
        if sys.argv[0] == "esetrag":
            from esetrag.cli import main as command

            command()
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 as Python tells of what nobody catches
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
