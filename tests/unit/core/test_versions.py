from __future__ import annotations

from pathlib import Path

import pytest
import torch

from esetrag.core import files, versions
from esetrag.core.errors import DataError


def test_the_libraries_at_hand(tiny_checkpoint: Path) -> None:
    assert versions.installed()["torch"] == torch.__version__
    assert versions.of(tiny_checkpoint / "manifest.json") == versions.installed()


def test_a_checkpoint_keeps_those_it_was_trained_with(tmp_path: Path) -> None:
    files.write_json(tmp_path / "manifest.json", {"versions": {"esetrag": "0.1.0", "torch": "1.0"}})
    assert versions.of(tmp_path / "manifest.json") == {**versions.installed(), "torch": "1.0"}


def test_without_a_checkpoint_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.json"):
        versions.of(tmp_path / "manifest.json")
