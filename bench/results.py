"""Figures on their way to the report: a JSON file a measurement."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.child import REPO

FOLDER = REPO / "bench/.results"


def folder(quick: bool) -> Path:
    """Where figures lie: those of a try apart from the others."""
    return FOLDER / "quick" if quick else FOLDER


def write(name: str, content: Any, quick: bool) -> None:
    """Writes the figures of a measurement."""
    folder(quick).mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (folder(quick) / f"{name}.json").write_text(text, "utf-8")


def read(name: str, quick: bool) -> Any:
    """The figures of a measurement; None if it was not made."""
    place = folder(quick) / f"{name}.json"
    return json.loads(place.read_text("utf-8")) if place.exists() else None


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all measurements have."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--quick", action="store_true", help="few rounds and few rows: a try, no result")
    options.add_argument("--raw", type=Path, help="another table in the place of the task's")
    return options
