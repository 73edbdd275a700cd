"""The same inputs and parameters give the same bytes, whatever surrounds the run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.project import Project, copy_project, with_git


def test_two_clones_give_the_same_bytes(finished: Project, tmp_path: Path) -> None:
    surroundings = {"PYTHONHASHSEED": "4711", "LC_ALL": "C", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "2"}
    other = with_git(copy_project(tmp_path / "másik mappa, szóközzel"))
    other.run("sh", "-c", "umask 077 && exec dvc repro", env=surroundings)
    assert (other.root / "dvc.lock").read_bytes() == (finished.root / "dvc.lock").read_bytes()
    for name in sorted(finished.outputs()):
        assert (other.root / name).read_bytes() == (finished.root / name).read_bytes(), name


def test_the_order_of_the_rows_is_without_influence(finished: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "project")
    raw = other.root / "data/raw/toy.tsv"
    raw.write_text("\n".join(reversed(raw.read_text("utf-8").splitlines())) + "\n\n", "utf-8")
    other.stage("sample")
    for part in ("train", "dev", "test"):
        name = f"data/toy/sample/{part}.parquet"
        assert (other.root / name).read_bytes() == (finished.root / name).read_bytes()


CLOCK = """
import time
shift = -40 * 365 * 86400
now, now_ns, local, utc, text = time.time, time.time_ns, time.localtime, time.gmtime, time.strftime
time.time = lambda: now() + shift
time.time_ns = lambda: now_ns() + shift * 10**9
time.localtime = lambda seconds=None: local(time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None: utc(time.time() if seconds is None else seconds)
time.strftime = lambda form, moment=None: text(form, time.localtime() if moment is None else moment)
"""
"""A ``sitecustomize`` by which it is forty years ago."""


def test_the_ngram_model_is_the_same_to_the_byte_in_other_surroundings(tmp_path: Path) -> None:
    stages = ("sample", "build_vocab", "encode_pad", "train", "evaluate", "error_analysis")
    ascii_alone = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    surroundings = {
        "one": {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1", "TZ": "UTC"},
        "másik mappa, szóközzel": {
            "PYTHONHASHSEED": "4711", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2",
            "TZ": "Pacific/Kiritimati", "SOURCE_DATE_EPOCH": "7", **ascii_alone,
        },
    }  # fmt: skip
    one, other = (copy_project(tmp_path / name) for name in surroundings)
    other.write("clock/sitecustomize.py", CLOCK)
    path = os.pathsep.join([str(other.root / "clock"), str(other.root / "src")])
    surroundings[other.root.name]["PYTHONPATH"] = path
    shown = "import time; print(time.gmtime().tm_year)"
    years = [int(p.run("python", "-c", shown, env=surroundings[p.root.name]).stdout) for p in (one, other)]
    assert years[0] - years[1] in (39, 40), "the other has another clock"
    os.utime(other.root / "data/raw/toy.tsv", (0, 0))
    for project, umask in ((one, "022"), (other, "077")):
        project.use("ngram")
        project.change(models={"ngram": {"iterations": 8}}, train={"analogies": 600})
        for name in stages:
            command = f"umask {umask} && exec python stages/{name}.py toy"
            project.run("sh", "-c", command, env=surroundings[project.root.name])
    assert one.json("metrics/toy/test.json")["model"] == "ngram"
    assert one.outputs() == other.outputs()
    for name in sorted(one.outputs()):
        assert (one.root / name).read_bytes() == (other.root / name).read_bytes(), name
        modes = {(project.root / name).stat().st_mode for project in (one, other)}
        assert len(modes) == 1, f"{name}: its mode is the umask's"


def test_another_thread_count_is_another_parameter(
    finished: Project, copy_of: Callable[[Project], Project]
) -> None:
    project = copy_of(finished)
    project.change(train={"threads": 2})
    changed = json.loads(project.run("dvc", "status", "--json").stdout)
    assert list(changed) == ["train@toy", "evaluate@toy"]
    said = changed["train@toy"][0]["changed deps"]["params.yaml"]
    assert "train" in json.dumps(said)
