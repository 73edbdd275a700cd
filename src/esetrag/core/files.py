"""Files appear whole or not at all: written beside their place, flushed to disk, renamed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from esetrag.core.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame

BLOCK = 2**20  # bytes read at once
LARGEST_JSON = 2**26  # bytes; a vocabulary of all letters of Unicode takes a tenth


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Opens a temporary file that takes the place of ``path`` when the block ends well.

    Missing folders are made. If the block raises, ``path`` stays as it was. The permissions of a
    pipeline's output (``mode``) depend on no umask.

    Raises:
        DataError: if the place cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes ``data`` to ``path``, whole or not at all."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 with LF line ends on every platform, since DVC hashes bytes."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: Any) -> None:
    """Writes canonical JSON; raises ``ValueError`` for NaN or an infinity, which JSON does not have."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def rounded(figures: Any) -> Any:
    """Figures for people, of four digits or places: another kind of processor changes later ones.

    >>> rounded({"accuracy": [0.993746, 1.0], "forms": 10235})
    {'accuracy': [0.9937, 1.0], 'forms': 10235}
    """
    if isinstance(figures, float):
        return float(f"{figures:.4g}") if abs(figures) < 1 else round(figures, 4)
    if isinstance(figures, Mapping):
        return {name: rounded(value) for name, value in figures.items()}
    return [*map(rounded, figures)] if isinstance(figures, list | tuple) else figures


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Writes figures for people (``rounded``) as JSON."""
    write_json(path, rounded(figures))


def write_csv(path: Path, table: DataFrame) -> None:
    """Writes a table as comma-separated values under a line of names, numbers to four digits."""
    write_text(path, table.to_csv(index=False, lineterminator="\n", float_format="%.4g"))


def whole(stream: io.BufferedIOBase, most: int) -> bytes | None:
    """All bytes of a stream; None if it has more than ``most``, of which no more than those are held."""
    parts, left = [], most
    while data := stream.read(BLOCK):  # a stream that unpacks may hold a thousand times its file
        left -= len(data)
        if left < 0:
            return None
        parts.append(data)
    return b"".join(parts)


def read_json(path: Path, kind: type = dict) -> Any:
    """Reads a JSON file.

    Raises:
        DataError: if there is no such file, it is not JSON of this kind or larger than ``LARGEST_JSON``.
    """
    try:
        with path.open("rb") as file:
            data = whole(file, LARGEST_JSON)
        if data is None:
            raise DataError(f"{path}: expected JSON of {LARGEST_JSON:,} bytes at most, found more")
        if not isinstance(content := json.loads(data), kind):
            raise ValueError(f"a {type(content).__name__} in place of a {kind.__name__}")
        return content
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected JSON, found something else ({error})") from error


def md5(path: Path) -> str:
    """The MD5 of a file's bytes, in hexadecimal: what DVC knows a file by."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
