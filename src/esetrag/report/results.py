"""The table of results in the README, made from ``metrics/``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.report import markdown

BEGIN, END = "<!-- results: esetrag results -->", "<!-- end of results -->"


def table(metrics: Path) -> str:
    """One row a reader: each task's baselines, the trained one and the ceiling.

    Args:
        metrics: folder that holds ``<task>/test.json`` and ``<task>/data.json``.

    Raises:
        DataError: if no task is there.
    """
    rows: list[tuple[str, ...]] = []
    for path in sorted(metrics.glob("*/test.json")):
        test, data = files.read_json(path), files.read_json(path.with_name("data.json"))
        size = f"{test['rows']:,} forms of {test['lemmas']:,} lemmas"
        trained = f"{data['parts']['train']['rows']:,}"
        rows += [
            (
                path.parent.name,
                "commonest label",
                trained,
                _share(test["majority"]),
                _f1(test["majority"]),
                size,
            ),
            ("", "longest known suffix", trained, _share(test["suffix"]), _f1(test["suffix"]), ""),
            ("", "logistic regression on suffixes", trained, _share(test["ngram"]), _f1(test["ngram"]), ""),
            ("", "**esetrag**", trained, f"**{_share(test['reader'])}**", _f1(test["reader"]), ""),
            (
                "",
                "ceiling of any reader of the form alone",
                "",
                _percent(test["ceiling"]["accuracy"]),
                "",
                "",
            ),
        ]
    if not rows:
        raise DataError(f"{metrics}: no test.json of any task; make them: dvc repro")
    head = ("task", "reader", "trained on", "test accuracy, % (95 % interval)", "macro-F1, %", "tested on")
    return markdown.table(head, rows, "llrrrl")


def insert(page: str, text: str) -> str:
    """Puts a text between the marks of a page.

    Raises:
        DataError: if the marks are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise DataError(f"README.md: expected the marks {BEGIN} and {END}")
    return f"{before}{begin}\n{text}\n{end}{after}"


def _share(figures: dict[str, Any]) -> str:
    return f"{_percent(figures['accuracy'])} ({_percent(figures['low'])}–{_percent(figures['high'])})"


def _f1(figures: dict[str, Any]) -> str:
    return _percent(figures["macro_f1"])


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"
