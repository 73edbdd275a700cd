"""Data larger than the memory left: what the data stages hold does not grow with what they read."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace

import psutil
import pyarrow as pa
import pytest

from esetrag.core import config, tables
from esetrag.core.errors import RoomError
from esetrag.core.layout import PARAMS
from esetrag.data.source import Source
from esetrag.training import trainer
from esetrag.training.data import Data
from tests.project import TASK, Project, copy_project, toy_table

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")

ROOM = 24 * 2**20
"""Bytes that a stage may take for a large table beyond those for a small one: libraries and buffers."""
TIMES = 3
"""The large table is so many times larger than that, at least."""
LONG = "megszentségteleníttethet"
STAGE = """
import re, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
with open("/proc/self/status") as file:
    print(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1])
"""  # the peak of this process alone; the one that getrusage tells is inherited


def peak(project: Project, stage: str) -> int:
    """Bytes that a stage's script, in a process of its own, holds at the most."""
    done = project.run("python", "-c", STAGE, f"stages/{stage}.py", "toy")
    return 1024 * int(done.stdout.splitlines()[-1])


def verbs(rows: int) -> str:
    """Distinct rows that the task does not want, and then all of them again."""
    numbers = range(10**6, 10**6 + rows)
    return 2 * "".join(f"{LONG}{number}\t{LONG}{number}ném\tV;COND;PRS;INDF;1;SG\n" for number in numbers)


@pytest.mark.parametrize("packed", [False, True])
def test_rows_that_are_not_selected_take_no_memory(tmp_path: Path, packed: bool) -> None:
    project, peaks = copy_project(tmp_path / "project"), []
    raw = "data/raw/toy.tsv" + ".gz" * packed
    project.change(tasks={"toy": {**TASK, "raw": raw}})
    for rows in (15_000, 450_000):
        text = (toy_table() + verbs(rows)).encode()
        project.write(raw, gzip.compress(text, compresslevel=1) if packed else text)
        peaks.append(peak(project, "sample"))
    assert len(text) > TIMES * ROOM
    assert peaks[1] - peaks[0] < ROOM
    read = project.json("metrics/toy/data.json")["read"]
    assert read["parts_of_speech"] == {"N": toy_table().count("\n"), "V": 450_000}
    assert read["rows"] - read["duplicates"] == sum(read["parts_of_speech"].values())


def test_vocabulary_and_encoded_rows_are_made_some_rows_at_a_time(tmp_path: Path) -> None:
    project, peaks = copy_project(tmp_path / "project"), []
    rows = [line.split("\t") for line in toy_table().splitlines()] * 100
    cells = [(LONG + lemma, form, bundle, bundle.split(";")[1]) for lemma, form, bundle in rows]
    part = tables.sample(*zip(*cells, strict=True))
    for times in (4, 14):  # the smaller one fills a row group, too
        train = pa.concat_tables([part] * times)
        for name in ("train", "dev", "test"):
            tables.write(project.root / f"data/toy/sample/{name}.parquet", train if name == "train" else part)
        peaks.append([peak(project, stage) for stage in ("build_vocab", "encode_pad")])
    assert train.nbytes > TIMES * ROOM
    assert all(large - small < ROOM for small, large in zip(*peaks, strict=True))
    assert project.json("metrics/toy/encoding.json")["parts"]["train"]["rows"] == len(train)


def test_what_would_not_fit_is_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: config.Params, tiny_data: Data
) -> None:
    project = copy_project(tmp_path / "project")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=20_000))
    monkeypatch.chdir(project.root)
    with pytest.raises(
        RoomError, match=r"rows need about 0.0 GB of memory, and 0.0 GB are free; take a smaller"
    ):
        Source.load(config.load(PARAMS).task("toy"))
    with pytest.raises(RoomError, match=r"lower sample.train, or do without n-grams: train.analogies: 0"):
        trainer.fit(tiny_data, params.resolve("ngram"), params.train)
