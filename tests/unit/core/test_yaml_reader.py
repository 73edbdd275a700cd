from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esetrag.core import yaml_reader
from esetrag.core.errors import ParamsError


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("010", 10), ("0o10", 8), ("0xff", 255), ("no", "no"), ("~", None), ("-1_000", -1000)],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert yaml_reader.parse(f"a: {text}\n", "x") == {"a": value}
    assert yaml_reader.parse(f"\ufeffa: {text}\r\n".encode(), "x") == {"a": value}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_mark_of_a_merge_conflict_is_told_with_its_line(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "dvc.lock"
    path.write_bytes(ends.join(["a: 1", "<<<<<<< HEAD", "b: 2", "=======", "b: 3", ">>>>>>> x"]).encode())
    with pytest.raises(
        ParamsError, match=r"dvc\.lock, line 2: .*a merge conflict is left: <<<<<<<; keep one side"
    ):
        yaml_reader.read(path)


def test_a_file_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 12345")
    assert yaml_reader.read(path, largest=8) == {"a": 12345}
    with pytest.raises(ParamsError, match=r"a\.yaml: expected 7 bytes at most, found more"):
        yaml_reader.read(path, largest=7)


def test_a_long_value_is_shown_shortened() -> None:
    assert yaml_reader.shown("x" * 100) == "'" + "x" * 56 + "…"
    nested: Any = [1]
    for _ in range(40):
        nested = [nested] * 9
    assert len(yaml_reader.shown(nested)) <= 60
