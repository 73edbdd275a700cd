"""A hundred thousand inputs that nobody would write: each is read, or refused in one line by our error.

``FUZZ=20 python -m pytest tests/faults/test_fuzz.py`` tries twenty times as many, other ones each time.
What once came through is kept below as examples.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esetrag.core import config, features
from esetrag.core.errors import EsetragError
from esetrag.core.layout import MANIFEST
from esetrag.data import unimorph
from esetrag.data.selection import select
from esetrag.models import checkpoint
from esetrag.predict import inputs
from tests.project import REPO

TIMES = int(os.environ.get("FUZZ", "1"))
PLANNED: list[int] = []
"""Inputs of each test."""
DIMENSIONS = sorted(features.DIMENSIONS)


def fuzzed(examples: int, inputs: int = 1) -> settings:
    """So many examples of some inputs each; the same on every machine unless there are to be more."""
    PLANNED.append(examples * inputs)
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        database=None,
        derandomize=TIMES == 1,
        suppress_health_check=list(HealthCheck),
    )


def joined(*tokens: bytes, at_once: int, longest: int = 12) -> st.SearchStrategy[list[bytes]]:
    """Some inputs of some of these pieces each, and of any bytes."""
    piece = st.one_of(st.sampled_from(tokens), st.sampled_from(tokens), st.binary(max_size=3))
    return st.lists(st.lists(piece, max_size=longest).map(b"".join), min_size=at_once, max_size=at_once)


def refused_in_one_line(call: Callable[[], Any]) -> None:
    """Runs it; what goes wrong must be one of our errors, and one line."""
    try:
        call()
    except EsetragError as error:
        text = str(error)
        assert text.isprintable()
        assert 10 < len(text) < 5000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


BUNDLES = joined(
    *(b"N", b"V.PTCP", b";", b":", b"(", b")", b",", b"/", b"+", b"-", b"{", b"ACC", b"IN+ESS", b"NOM/ACC"),
    *(b"2SG", b"PSS3P", b"INST", b"+", b"//", b" ", b"\n", b"\xe2\x80\xa8", "ő".encode(), b"0"),
    at_once=50,
)  # fmt: skip


@fuzzed(1000, 50)
@given(BUNDLES, st.sampled_from(DIMENSIONS))
def test_tags(bundles: list[bytes], dimension: str) -> None:
    known = features.DIMENSIONS[dimension]
    for bundle in (data.decode(errors="surrogateescape") for data in bundles):
        features.part_of_speech(bundle)
        for value in features.values(bundle, dimension):
            assert set(value.split("+")) <= known


ROWS = joined(
    *(b"a\tab\tN;ACC\n", b"\ta\tN;NOM/ACC\n", b"\t", b"\t", b"\n", b"\r\n", b"\r", b"N;ACC", b"N", b"a"),
    *(b" ", b'"', b"\\", b"\0", b"\xef\xbb\xbf", b"\xff", b"\xc2\xa0", b"\xe2\x80\xa8"),
    *(b"\x0b", b"\x1c", b"\x85"),
    *("o\u030b".encode(), "ő".encode(), "\U0001f600".encode(), b"null", b"\x1b[2J", b",", b"\xed\xa0\x80"),
    at_once=10,
)  # fmt: skip
OLD_ROWS = [
    b"",
    b"\xef\xbb\xbf",
    b"\xc2\xa0\n",
    b"\r",
    b"a\tb\tN;ACC\r\ra\tb",
    b"\t\t",
    b"\x1c\n",
    b"\0\t\0\t\0",
]


def table(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    select(unimorph.read(path), path, "N", "Case")


@fuzzed(2500, 10)
@given(ROWS)
def test_tables(folder: Path, texts: list[bytes]) -> None:
    for data in texts:
        refused_in_one_line(lambda data=data: table(folder / "t.tsv", data))  # type: ignore[misc]


@pytest.mark.parametrize("data", OLD_ROWS)
def test_tables_of_old(folder: Path, data: bytes) -> None:
    refused_in_one_line(lambda: table(folder / "t.tsv", data))


PACKED = gzip.compress(b"a\tab\tN;ACC\nb\tbb\tN;NOM\n" * 9, mtime=0)


@fuzzed(500, 8)
@given(st.lists(st.tuples(st.integers(0, len(PACKED) - 1), st.binary(max_size=4)), min_size=4, max_size=4))
def test_packed_files(folder: Path, changes: list[tuple[int, bytes]]) -> None:
    for place, data in changes:
        changed = PACKED[:place] + data + PACKED[place + len(data) :]
        refused_in_one_line(lambda changed=changed: table(folder / "t.gz", changed))  # type: ignore[misc]
        (folder / "w.gz").write_bytes(changed)
        refused_in_one_line(lambda: list(inputs.from_file(folder / "w.gz")))


@fuzzed(1200, 10)
@given(ROWS, st.sampled_from([None, "1", "2", "99", "0", "", "a", "ő", "９", "²", "\n"]))
def test_words(folder: Path, texts: list[bytes], name: str | None) -> None:
    path = folder / "w.tsv"
    for data in texts:
        path.write_bytes(data)
        refused_in_one_line(lambda: list(inputs.from_file(path, name)))


YAML = joined(
    *(b"a", b": ", b"\n", b"\n  ", b"- ", b"[", b"]", b"{", b"}", b",", b"&a ", b"*a", b"!!map "),
    *(b"!!bool ", b"!!timestamp ", b"!!int ", b"!!binary ", b"!!set ", b"!!omap ", b"!!merge ", b"<<", b"'"),
    *(b'"', b"? ", b"|\n", b">\n", b"#", b"%YAML 1.1\n---\n", b"---", b"...", b"\\0", b"\\ud800", b"\t"),
    *(b"!!float ", b"~", b"=", b"!", b"0x", b"0o", b"_", b"1e3", b".", b"-", b"tasks: "),
    *(b"train: ", b"\xff", b"\x00"),
    at_once=5,
    longest=9,
)  # fmt: skip
OLD_YAML = [
    b"a: !!bool x",
    b"a: !!float ''",
    b"a: !!timestamp x",
    b"a: !!timestamp 2024-99-99",
    b"a: !!map [a]",
    b"!!map a",
    b"train: 0x" + b"f" * 5000,
    b"train: " + b"9" * 5000,
    b"? [a]\n: b",
    b'"a\\nb": 1',
    b'"\\ud800": 1',
    b"train: &a [*a]",
    b"[" * 5000,
    b"a: " + b"{a: " * 900,
    b"train: &a {<<: *a}",
]
GIVEN = (REPO / "params.yaml").read_bytes()
LINES = GIVEN.splitlines(keepends=True)


def parameters(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    config.load(path)


@fuzzed(900, 5)
@given(YAML)
def test_parameters(folder: Path, texts: list[bytes]) -> None:
    for data in texts:
        refused_in_one_line(lambda data=data: parameters(folder / "p.yaml", data))  # type: ignore[misc]


@fuzzed(150)
@given(YAML.map(lambda inputs: inputs[0]), st.integers(0, len(LINES) - 1), st.booleans())
def test_a_line_of_the_parameters(folder: Path, data: bytes, line: int, behind: bool) -> None:
    kept = LINES[line].partition(b": ")[0] + b": " if behind else b""
    changed = b"".join([*LINES[:line], kept, data, b"\n", *LINES[line + 1 :]])
    refused_in_one_line(lambda: parameters(folder / "p.yaml", changed))


@pytest.mark.parametrize("data", OLD_YAML, ids=range(len(OLD_YAML)))
def test_parameters_of_old(folder: Path, data: bytes) -> None:
    refused_in_one_line(lambda: parameters(folder / "p.yaml", data))


MANIFEST_GIVEN: dict[str, Any] = {
    "format": 2,
    "weights": {"size": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    "model": {
        "kind": "ngram", "head": "softmax",
        "longest": 3, "lemmas": 0.0, "embedding": 1, "hidden": 1, "layers": 1, "bidirectional": True,
        "dropout": 0.0,
    },
    "calibration": {"temperature": 1.0, "exponent": 1.0, "ratio": 1.0, "threshold": 0.0},
    "encoding": {"width": 5, "keep": "end"},
    "vocabulary": {"symbols": ["<PAD>", "<BOS>", "<EOS>", "<UNK>", "a"], "labels": ["ACC"]},
    "training": {"threads": 1},
    "versions": {"esetrag": "1"},
}  # fmt: skip
PLACES = [
    (section, key)
    for section, content in MANIFEST_GIVEN.items()
    for key in (None, "x", *(content if isinstance(content, dict) else ()))
]
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.characters(codec=None),
        st.sampled_from([2**64, -1, 10**30, "\ud800", "\x1b[2J", "\n", "ngram", "lstm", "end", "<PAD>"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@fuzzed(1500, 4)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=4, max_size=4))
def test_manifests(folder: Path, changes: list[tuple[tuple[str, str | None], Any]]) -> None:
    (folder / "model.safetensors").write_bytes(b"")
    for (section, key), value in changes:
        content = MANIFEST_GIVEN
        if key is None:
            content = {**content, section: value}
        elif isinstance(content[section], dict):
            content = {**content, section: {**content[section], key: value}}
        (folder / MANIFEST).write_text(json.dumps(content))
        refused_in_one_line(lambda: checkpoint.load(folder))


TEXT = json.dumps(MANIFEST_GIVEN).encode()


@fuzzed(500, 4)
@given(
    st.lists(
        st.tuples(st.integers(0, len(TEXT)), st.binary(max_size=3), st.integers(0, 9)), min_size=4, max_size=4
    )
)
def test_bytes_of_manifests(folder: Path, changes: list[tuple[int, bytes, int]]) -> None:
    (folder / "model.safetensors").write_bytes(b"")
    for place, data, cut in changes:
        (folder / MANIFEST).write_bytes(TEXT[:place] + data + TEXT[place + cut :])
        refused_in_one_line(lambda: checkpoint.load(folder))


def test_the_manifest_that_is_changed_is_one() -> None:
    checkpoint.Manifest.model_validate(MANIFEST_GIVEN)


def test_there_are_a_hundred_thousand_of_them() -> None:
    assert sum(PLANNED) >= 100_000
