"""Opens the reports in Chromium: sorts, searches and filters as a reader would, and takes pictures.

Needs a Chromium or Chrome on the path. Unit tests parse the page; what its script does in a browser is
checked here. A copy of the page is given one more script, which presses and types and writes down what it
saw; Chromium prints the page afterwards.
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
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PICTURES = Path("dvc_plots")
SIZES = {"wide": (1280, 2400), "narrow": (500, 2400)}
CHECK = """
const table = document.querySelector("table.browser"), form = document.querySelector("form.choice");
const seen = (column) => [...table.tBodies[0].rows].filter((row) => !row.hidden)
  .map((row) => row.cells[column].textContent);
const heads = [...table.tHead.rows[0].cells], names = heads.map((head) => head.textContent);
const press = (name) => heads[names.indexOf(name)].querySelector("button").click();
const type = (text) => {
  form.querySelector("input").value = text;
  form.dispatchEvent(new Event("input"));
};
const p = names.indexOf("P(read as)"), found = { rows: table.tBodies[0].rows.length, first: seen(0).length };
press("P(read as)"); found.falling = seen(p).map(parseFloat); press("P(read as)");
found.rising = seen(p).map(parseFloat);
found.sorted = heads[p].getAttribute("aria-sort");
press("form"); found.forms = seen(0);
type("-" + found.forms[0].slice(-1)); found.ending = seen(0); type("");
document.querySelector("button.more").click(); found.all = seen(0).length;
const cell = document.querySelector("table.matrix button");
found.wanted = [cell.textContent, cell.dataset.true, cell.dataset.read];
cell.click();
setTimeout(() => {
  found.led = seen(names.indexOf("true")).map((label, at) => [label, seen(names.indexOf("read as"))[at]]);
  found.requests = performance.getEntriesByType("resource").length;
  found.evil = document.querySelectorAll("script").length;
  const note = document.createElement("pre");
  note.id = "seen"; note.textContent = JSON.stringify(found); document.body.append(note);
}, 100);
"""


def main() -> int:
    """Looks at every report there is; the exit code is 1 if one does not do what it should."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    reports = sorted(Path("metrics").glob("*/report.html"))
    if browser is None or not reports:
        wanted = "a Chromium on the path" if browser is None else "metrics/*/report.html: dvc repro"
        print(f"look: expected {wanted}, found none", file=sys.stderr)
        return 2
    bad = 0
    for path in reports:
        seen = watch(browser, path)
        faults = [] if seen is None else judge(seen)
        bad += bool(faults)
        said = "; ".join(faults) or ("no misread form to look at" if seen is None else "as it should be")
        print(f"{path}: {path.stat().st_size / 1024:,.0f} KiB: {said}")
        for name, (width, height) in SIZES.items():
            picture = PICTURES / f"{path.parent.name}-report-{name}.png"
            picture.parent.mkdir(exist_ok=True)
            run(browser, path, f"--screenshot={picture.resolve()}", f"--window-size={width},{height}")
            print(f"  {picture}")
    return 1 if bad else 0


def watch(browser: str, path: Path) -> dict[str, Any] | None:
    """What the script saw on the page; None if it has no misread forms."""
    page = path.read_text("utf-8")
    if '<table id="misread-forms-table"' not in page:
        return None
    digest = base64.b64encode(hashlib.sha256(CHECK.encode()).digest()).decode()
    page = page.replace("script-src 'sha256-", f"script-src 'sha256-{digest}' 'sha256-", 1)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "report.html"
        copy.write_text(page.replace("</body>", f"<script>{CHECK}</script></body>"), "utf-8")
        printed = run(browser, copy, "--dump-dom", "--virtual-time-budget=5000")
    note = re.search(r'<pre id="seen">(.*?)</pre>', printed, re.DOTALL)
    seen: dict[str, Any] = json.loads(html.unescape(note[1])) if note else {}
    return seen


def judge(seen: dict[str, Any]) -> list[str]:
    """What is wrong with it."""
    if not seen:
        return ["its script does not run to its end"]
    count, label, read = seen["wanted"]
    rules = {
        "a first press does not sort downwards": seen["falling"] == sorted(seen["falling"], reverse=True),
        "a second press does not sort upwards": seen["rising"] == sorted(seen["rising"]),
        "the order is not told to those who cannot see it": seen["sorted"] == "ascending",
        "not all rows can be shown": seen["all"] == seen["rows"] >= seen["first"],
        "a search for an end finds others": seen["ending"] != []
        and all(form[-1].lower() == seen["ending"][0][-1].lower() for form in seen["ending"]),
        "a cell of the matrix leads elsewhere": seen["led"] != []
        and all(pair == [label, read] for pair in seen["led"]),
        "a cell of the matrix counts others": len(seen["led"]) == min(int(count.replace(",", "")), 30),
        "it loads something": seen["requests"] == 0,
        "it has a script that is not its own": seen["evil"] == 2,
    }
    return [fault for fault, holds in rules.items() if not holds]


def run(browser: str, path: Path, *flags: str) -> str:
    """Chromium on a page, with a profile of its own; what it printed."""
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", *flags, path.resolve().as_uri()]
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True
        )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
