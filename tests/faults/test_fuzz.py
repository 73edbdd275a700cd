"""Inputs that nobody would write: each is accepted, or refused in one line by an error of ours.

``FUZZ=20 python -m pytest tests/faults/test_fuzz.py`` tries twenty times as many, other ones each time.
What once came through is kept as examples.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esetrag.core import config, features
from esetrag.core.errors import EsetragError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.data import unimorph
from esetrag.data.selection import select
from esetrag.models import checkpoint
from esetrag.predict import inputs
from tests.project import REPO, Project

TIMES, AT_ONCE = int(os.environ.get("FUZZ", "1")), 10
DIMENSIONS = sorted(features.DIMENSIONS)
ROWS = (
    'a\tab\tN;ACC\n|\ta\tN;NOM/ACC\n|\t|\n|\r\n|\r|N;ACC|N|a| |"|\\|\0|\ufeff|\xa0|\u2028|\x0b|\x1c|\x85'
    "|o\u030b|ő|\U0001f600|null|\x1b[2J|,"
)
BUNDLES = "N|V.PTCP|;|:|(|)|,|/|+|-|{|ACC|IN+ESS|NOM/ACC|2SG|PSS3P|INST|//| |\n|\u2028|ő|0"
YAML = (
    "a|: |\n|\n  |- |[|]|{|}|,|&a |*a|!!map |!!bool |!!timestamp |!!int |!!binary |!!set |!!omap |!!merge "
    "|'|\"|? |>\n|#|%YAML 1.1\n---\n|---|...|\\0|\\ud800|\t|!!float |~|=|!|0x|0o|_|1e3|.|tasks: |train: |\0"
    "|<<|<<<<<<<"
)
JSON = r'{|}|[|]|:|,|"|null|true|1e999|-1|18446744073709551616|"\ud800"|"\u001b[2J"|"ngram"|"bilstm"|"x"|{}'
OLD_TABLES = ["", "\ufeff", "\xa0\n", "\r", "a\tb\tN;ACC\r\ra\tb", "\t\t", "\x1c\n", "\0\t\0\t\0"]
OLD_YAML = (
    "a: !!bool x|a: !!float ''|a: !!timestamp x|a: !!timestamp 2024-99-99|a: !!map [a]|!!map a|? [a]\n: b"
    '|"a\\nb": 1|"\\ud800": 1|train: &a [*a]|train: &a {<<: *a}'
)
LONG_YAML = ["train: 0x" + "f" * 5000, "train: " + "9" * 5000, "[" * 5000, "a: " + "{a: " * 900]
PARAMS = (REPO / "params.yaml").read_bytes()
PACKED = gzip.compress(b"a\tab\tN;ACC\nb\tbb\tN;NOM\n" * 9, mtime=0)


def fuzzed(examples: int) -> settings:
    """So many examples of ``AT_ONCE`` inputs each; the same on every machine unless there are to be more."""
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        database=None,
        derandomize=TIMES == 1,
        suppress_health_check=list(HealthCheck),
    )


def joined(pieces: str) -> st.SearchStrategy[bytes]:
    """Some of these pieces and of any bytes, one after another."""
    known = st.sampled_from([piece.encode("utf-8", "surrogatepass") for piece in pieces.split("|")])
    return st.lists(known | known | st.binary(max_size=3), max_size=12).map(b"".join)


def several(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(one, min_size=AT_ONCE, max_size=AT_ONCE)


def spliced(pieces: str) -> st.SearchStrategy[list[tuple[int, int, bytes]]]:
    """Places in a text, how many bytes are cut out there, and what is put in."""
    return several(st.tuples(st.integers(0, 2**16), st.integers(0, 9), joined(pieces)))


def change(data: bytes, place: int, cut: int, put: bytes) -> bytes:
    place %= len(data)
    return data[:place] + put + data[place + cut :]


def refused_in_one_line(call: Callable[..., Any], *arguments: Any) -> None:
    """Calls it; what goes wrong must be one of our errors, and one line."""
    text = "no error at all"
    try:
        call(*arguments)
    except EsetragError as error:
        text = str(error)
    assert text.isprintable()
    assert 10 < len(text) < 5000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, finished: Project) -> Path:
    """A folder with a checkpoint."""
    model = finished.root / "data/toy/model"
    return Path(
        shutil.copytree(model, tmp_path_factory.mktemp("fuzz") / "model", copy_function=shutil.copyfile)
    )


def table(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    select(unimorph.read(path), path, "N", "Case")


def words(path: Path, data: bytes, name: str | None = None) -> None:
    path.write_bytes(data)
    list(inputs.from_file(path, name))


def parameters(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    config.load(path)


@fuzzed(500)
@given(several(joined(BUNDLES)), st.sampled_from(DIMENSIONS))
def test_tags(bundles: list[bytes], dimension: str) -> None:
    for bundle in (data.decode(errors="surrogateescape") for data in bundles):
        features.part_of_speech(bundle)
        for value in features.values(bundle, dimension):
            assert set(value.split("+")) <= features.DIMENSIONS[dimension]


@fuzzed(500)
@given(several(joined(ROWS)), st.sampled_from([None, "1", "2", "99", "0", "", "a", "ő", "９", "²", "\n"]))
def test_tables_and_words(folder: Path, texts: list[bytes], name: str | None) -> None:
    for data in texts:
        refused_in_one_line(table, folder / "t.tsv", data)
        refused_in_one_line(words, folder / "w.tsv", data, name)


@fuzzed(200)
@given(spliced("a"))
def test_packed_tables_and_words(folder: Path, changes: list[tuple[int, int, bytes]]) -> None:
    for place, _, put in changes:
        data = change(PACKED, place, len(put), put)
        refused_in_one_line(table, folder / "t.gz", data)
        refused_in_one_line(words, folder / "w.gz", data)


@fuzzed(200)
@given(several(joined(YAML)), spliced(YAML))
def test_parameters(folder: Path, texts: list[bytes], changes: list[tuple[int, int, bytes]]) -> None:
    for data in (*texts, change(PARAMS, *changes[0])):
        refused_in_one_line(parameters, folder / "p.yaml", data)


@fuzzed(400)
@given(spliced(JSON))
def test_manifests(folder: Path, finished: Project, changes: list[tuple[int, int, bytes]]) -> None:
    whole = (finished.root / "data/toy/model" / MANIFEST).read_bytes()
    assert (folder / WEIGHTS).exists()
    for splice in changes:
        (folder / MANIFEST).write_bytes(change(whole, *splice))
        refused_in_one_line(checkpoint.load, folder)


@pytest.mark.parametrize("text", OLD_TABLES, ids=repr)
def test_tables_of_old(folder: Path, text: str) -> None:
    refused_in_one_line(table, folder / "t.tsv", text.encode())


@pytest.mark.parametrize("text", [*OLD_YAML.split("|"), *LONG_YAML], ids=lambda text: text[:9])
def test_parameters_of_old(folder: Path, text: str) -> None:
    refused_in_one_line(parameters, folder / "p.yaml", text.encode())
