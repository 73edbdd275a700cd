"""A params.yaml as tests change it, and what is said about it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from esetrag.core import config
from esetrag.core.errors import ParamsError

COLUMNS = {
    "kind": "classify",
    "source": "columns",
    "raw": "data/raw/own",
    "splits": {"train": "a.tsv", "dev": "b.tsv", "test": "c.tsv.gz"},
    "columns": {"form": "word", "label": 2},
    "model": "ngram",
}


def written(folder: Path, content: dict[str, Any] | str) -> Path:
    path = folder / "params.yaml"
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    path.write_text(text, "utf-8")
    return path


def refusal(folder: Path, content: dict[str, Any] | str) -> str:
    """The message about the file, without the path in front."""
    path = written(folder, content)
    with pytest.raises(ParamsError) as caught:
        config.load(path)
    text = str(caught.value)
    assert text.startswith(str(path)), "the file is named"
    assert "\n" not in text
    return text.removeprefix(str(path))


def changed(content: dict[str, Any], *changes: tuple[str, Any]) -> dict[str, Any]:
    """A copy with other values at some dotted paths."""
    result = copy.deepcopy(content)
    for place, value in changes:
        *sections, key = place.split(".")
        inner = result
        for section in sections:
            inner = inner[section]
        inner[key] = copy.deepcopy(value)
    return result
