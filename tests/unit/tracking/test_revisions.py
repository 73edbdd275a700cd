from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from esetrag.core.errors import DataError, ParamsError
from esetrag.tracking import revisions
from esetrag.tracking.revisions import Revision


@dataclass
class Tree:
    """As much of DVC's file system as a revision uses."""

    files: dict[str, bytes]

    def read_bytes(self, name: str) -> bytes:
        if name == "remote.parquet":
            raise ConnectionError("the remote\nis down")
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name]


def revision(**files: bytes) -> Revision:
    return Revision("v1", Tree({"src/b/c.py": b"c", "table.tsv": b"t", **files}))


def test_files_are_brought_to_their_places(tmp_path: Path) -> None:
    for name in ("src/b/c.py", "table.tsv"):
        revision().bring(Path(name), tmp_path / "new")
    found = {path.relative_to(tmp_path / "new").as_posix(): path.read_bytes() for path in files(tmp_path)}
    assert found == {"src/b/c.py": b"c", "table.tsv": b"t"}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.tsv", "v1: none.tsv is not there; get it: dvc pull, or dvc repro in that revision"),
        (
            "remote.parquet",
            "v1: remote.parquet cannot be read (the remote is down); "
            "get it: dvc pull, or dvc repro in that revision",
        ),
        ("../table.tsv", "v1: ../table.tsv is outside of the repository, which keeps no state of it"),
        ("/table.tsv", "v1: /table.tsv is outside of the repository, which keeps no state of it"),
    ],
)
def test_what_cannot_be_brought_is_told_in_a_line(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        revision().bring(Path(name), tmp_path)
    assert str(caught.value) == said
    assert files(tmp_path) == []


def test_the_parameters_must_be_of_this_version(repo: Path) -> None:
    text = (repo / "params.yaml").read_bytes()
    for given, task, said, mend in (
        (text + b"more: 1\n", None, "v1: params.yaml: more: unknown key", "check it out and track it there"),
        (text, "tyo", "v1: no task 'tyo' in params.yaml", "; known: hun-noun-case"),
    ):
        with (
            pytest.raises(ParamsError) as caught,
            revisions.restored(revision(**{"params.yaml": given}), task),
        ):
            pass
        assert str(caught.value).startswith(said)
        assert str(caught.value).endswith(mend)
