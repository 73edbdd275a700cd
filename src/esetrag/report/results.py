"""The table of results: the models, the baselines and the upper bound on the same test rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.report import markdown
from esetrag.report.section import Table, distinct, shares

BEGIN, END = "<!-- results: esetrag results -->", "<!-- end of results -->"
NAMES = {
    "majority": "majority-class baseline",
    "longest_suffix": "longest-suffix baseline",
    "logistic_regression": "logistic regression",
    "bilstm": "BiLSTM",
    "ngram": "n-grams",
    "blend": "blend of models",
    "seq2seq": "seq2seq with attention",
    "edit_rules": "longest-suffix edit rules",
    "copy": "copying the word",
    "tagger": "BiLSTM tagger",
    "word_tagger": "BiLSTM tagger of words",
    "longest_suffix_split": "longest-suffix split",
    "frequent_tags": "most frequent tag of each letter",
    "siamese": "siamese BiLSTM",
    "differing_endings": "logistic regression on differing endings",
    "similarity": "logistic regression on similarity",
    "upper_bound": "upper bound",
}
"""Names for people; other models go by their own."""


def ranked(test: dict[str, Any]) -> list[str]:
    """The baselines, other models, and the task's model, in the order of the rows of a table."""
    others = [name for name in test["models"] if name != test["model"] and name not in test["baselines"]]
    return [*reversed(test["baselines"]), *others, test["model"]]


def scores(test: dict[str, Any]) -> pd.DataFrame:
    """The figures of the baselines, of other models, of the task's model and of the upper bound.

    Args:
        test: ``test.json``.

    Returns:
        A row each, in this order: ``model`` (its name for people), ``interval`` and the keys of
        ``models``; the upper bound has few of them.
    """
    rows = [{"model": name} | test["models"][name] for name in ranked(test)]
    frame = pd.DataFrame([*rows, {"model": "upper_bound"} | test["upper_bound"]]).replace({"model": NAMES})
    ends = zip(frame["low"], frame["high"], strict=True)
    return frame.assign(interval=["" if pd.isna(low) else f"{low:.2%}–{high:.2%}" for low, high in ends])


def compared(test: dict[str, Any], columns: Sequence[str], **formats: str) -> Table:
    """Some columns of ``scores``, the task's model marked; numbers that are no shares have a format."""
    frame = scores(test)
    there = [name for name in columns if name in frame]
    kept = distinct(frame.iloc[:-1][there]).columns  # the upper bound has few figures
    return Table(frame[kept], formats=shares(*columns) | formats, marked=len(frame) - 2)


def table(metrics: Path) -> str:
    """The table of the README: the rows of ``scores`` of each task.

    Args:
        metrics: folder that holds ``<task>/test.json`` and ``<task>/data.json``.

    Raises:
        DataError: if no task is there.
    """
    rows: list[tuple[str, ...]] = []
    for path in sorted(metrics.glob("*/test.json")):
        test, data = files.read_json(path), files.read_json(path.with_name("data.json"))
        forms = (f"{data['parts']['train']['rows']:,}", f"{test['rows']:,}")
        for entry in scores(test).to_dict("records"):
            name, accuracy = entry["model"], f"{entry['accuracy']:.2%}"
            if name == NAMES.get(test["model"], test["model"]):
                name, accuracy = f"**{name}**", f"**{accuracy}**"
            f1 = "" if pd.isna(entry.get("macro_f1")) else f"{entry['macro_f1']:.2%}"
            rows.append((path.parent.name, name, *forms, accuracy, entry["interval"], f1))
    if not rows:
        raise DataError(f"{metrics}: no test.json of any task; make them: dvc repro")
    head = ("task", "model", "training forms", "test forms", "accuracy", "95% interval", "macro-F1")
    return markdown.table(head, rows, "llrrrrr")


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


def update(readme: Path, metrics: Path, check: bool) -> None:
    """Writes the table of results into the README, or only checks it; DataError if it is another."""
    now = readme.read_text("utf-8")
    new = insert(now, table(metrics))
    if check and new != now:
        raise DataError(f"{readme}: its table of results is not that of metrics/; run: esetrag results")
    if new != now:
        files.write_text(readme, new)
