"""Opens the reports in Chromium: sorts, searches and filters as a visitor would, and takes pictures.

Needs a Chromium or Chrome on the path. A copy of each page gets one more script, ``look.js``; Chromium prints
the page afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --disable-sync --disable-quic"
FLAGS += " --disable-background-networking --disable-component-update"
PICTURES = Path("dvc_plots")
SIZES = {"wide": (1280, 2400), "narrow": (500, 2400)}
CHECK = Path(__file__).with_suffix(".js").read_text("utf-8")
RULES: dict[str, Callable[[Any], bool]] = {
    "its script does not run to its end": lambda seen: bool(seen),
    "a first press does not sort downwards": lambda seen: (
        seen["falling"] == sorted(seen["falling"], reverse=True)
    ),
    "a second press does not sort upwards": lambda seen: seen["rising"] == sorted(seen["rising"]),
    "screen readers are not told the order": lambda seen: seen["sorted"] == "ascending",
    "not all rows can be shown": lambda seen: seen["all"] == seen["rows"] >= seen["first"] > 0,
    "a search for an end finds others": lambda seen: set(seen["ending"]) == {seen["end"]},
    "a choice of a label shows others": lambda seen: set(seen["predicted"]) == {seen["label"]},
    "it loads something": lambda seen: seen["requests"] == 0,
}


def main() -> int:
    """Looks at every report there is; the exit code is 1 if one does not do what it should."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    reports = sorted(Path("metrics").glob("*/report.html"))
    if browser is None or not reports:
        wanted = "a Chromium on the path" if browser is None else "metrics/*/report.html: dvc repro"
        print(f"look: expected {wanted}, found none", file=sys.stderr)
        return 2
    bad = 0
    PICTURES.mkdir(exist_ok=True)
    for path in reports:
        fault = check(browser, path)
        bad += fault is not None
        print(f"{path}: {path.stat().st_size / 1024:,.0f} KiB: {fault or 'as it should be'}")
        for name, (width, height) in SIZES.items():
            picture = PICTURES / f"{path.parent.name}-report-{name}.png"
            run(browser, path, f"--screenshot={picture.resolve()}", f"--window-size={width},{height}")
            print(f"  {picture}")
    return 1 if bad else 0


def check(browser: str, path: Path) -> str | None:
    """The first thing that is wrong with a page; a page without errors has no table to check."""
    page = path.read_text("utf-8")
    if 'class="browser"' not in page:
        return None
    digest = base64.b64encode(hashlib.sha256(CHECK.encode()).digest()).decode()
    page = page.replace("script-src 'sha256-", f"script-src 'sha256-{digest}' 'sha256-", 1)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "report.html"
        copy.write_text(page.replace("</body>", f"<script>{CHECK}</script></body>"), "utf-8")
        printed = run(browser, copy, "--dump-dom", "--virtual-time-budget=5000")
    note = re.search(r'<pre id="seen">(.*?)</pre>', printed, re.DOTALL)
    seen: dict[str, Any] = json.loads(html.unescape(note[1])) if note else {}
    return next((fault for fault, holds in RULES.items() if not holds(seen)), None)


def run(browser: str, path: Path, *flags: str) -> str:
    """Chromium on a page, with a profile of its own; what it printed."""
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *FLAGS.split(), f"--user-data-dir={profile}", *flags, path.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
