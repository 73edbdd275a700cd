"""All measurements one after another, each in a process of its own, then the report: python -m bench."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from bench import results
from bench.child import REPO, environment

ALL = ("accuracy", "throughput", "goal", "encoding", "prediction", "pipelines", "stages", "growth")


def main() -> None:
    """Runs them."""
    options = results.parser(__doc__)
    options.add_argument("--only", nargs="+", choices=ALL, default=ALL, help="these, then the report of all")
    options.add_argument("--tables", type=Path, help="a folder of other tables that bench.tables is to read")
    arguments = options.parse_args()
    given = [*(["--quick"] if arguments.quick else [])]
    given += ["--raw", str(arguments.raw.resolve())] if arguments.raw else []
    others = {"tables": [str(arguments.tables.resolve())]} if arguments.tables else {}
    for name in [*arguments.only, *others]:
        print(f"bench.{name}", file=sys.stderr, flush=True)
        start = time.perf_counter()
        command = [sys.executable, "-m", f"bench.{name}", *others.get(name, []), *given]
        # Two threads where a measurement asks for them, so not the one thread of its children.
        inherited = {**environment(), "OMP_NUM_THREADS": str(min(2, os.cpu_count() or 1))}
        subprocess.run(command, cwd=REPO, env=inherited, check=True)  # noqa: S603 our own modules
        print(f"bench.{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    report = [sys.executable, "-m", "bench.report", *given]
    subprocess.run(report, cwd=REPO, check=True)  # noqa: S603 likewise


if __name__ == "__main__":
    main()
