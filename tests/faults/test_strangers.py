"""Files from strangers: refused in one line, with little memory and time, and no code of theirs is run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esetrag.core import tables
from esetrag.core.errors import DataError
from tests.faults.hostile import ARTIFACTS, CHECKPOINTS, MIB, PARAMS, TABLES, TRACE, WORDS, Payload
from tests.project import REPO, Project

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")

Result = dict[str, Any]


def _case(*arguments: str, folder: Path) -> dict[str, Any]:
    return {"arguments": list(arguments), "folder": str(folder)}


@pytest.fixture(scope="module")
def cases(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every fault in a place of its own, with the command that meets it."""
    top, found = tmp_path_factory.mktemp("strangers"), {}
    model = finished.root / "data/toy/model"

    def copy(name: str, *kept: str) -> Path:
        root = top / name
        shutil.copytree(
            finished.root,
            root,
            ignore=shutil.ignore_patterns(".dvc", ".git", "__pycache__", "src", *kept),
            copy_function=lambda a, b: shutil.copyfile(a, b),  # DVC keeps its files read-only
        )
        return root

    for name, (spoil, _) in CHECKPOINTS.items():
        shutil.copytree(model, top / name, copy_function=lambda a, b: shutil.copyfile(a, b))
        spoil(top / name)
        found[name] = _case("esetrag", "predict", "ház", "--checkpoint", str(top / name), folder=top)
    for name, (edit, _) in PARAMS.items():
        (top / name).mkdir()
        (top / name / "params.yaml").write_text(edit((finished.root / "params.yaml").read_text("utf-8")))
        found[name] = _case("esetrag", "check", folder=top / name)
    for name, (stage, harm, _) in ARTIFACTS.items():
        harm(copy(name) / "data/toy")
        found[name] = _case(f"stages/{stage}.py", "toy", folder=top / name)
    for name, (file, make, _) in TABLES.items():
        project = Project(copy(name, "toy"))
        project.change(tasks={"toy": {"raw": f"data/raw/{file}", "pos": "N", "feature": "Case"}})
        make(project.root / "data/raw" / file)
        found[name] = _case("stages/sample.py", "toy", folder=project.root)
    for name, (file, make, _) in WORDS.items():
        (top / name).mkdir()
        make(top / name / file)
        words = ("--checkpoint", str(model), "--input", file, "--output", "out.parquet")
        found[name] = _case("esetrag", "predict", *words, folder=top / name)
    return found


@pytest.fixture(scope="module")
def results(cases: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What became of each."""
    path = tmp_path_factory.mktemp("cases") / "cases.json"
    path.write_text(json.dumps(cases))
    search = os.pathsep.join([str(REPO / "src"), str(REPO)])
    done = Project(REPO).run("python", "-m", "tests.faults.bounded", str(path), env={"PYTHONPATH": search})
    found: dict[str, Result] = json.loads(done.stdout)
    return found


EXPECTED = {
    **{name: case[-1] for name, case in CHECKPOINTS.items()},
    **{name: case[-1] for name, case in PARAMS.items()},
    **{name: case[-1] for group in (ARTIFACTS, TABLES, WORDS) for name, case in group.items()},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_it_is_refused_in_one_line_with_little_memory(
    name: str, cases: dict[str, dict[str, Any]], results: dict[str, Result]
) -> None:
    result, expected = results[name], EXPECTED[name]
    assert result["code"] == (2 if expected else 0), result
    assert result["err"].count("\n") == (1 if expected else 0)
    assert expected in result["err"]
    assert "\x1b" not in result["err"]
    assert len(result["err"]) < 6000
    assert result["peak"] < (1100 if name in TABLES else 700) * MIB
    assert not any(Path(cases[name]["folder"]).rglob(TRACE))


@pytest.mark.parametrize("kind", ["absolute", "climbing"])
def test_a_table_elsewhere_is_read_and_nothing_is_written_there(
    kind: str, finished: Project, tmp_path: Path
) -> None:
    shutil.copytree(finished.root, tmp_path / "project", symlinks=True)
    project, elsewhere = Project(tmp_path / "project"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(finished.root / "data/raw/toy.tsv", elsewhere / "toy.tsv")
    before = (elsewhere.stat().st_mtime_ns, (elsewhere / "toy.tsv").read_bytes())
    raw = str(elsewhere / "toy.tsv") if kind == "absolute" else "../elsewhere/toy.tsv"
    project.change(tasks={"toy": {"raw": raw, "pos": "N", "feature": "Case"}})
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
