"""The pipeline stage by stage, at an earlier commit and now, in turn: seconds, imports of them, memory."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import clock, results
from bench.copies import STAGES, Copy

ROUNDS = 5
BEFORE = "759067d"
"""The commit before the work on speed."""


def imports(copy: Copy, stage: str) -> float:
    """Seconds until a stage's script has imported what it imports at its top, and Python's own start."""
    return copy.run("python", "-c", f"import runpy; runpy.run_path('stages/{stage}.py')").seconds


def main() -> None:
    """Runs every stage of both, round by round."""
    options = results.parser(__doc__)
    options.add_argument("--before", default=BEFORE, help="a commit (default: %(default)s)")
    arguments = options.parse_args()
    rounds = 1 if arguments.quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        copies = {
            "before": Copy(Path(folder) / "before", arguments.before, arguments.raw),
            "now": Copy(Path(folder) / "now", raw=arguments.raw),
        }
        whole: dict[str, clock.Times] = {name: {stage: [] for stage in STAGES} for name in copies}
        start: dict[str, clock.Times] = {name: {stage: [] for stage in STAGES} for name in copies}
        peak: dict[str, dict[str, float]] = {name: {} for name in copies}
        for number in range(rounds + 1):
            for stage in STAGES:
                for name, copy in copies.items():
                    ran = copy.stage(stage)
                    if number:  # the first round makes files, caches and the MLflow store
                        whole[name][stage].append(ran.seconds)
                        start[name][stage].append(imports(copy, stage))
                        peak[name][stage] = max(ran.peak, peak[name].get(stage, 0.0))
            print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    found: dict[str, Any] = {
        name: {
            stage: {
                "seconds": clock.spread(whole[name][stage]),
                "imports": statistics.median(start[name][stage]),
                "peak": peak[name][stage],
            }
            for stage in STAGES
        }
        for name in copies
    }
    results.write("stages", {"before": arguments.before, "rounds": rounds, "stages": found}, arguments.quick)


if __name__ == "__main__":
    main()
