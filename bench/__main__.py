"""All measurements one after another, each in a process of its own, then the report: python -m bench."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench import measure
from bench.measure import REPO
from bench.process import environment

ALL = ("goal", "speed", "pipelines", "growth", "audit")
OF_FOLDERS = {"languages": "tables", "probing": "probing"}


def main() -> None:
    """Runs them."""
    options = measure.parser(__doc__)
    options.add_argument("--only", nargs="+", choices=ALL, default=ALL, help="these, then the report of all")
    options.add_argument("--tables", type=Path, help="a folder of UniMorph tables for bench.languages")
    options.add_argument("--probing", type=Path, help="a folder of tasks for bench.probing")
    arguments = options.parse_args()
    common = ["--raw", str(arguments.raw.resolve()), *(["--quick"] if arguments.quick else [])]
    jobs = [[name] for name in arguments.only]
    for name, option in OF_FOLDERS.items():
        folder: Path | None = getattr(arguments, option)
        jobs += [[name, str(folder.resolve())]] if folder else []
    for name, *rest in [*jobs, ["report"]]:
        start = time.perf_counter()
        command = [sys.executable, "-m", f"bench.{name}", *rest, *common]
        subprocess.run(command, cwd=REPO, env=environment(), check=True)  # noqa: S603 our own modules
        print(f"bench.{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
