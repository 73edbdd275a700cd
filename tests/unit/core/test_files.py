from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from esetrag.core import files
from esetrag.core.errors import DataError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_half(path: Path, error: BaseException) -> None:
    with files.replacing(path) as file:
        file.write(b"new")
        raise error


def test_a_file_appears_whole_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.bin"
    files.write_bytes(path, b"\0\r\n")
    assert path.read_bytes() == b"\0\r\n"
    assert names(path.parent) == ["c.bin"]


def test_a_failing_write_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="halfway"):
        write_half(path, RuntimeError("halfway"))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["old.txt"]


def test_an_interrupted_write_of_a_new_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "new.txt", KeyboardInterrupt())
    assert names(tmp_path) == []


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")
    with files.replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_who_reads_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")
    with path.open() as reader:
        files.write_text(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"


def test_the_new_file_is_on_the_disk_before_it_takes_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")
    synced: list[tuple[bytes, str]] = []

    def note(number: int) -> None:
        synced.append((os.pread(number, 100, 0), path.read_text()))

    monkeypatch.setattr(os, "fsync", note)
    files.write_text(path, "new")
    assert synced == [(b"new", "old")]


def test_a_full_disk_is_told_with_the_path_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")
    with pytest.raises(DataError) as caught:
        write_half(path, OSError(errno.ENOSPC, "No space left on device"))
    assert str(caught.value) == f"{path}: cannot be written (No space left on device)"
    assert path.read_text() == "old"
    assert names(tmp_path) == ["old.txt"]


def test_an_unwritable_place_is_told_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "new.txt"
    with pytest.raises(DataError) as caught:
        files.write_text(path, "new")
    assert str(caught.value).startswith(f"{path}: cannot be written (")
    assert names(tmp_path) == ["file"]


def test_a_folder_in_the_place_of_the_file_is_told_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(DataError) as caught:
        files.write_text(path, "new")
    assert str(caught.value).startswith(f"{path}: cannot be written (")
    assert names(tmp_path) == ["taken"]


def test_others_may_read_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "a")
    assert path.stat().st_mode & 0o777 == 0o644


def test_text_is_utf8_with_line_feeds(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "ő\nú\n")
    assert path.read_bytes() == b"\xc5\x91\n\xc3\xba\n"


def test_json_is_canonical(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    files.write_json(one, {"b": [1, 0.5], "a": {"z": None, "ő": True}})
    files.write_json(two, {"a": {"ő": True, "z": None}, "b": [1, 0.5]})
    expected = '{\n  "a": {\n    "z": null,\n    "ő": true\n  },\n  "b": [\n    1,\n    0.5\n  ]\n}\n'
    assert one.read_bytes() == two.read_bytes() == expected.encode()
    assert files.read_json(one) == {"a": {"z": None, "ő": True}, "b": [1, 0.5]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_has_no_nan_and_the_old_file_stays(tmp_path: Path, value: float) -> None:
    path = tmp_path / "old.json"
    files.write_json(path, {"loss": 1.0})
    with pytest.raises(ValueError, match="Out of range float"):
        files.write_json(path, {"loss": value})
    assert files.read_json(path) == {"loss": 1.0}
    assert names(tmp_path) == ["old.json"]


@pytest.mark.parametrize("data", [b"", b"{", b"no json", b'{"a": 1} x', b"\xff\xfe\xfd", b"[" * 100_000])
def test_what_is_not_json_is_refused_with_the_path(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.json: expected JSON, found something else"):
        files.read_json(path)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_what_cannot_be_read_is_told_with_the_path(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "a.json"
    make(path)
    with pytest.raises(DataError, match=r"a\.json: cannot be read \("):
        files.read_json(path)


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    data = bytes(range(256)) * 5000
    path.write_bytes(data)
    assert files.sha256(path) == hashlib.sha256(data).hexdigest()


def test_a_table_has_numbers_of_four_digits_and_whole_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    files.write_csv(path, pd.DataFrame({"share": [0.996714, 0.00041737], "forms": [10142, 7]}))
    assert path.read_text() == "share,forms\n0.9967,10142\n0.0004174,7\n"
