"""Makes ``docs/lecture.ipynb`` of ``docs/lecture.py``: runs its cells, keeps what they print and draw.

A cell begins with ``# %%``, one of text with ``# %% [markdown]``, as jupytext and editors have it.
"""

from __future__ import annotations

import ast
import base64
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from esetrag.core import files

SOURCE = Path("docs/lecture.py")
MARK, TEXT = "# %%", "[markdown]"


def cells(source: str) -> list[tuple[bool, str]]:
    """Whether each cell is text, and its content."""
    listed = []
    for part in source.split(f"\n{MARK}"):
        head, _, body = part.removeprefix(MARK).partition("\n")
        is_text = TEXT in head
        lines = body.strip("\n").splitlines()
        listed.append((is_text, "\n".join(line[2:] if is_text else line for line in lines)))
    return listed


def run(code: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs a cell; what it prints, and the value of its last line if that is an expression."""
    tree, printed, value = ast.parse(code), io.StringIO(), None
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(printed):
        exec(compile(tree, str(SOURCE), "exec"), names)  # noqa: S102
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(SOURCE), "eval"), names)  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    if value is not None:
        shown = {"output_type": "display_data", "metadata": {}, "data": data(value)}
        outputs.append(shown)
    return outputs


def data(value: Any) -> dict[str, str]:
    """A value as a notebook shows it: a picture, a table or a text."""
    if isinstance(value, Figure):
        picture = io.BytesIO()
        value.savefig(picture, format="png", dpi=100, bbox_inches="tight", metadata={"Software": None})
        return {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": "a picture"}
    if isinstance(value, pd.DataFrame):
        return {"text/html": value.to_html(index=False, border=0), "text/plain": value.to_string(index=False)}
    return {"text/plain": repr(value)}


def notebook(source: str) -> dict[str, Any]:
    """Runs all cells; the notebook in nbformat 4.5."""
    names: dict[str, Any] = {"__name__": "__main__"}
    listed: list[dict[str, Any]] = []
    for number, (is_text, content) in enumerate(cells(source), 1):
        cell: dict[str, Any] = {"cell_type": "markdown" if is_text else "code", "id": f"cell-{number}"}
        cell |= {"metadata": {}, "source": content}
        if not is_text:
            cell |= {"execution_count": None, "outputs": run(content, names)}
        listed.append(cell)
    plt.close("all")  # as the end of a kernel does
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": listed, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip


def main() -> None:
    """Writes the notebook."""
    mpl.use("agg")
    made = notebook(SOURCE.read_text("utf-8"))
    text = json.dumps(made, indent=1, ensure_ascii=False)
    files.write_text(SOURCE.with_suffix(".ipynb"), text + "\n")


if __name__ == "__main__":
    main()
