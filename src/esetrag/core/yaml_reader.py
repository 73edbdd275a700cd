"""Reads YAML 1.2 as DVC does: ``1e-3`` is a number, ``no`` is a word, no key stands twice."""

from __future__ import annotations

import re
import reprlib
from pathlib import Path
from typing import Any

import yaml

from esetrag.core import files
from esetrag.core.errors import ParamsError

LARGEST = 2**20  # bytes of a file; the parameters of a thousand tasks take a tenth
_CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>)", re.MULTILINE)
_SCALARS = {
    "bool": r"true|True|TRUE|false|False|FALSE",
    "null": r"null|Null|NULL|~|",
    "int": r"[-+]?(0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 PyYAML's own
        None: [(f"tag:yaml.org,2002:{tag}", re.compile(rf"({text})\Z")) for tag, text in _SCALARS.items()]
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"key {shown(key.value)} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_int(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        if len(text) > 100:
            raise ValueError(f"a number of {len(text):,} digits")
        return int(text, 0 if text.lstrip("-+")[:2] in ("0o", "0x") else 10)  # 010 is ten


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_int)


def read(path: Path, largest: int = LARGEST) -> Any:
    """The content of a file of ``largest`` bytes at most; raises ``ParamsError`` if it has none."""
    try:
        with path.open("rb") as file:
            data = files.whole(file, largest)
    except OSError as error:
        raise ParamsError(f"{path}: cannot be read ({error.strerror})") from error
    if data is None:
        raise ParamsError(f"{path}: expected {largest:,} bytes at most, found more")
    return parse(data, str(path))


def parse(data: bytes | str, source: str) -> Any:
    """The content of YAML; raises ``ParamsError`` with the ``source``, a name, and the line if it is none."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        if mark := _CONFLICT.search(text):
            place = yaml.Mark(source, mark.start(), text.count("\n", 0, mark.start()), 0, None, 0)
            raise yaml.MarkedYAMLError(
                None, None, f"a merge conflict is left: {mark[0]}; keep one side", place
            )
        return yaml.load(text, Loader=_Loader)  # noqa: S506 a SafeLoader
    except Exception as error:  # PyYAML raises many kinds for a wrong !!float or !!map
        line = f", line {at.line + 1}" if (at := getattr(error, "problem_mark", None)) else ""
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ParamsError(f"{source}{line}: not YAML ({reason})") from error


def shown(value: Any) -> str:
    """A value as a message shows it, in 60 symbols; a few lines of YAML can stand for billions of words."""
    text = repr(value) if isinstance(value, str | int | float | None) else reprlib.repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
