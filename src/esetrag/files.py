"""Files appear whole or not at all: written beside their place, flushed to disk, renamed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from esetrag.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Opens a temporary file that takes the place of ``path`` when the block ends well.

    Args:
        path: the file to appear; missing folders above it are made.

    Yields:
        A binary file; if the block raises, it is removed and ``path`` stays as it was.

    Raises:
        DataError: if the place cannot be written, naming the path.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # a temporary file is private; its umask must not reach the outputs
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
    """Writes canonical JSON: sorted keys, two spaces, a newline at the end.

    Raises:
        ValueError: if ``content`` holds NaN or an infinity, which JSON does not have.
    """
    write_text(
        path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    )


def write_csv(path: Path, table: DataFrame) -> None:
    """Writes a table as comma-separated values under a line of names."""
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        DataError: if there is no such file or it is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected JSON, found something else ({error})") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
