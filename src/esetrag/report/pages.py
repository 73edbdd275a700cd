"""The pages of a task: report, errors, model card, data and audit, and the pictures beside them."""

from __future__ import annotations

import textwrap

from esetrag.core import config, files
from esetrag.core.errors import DataError
from esetrag.report import classify, drawing, html, markdown, pair, provenance, tag, tag_words, transduce
from esetrag.report.context import Context
from esetrag.report.section import Section

KINDS = {"classify": classify, "pair": pair, "tag": tag, "tag_words": tag_words, "transduce": transduce}
"""The module of each kind of task, by ``config.kind_key``."""
FIRST = 20
"""Misclassified forms on the terminal."""


def write(context: Context) -> str:
    """Writes all pages and pictures.

    Args:
        context: the artifacts of the task.

    Returns:
        A summary for the terminal.

    Raises:
        DataError: if an artifact lacks what a page shows.
    """
    task, folder = context.layout.task, context.layout.metrics
    try:
        kind = KINDS[config.kind_key(context.data["task"])]
        top = kind.headline(context)
        made = {make: make(context) for make in dict.fromkeys(kind.REPORT + kind.CARD)}
        pages = {
            "report.html": Section(f"Report: {task}", (top, *(made[make] for make in kind.REPORT))),
            "errors.md": Section(f"Errors of {task}", tuple(made[make] for make in kind.ERRORS)),
            "model_card.md": Section(f"Model card: {task}", tuple(made[make] for make in kind.CARD)),
            "data.md": Section(f"Data of {task}", made[provenance.data].blocks),
            "data_audit.md": Section(f"Data audit of {task}", made[provenance.audit].blocks),
        }
        results, errors = kind.summary(context)
    except (AttributeError, KeyError, TypeError) as error:
        mend = "make all anew: dvc repro -f"
        raise DataError(
            f"{folder}: not the files of this version ({error!r} in one of them); {mend}"
        ) from error
    for name, page in pages.items():
        files.write_text(folder / name, (html if name.endswith("html") else markdown).render(page))
    for picture in pages["report.html"].pictures():
        if picture.png:
            drawing.write_png(context.layout.plots / f"{picture.name}.png", picture.figure)
    lines = [textwrap.fill(f"{task}: {top.figure} {top.text}", 100), markdown.plain(results)]
    if wrong := len(errors.frame):
        lines += [f"{wrong:,} {kind.WRONG}, the most confident first:", markdown.plain(errors, FIRST)]
    where = f"All: data/{task}/errors.parquet. Report: {context.layout.report}"
    return "\n\n".join([*lines, f"{errors.rest(FIRST)} {where}".strip()])
