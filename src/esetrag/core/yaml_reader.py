"""Reads YAML that anybody may have written, as DVC reads the same file."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from esetrag.core import files
from esetrag.core.errors import ParamsError

LARGEST = 2**20
"""Bytes of the file; the parameters of a thousand tasks are a tenth of it."""
DIGITS = 100
"""Of a number."""
_OUTLINE = reprlib.Repr()
_OUTLINE.maxlevel, _OUTLINE.maxstring, _OUTLINE.maxother = 3, 200, 200


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars, as DVC reads the same file: ``1e-3`` is a number, ``no`` is a word."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 PyYAML's own

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                break  # which is told below
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {shown(key)} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Reads 010 as ten: the octal of YAML 1.2 is 0o10."""
        text = self.construct_scalar(node).lower().replace("_", "")
        if len(text) > DIGITS:
            raise ValueError(f"a number of {len(text):,} digits")
        base = {"0o": 8, "0x": 16}.get(text.lstrip("+-")[:2], 10)
        return int(text, base)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"[-+]?(?:0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def read(path: Path) -> Any:
    """The content of a file.

    Raises:
        ParamsError: if it cannot be read, is too large, or is not YAML.
    """
    try:
        with path.open("rb") as file:
            data = files.whole(file, LARGEST)
    except OSError as error:
        raise ParamsError(f"{path}: cannot be read ({error.strerror})") from error
    if data is None:
        raise ParamsError(f"{path}: expected {LARGEST:,} bytes at most, found more")
    try:
        return yaml.load(data, Loader=_Loader)  # noqa: S506 a SafeLoader
    except Exception as error:  # PyYAML has half of Python's errors for a wrong !!float or !!map
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ParamsError(f"{path}{where}: not YAML ({reason})") from error


def shown(value: Any) -> str:
    """A value as a message shows it: 60 symbols at most."""
    # A few lines of YAML can name a list of lists of billions of words; no more is looked at than shown.
    text = repr(value) if isinstance(value, int | float | bool | None) else _OUTLINE.repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
