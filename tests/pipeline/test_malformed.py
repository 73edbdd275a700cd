"""Input and parameters gone wrong: one clear line, exit code 2, no output half written."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.project import Project, toy_table

Spoil = Callable[[Project], Any]
RAW = "data/raw/toy.tsv"
ROWS = toy_table()
Case = tuple[str, Spoil, list[str]]


def row(text: str | bytes, line: int = 3) -> Spoil:
    """Puts a row into the table as its ``line``."""
    rows: list[bytes] = ROWS.encode().splitlines(keepends=True)
    put = text.encode() if isinstance(text, str) else text
    return lambda project: project.write(RAW, b"".join([*rows[: line - 1], put, *rows[line - 1 :]]))


def table(content: str | bytes, name: str = RAW) -> Spoil:
    def spoil(project: Project) -> None:
        project.write(name, content)
        project.change(tasks={"toy": {"raw": name, "pos": "N", "feature": "Case"}})

    return spoil


def params(**sections: Any) -> Spoil:
    return lambda project: project.change(**sections)


def task(**values: Any) -> Spoil:
    return params(tasks={"toy": {"raw": RAW, "pos": "N", "feature": "Case", **values}})


def without(section: str, key: str) -> Spoil:
    def spoil(project: Project) -> None:
        content = project.params
        del content[section][key]
        project.write("params.yaml", str(content))  # YAML's flow style is what Python prints

    return spoil


def text(content: str) -> Spoil:
    return lambda project: project.write("params.yaml", content)


def append(content: str) -> Spoil:
    def spoil(project: Project) -> None:
        path = project.root / "params.yaml"
        path.write_text(path.read_text("utf-8") + content, "utf-8")

    return spoil


TABLES: dict[str, tuple[Spoil, list[str]]] = {
    "two columns": (row("ház\tházban\n"), [RAW, "line 3", "2 column(s)", "ház"]),
    "five columns": (row("ház\tházban\tN;IN+ESS\tház|ban\t1\n"), [RAW, "line 3", "5 column(s)"]),
    "two columns behind blank lines": (row("\n\nház\tházban\n"), [RAW, "line 5", "2 column(s)"]),
    "one word": (row("ház\n", line=1), [RAW, "line 1", "1 column(s)"]),
    "cut off in the last line": (
        table(ROWS + "ház\tház"),
        [RAW, f"line {ROWS.count(chr(10)) + 1}", "2 column"],
    ),
    "commas for tabs": (table(ROWS.replace("\t", ",")), [RAW, "line 1", "1 column(s)"]),
    "Latin-1": (row("ház\tházban\tN;IN+ESS\n".encode("latin-1")), [RAW, "line 3", "0xe1", "UTF-8"]),
    "UTF-16": (table(ROWS.encode("utf-16")), [RAW, "line 1", "0xff", "UTF-8"]),
    "a NUL": (row("há\0z\tházban\tN;IN+ESS\n"), [RAW, "line 3", "NUL"]),
    "an empty file": (table(""), [RAW, "empty"]),
    "blank lines alone": (table("\n\n \n"), [RAW, "empty"]),
    "no such file": (task(raw="data/raw/none.tsv"), ["data/raw/none.tsv", "No such file"]),
    "a folder": (task(raw="data/raw"), ["data/raw", "directory"]),
    "a cut gzip file": (
        table(gzip.compress(ROWS.encode())[:-20], "data/raw/toy.tsv.gz"),
        ["toy.tsv.gz", "gzip"],
    ),
    "another part of speech": (task(pos="V"), [RAW, "part of speech V", "N ("]),
    "a feature nobody bears": (task(feature="Tense"), [RAW, "Tense", "N"]),
    "two lemmas": (table("a\ta\tN;NOM\nb\tbt\tN;ACC\n"), ["2 lemma(s)", "three"]),
}
PARAMS: dict[str, tuple[Spoil, list[str]]] = {
    "an unknown key": (params(train={"epoch": 3}), ["train.epoch", "unknown", "epochs"]),
    "an unknown key of a task": (task(language="hun"), ["tasks.toy", "language", "unknown", "feature"]),
    "a missing key": (without("train", "epochs"), ["train.epochs", "missing"]),
    "a word for a number": (params(train={"epochs": "many"}), ["train.epochs", "integer", "'many'"]),
    "an unknown feature": (task(feature="case"), ["tasks.toy", "feature", "Case", "'case'"]),
    "no kind of task": (task(kind="guess"), ["tasks.toy", "kind", "classify"]),
    "a column that is none": (
        task(source="columns", columns={"form": "word", "label": 2}, pos=None, feature=None), ["tasks.toy"]),
    "a task that climbs out": (params(tasks={"../toy": {}}), ["tasks.../toy", "pattern"]),
    "a key twice": (append("train: {}\n"), ["line", "'train' stands twice"]),
    "broken YAML": (text("train: [1,\n"), ["params.yaml", "not YAML"]),
}  # fmt: skip


def refused(done: Any, stage: str, parts: list[str]) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith(f"{stage}: ")
    assert done.stderr.count("\n") == 1
    assert all(part in done.stderr for part in parts), done.stderr


@pytest.mark.parametrize("name", [*TABLES, *PARAMS])
def test_sample_refuses(project: Project, name: str) -> None:
    spoil, parts = {**TABLES, **PARAMS}[name]
    spoil(project)
    refused(project.stage("sample", code=None), "sample", parts)
    assert project.outputs() == set()


def test_an_unknown_task_is_answered_with_the_known_ones(project: Project) -> None:
    refused(project.stage("sample", task="hun-verb-mood", code=None), "sample", ["'hun-verb-mood'", "toy"])


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def rename_column(path: Path) -> None:
    read = pq.read_table(path)
    pq.write_table(read.rename_columns(["x", *read.column_names[1:]]), path)


def foreign_ids(path: Path) -> None:
    read = pq.read_table(path)
    kind = read.schema.field("ids").type
    ids = pa.array([b"\xff" * kind.byte_width] * len(read), kind)
    pq.write_table(read.set_column(0, read.schema.field("ids"), ids), path)


def leak(path: Path) -> None:
    """Puts a lemma of train among those of the test."""
    train, test = pq.read_table(path.with_name("train.parquet")), pq.read_table(path)
    lemmas = pa.array([train["lemma"][0].as_py(), *test["lemma"].to_pylist()[1:]])
    pq.write_table(test.set_column(0, test.schema.field("lemma"), lemmas), path)


def foreign_values(path: Path) -> None:
    read = pq.read_table(path)
    kind = read.schema.field("targets").type
    targets = pa.array([b"\xff" * kind.byte_width] * len(read), kind)
    pq.write_table(read.set_column(2, read.schema.field("targets"), targets), path)


def older_format(path: Path) -> None:
    path.write_text(re.sub(r'"format": \d+', '"format": 1', path.read_text("utf-8")), "utf-8")


ARTIFACTS: dict[str, tuple[str, str, Callable[[Path], Any], list[str]]] = {
    "a missing sample": ("build_vocab", "sample/train.parquet", Path.unlink, ["no such file", "dvc repro"]),
    "a cut sample": ("build_vocab", "sample/train.parquet", shorten, ["not a whole parquet file"]),
    "a text called parquet": (
        "build_vocab", "sample/train.parquet", lambda p: p.write_text(ROWS), ["not a whole parquet file"]),
    "other columns": (
        "build_vocab", "sample/train.parquet", rename_column, ["expected columns lemma", "found x"]),
    "a vocabulary that is no JSON": (
        "encode_pad", "vocab.json", lambda p: p.write_text("{"), ["expected JSON"]),
    "a vocabulary without labels": (
        "encode_pad", "vocab.json", lambda p: p.write_text('{"symbols": []}'), ["expected a vocabulary"]),
    "ids beyond the vocabulary": ("train", "encoded/train.parquet", foreign_ids, ["beyond its vocabulary"]),
    "a lemma of train in the test": (
        "evaluate", "sample/test.parquet", leak, ["share 1 lemma(s)", "sample.split: lemma", "dvc repro -f"]),
    "cut families": ("evaluate", "sample/families.parquet", shorten, ["not a whole parquet file"]),
    "values beyond the vocabulary": (
        "train", "encoded/train.parquet", foreign_values, ["beyond its vocabulary"]),
    "a checkpoint of another format": (
        "evaluate", "model/manifest.json", older_format, ["format: should be ", "found 1"]),
    "a cut checkpoint": ("evaluate", "model/model.safetensors", shorten, ["bytes by its manifest"]),
    "a flipped bit in the weights": ("evaluate", "model/model.safetensors", flip, ["SHA-256"]),
    "no manifest": ("evaluate", "model/manifest.json", Path.unlink, ["cannot be read"]),
    "an empty manifest": ("evaluate", "model/manifest.json", lambda p: p.write_text("{}"), ["missing"]),
    "no weights": ("evaluate", "model/model.safetensors", Path.unlink, ["cannot be read"]),
    "cut predictions": ("error_analysis", "predictions.parquet", shorten, ["not a whole parquet file"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ARTIFACTS)
def test_a_stage_refuses(finished: Project, tmp_path: Path, name: str) -> None:
    stage, file, spoil, parts = ARTIFACTS[name]
    shutil.copytree(finished.root, tmp_path / "copy", ignore=shutil.ignore_patterns(".dvc", ".git"))
    project = Project(tmp_path / "copy")
    path = project.root / "data/toy" / file
    path.chmod(0o644)  # DVC keeps its files read-only
    before = {name: (project.root / name).read_bytes() for name in project.outputs()}
    spoil(path)
    refused(project.stage(stage, code=None), stage, [f"data/toy/{file}", *parts])
    after = {name: (project.root / name).read_bytes() for name in project.outputs()}
    assert {name for name in before if before[name] != after.get(name)} == {f"data/toy/{file}"}
    assert after.keys() <= before.keys()


@pytest.mark.parametrize(
    "file", ["metrics/toy/encoding.json", "metrics/toy/test.json", "data/toy/model/manifest.json"]
)
@pytest.mark.parametrize("content", ["null", "{}"])
def test_figures_that_are_none_are_refused(
    finished: Project, tmp_path: Path, file: str, content: str
) -> None:
    shutil.copytree(finished.root, tmp_path / "copy", ignore=shutil.ignore_patterns(".dvc", ".git"))
    project = Project(tmp_path / "copy")
    (project.root / file).unlink()
    project.write(file, content)
    refused(
        project.stage("error_analysis", code=None),
        "error_analysis",
        ["dvc repro" if content == "{}" else file],
    )
