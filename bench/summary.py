"""What a reviewer reads of a run in CI, as Markdown: python -m bench.summary REV.

Figures beside those of a git revision, the kinds of errors, the most frequent confusions, and the pictures
and plots that differ.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from esetrag.report.markdown import table

CONFUSIONS = 10
METRICS = Path("metrics")


def text(base: str) -> str:
    """The whole summary, against a revision."""
    blocks = [f"## Figures against {base}", _figures(base)]
    for folder in sorted(path.parent for path in METRICS.glob("*/errors.json")):
        blocks += [f"## Errors of {folder.name}", _errors(folder)]
    changed = _git("diff", "--name-only", base, "--", "metrics/*.png", "metrics/*.csv").split()
    listed = "\n".join(f"- {name}" for name in changed) or f"None differs from {base}."
    return "\n\n".join([*blocks, "## Plots that changed", listed]) + "\n"


def _figures(base: str) -> str:
    rows = []
    for path in sorted(METRICS.glob("*/summary.json")):
        now, then = _json(path.read_text("utf-8")), _json(_git("show", f"{base}:{path.as_posix()}"))
        for name in sorted({*now, *then}):
            before, after = then.get(name), now.get(name)
            change = ""
            if before is not None and after is not None and after != before:
                change = f"{after - before:+.4f}"
            cells = ["" if value is None else f"{value:.4f}" for value in (before, after)]
            rows.append([path.parent.name, name, *cells, change])
    return table(["task", "figure", base, "now", "change"], rows, "llrrr")


def _errors(folder: Path) -> str:
    found = json.loads((folder / "errors.json").read_text("utf-8"))
    kinds = ", ".join(f"{name} {count:,}" for name, count in found["kinds"].items() if count)
    lines = [f"{found['errors']:,} of {found['rows']:,} rows: {kinds or 'none'}."]
    if (path := folder / "confusion.csv").is_file():  # in DVC's cache, not in git
        pairs = pd.read_csv(path, dtype=str, na_filter=False)
        counts = (
            pairs[pairs["label"] != pairs["predicted"]].value_counts(["label", "predicted"]).head(CONFUSIONS)
        )
        rows = [[*map(str, pair[:2]), f"{pair[2]:,}"] for pair in counts.reset_index().to_numpy().tolist()]
        lines += [table(["label", "predicted", "forms"], rows, "llr")] if rows else []
    return "\n\n".join(lines)


def _json(content: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(content) if content else {}
    return parsed


def _git(*arguments: str) -> str:
    """What git prints; nothing if it fails, as for a file that the revision does not have."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607


if __name__ == "__main__":
    print(text(sys.argv[1] if len(sys.argv) > 1 else "HEAD"), end="")
