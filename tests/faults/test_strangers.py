"""Files from strangers: refused in one line, with little memory and time, and no code of theirs is run."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.core import tables
from esetrag.core.errors import DataError
from tests.faults.conftest import Forked, copied
from tests.faults.hostile import ARTIFACTS, CHECKPOINTS, MIB, PARAMS, TABLES, TRACE, WORDS, Payload
from tests.project import REPO, TASK, Project

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")

ROOM = 3 * 2**29
"""Bytes of address space beyond those of the imported libraries: the largest table and a half."""


def copied_without_library(source: Path, target: Path) -> Path:
    """A copy of a folder, but for the library; DVC keeps its files read-only."""
    ignored = shutil.ignore_patterns(".dvc", ".git", "__pycache__", "src")
    shutil.copytree(source, target, ignore=ignored, copy_function=shutil.copyfile)
    return target


def refused(done: dict[str, Any], expected: str, peak: int, idle: int) -> None:
    """Asserts that a command ended in one line, with little memory, and ran no code of a file."""
    assert done["code"] == 2, done
    assert done["err"].count("\n") == 1
    assert expected in done["err"]
    assert "\x1b" not in done["err"]
    assert len(done["err"]) < 6000
    assert done["peak"] - idle < peak * MIB


@pytest.fixture(scope="module")
def idle(forked: Forked) -> int:
    """Bytes of a command that does nothing."""
    return int(forked(REPO, "esetrag", "--help")["peak"])


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_is_refused(
    name: str, finished: Project, tmp_path: Path, forked: Forked, idle: int
) -> None:
    spoil, expected = CHECKPOINTS[name]
    model = copied_without_library(finished.root / "data/toy/model", tmp_path / "model")
    spoil(model)
    done = forked(tmp_path, "esetrag", "predict", "ház", "--checkpoint", "model", memory=ROOM)
    refused(done, expected, 700, idle)
    assert not (tmp_path / TRACE).exists()


@pytest.mark.parametrize("name", PARAMS)
def test_parameters_are_refused(
    name: str, finished: Project, tmp_path: Path, forked: Forked, idle: int
) -> None:
    edit, expected = PARAMS[name]
    (tmp_path / "params.yaml").write_text(edit((finished.root / "params.yaml").read_text("utf-8")))
    refused(forked(tmp_path, "esetrag", "check", memory=ROOM), expected, 700, idle)
    assert not (tmp_path / TRACE).exists()


@pytest.mark.parametrize("name", ARTIFACTS)
def test_an_artifact_is_refused(
    name: str, finished: Project, tmp_path: Path, forked: Forked, idle: int
) -> None:
    stage, harm, expected = ARTIFACTS[name]
    root = copied_without_library(finished.root, tmp_path / "project")
    harm(root / "data/toy")
    refused(forked(root, f"stages/{stage}.py", "toy", memory=ROOM), expected, 700, idle)
    assert not list(root.rglob(TRACE))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_refused(name: str, finished: Project, tmp_path: Path, forked: Forked, idle: int) -> None:
    file, make, expected = TABLES[name]
    project = Project(copied_without_library(finished.root, tmp_path / "project"))
    project.change(tasks={"toy": {**TASK, "raw": f"data/raw/{file}"}})
    make(project.root / "data/raw" / file)
    refused(forked(project.root, "stages/sample.py", "toy", memory=ROOM), expected, 1100, idle)


@pytest.mark.parametrize("name", WORDS)
def test_words_are_refused(name: str, finished: Project, tmp_path: Path, forked: Forked, idle: int) -> None:
    file, make, expected = WORDS[name]
    make(tmp_path / file)
    model = str(finished.root / "data/toy/model")
    words = ("--checkpoint", model, "--input", file, "--output", "out.parquet")
    refused(forked(tmp_path, "esetrag", "predict", *words, memory=ROOM), expected, 700, idle)


def test_the_name_of_a_task_reaches_no_shell(finished: Project, tmp_path: Path) -> None:
    project = copied(finished.root, tmp_path / "project")
    for name in ("x; touch pwned; #", "$(touch pwned)", "x' `touch pwned` '"):
        project.change(tasks={name: TASK})
        done = project.run("dvc", "repro", code=None)
        assert done.returncode != 0
        assert "should match pattern" in done.stdout + done.stderr
        assert not (project.root / "pwned").exists()


@pytest.mark.parametrize("kind", ["absolute", "climbing"])
def test_a_table_elsewhere_is_read_and_nothing_is_written_there(
    kind: str, finished: Project, tmp_path: Path
) -> None:
    project, elsewhere = copied(finished.root, tmp_path / "project"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(finished.root / "data/raw/toy.tsv", elsewhere / "toy.tsv")
    before = (elsewhere.stat().st_mtime_ns, (elsewhere / "toy.tsv").read_bytes())
    raw = str(elsewhere / "toy.tsv") if kind == "absolute" else "../elsewhere/toy.tsv"
    project.change(tasks={"toy": {**TASK, "raw": raw}})
    project.stage("sample")
    assert (elsewhere.stat().st_mtime_ns, (elsewhere / "toy.tsv").read_bytes()) == before
    assert {path.name for path in tmp_path.iterdir()} == {"project", "elsewhere"}


def test_the_payload_of_the_pickles_would_have_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Payload()))
    assert (tmp_path / TRACE).is_dir()


FLIPS = """
import sys
from pathlib import Path
from esetrag.core import tables
from esetrag.core.errors import DataError

path, told = Path(sys.argv[1]), {"refused": 0, "read": 0, "other": 0}
data, rows = path.read_bytes(), tables.read(path, tables.SAMPLE)
flips = [(place, 1 << place % 8) for place in range(len(data))]
for changed in [*(data[:n] for n in range(0, len(data), 7)),
                *(data[:n] + bytes([data[n] ^ bit]) + data[n + 1 :] for n, bit in flips)]:
    path.write_bytes(changed)
    try:
        told["read" if tables.read(path, tables.SAMPLE).equals(rows) else "other"] += 1
    except DataError as error:
        told["refused"] += "\\n" not in str(error)
print(*told.values())
"""


def test_no_flipped_bit_and_no_cut_ends_the_process(tmp_path: Path, tiny_rows: pa.Table) -> None:
    path = tmp_path / "rows.parquet"
    tables.write(path, tiny_rows)
    size = path.stat().st_size
    done = Project(REPO).run("python", "-c", FLIPS, str(path))
    refused, read, other = map(int, done.stdout.split())
    assert refused + read + other == size + -(-size // 7)
    assert other < 0.02 * size  # bits of a page's header, for which parquet has no checksum


def test_a_flipped_bit_within_the_rows_is_noticed(tmp_path: Path, tiny_rows: pa.Table) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(tiny_rows, path, compression="none", use_dictionary=False, write_page_checksum=True)
    data = path.read_bytes()
    assert data.count(b"kanaban") == 1
    path.write_bytes(data.replace(b"kanaban", b"kanabaN"))
    with pytest.raises(DataError, match="not a whole parquet file"):
        tables.read(path, tables.SAMPLE)
