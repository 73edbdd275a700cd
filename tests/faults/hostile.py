"""Files that strangers could hand in, each with what shall be said of it."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pickle
import re
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from esetrag.core import tables
from esetrag.core.layout import MANIFEST, WEIGHTS

MIB = 2**20
TRACE = "trace"
"""A file that the payload of a pickle would leave."""
LAUGHS = "".join(
    f"a{i}: &a{i} [{', '.join(['x' if i == 0 else f'*a{i - 1}'] * 9)}]\n" for i in range(30)
)  # of YAML's aliases: nine to the power of thirty words


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (TRACE,)


def bomb(path: Path, block: bytes, gibibytes: int = 10) -> None:
    """Writes a gzip file of so much that it unpacks to; a thousandth of it lies on the disk."""
    member = gzip.compress(block * (16 * MIB // len(block)), mtime=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(member * (64 * gibibytes))


def write(path: Path, text: str) -> None:
    path.write_text(text)


def sparse(path: Path, size: int = 2**40) -> None:
    """Writes a file that takes no place on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def repeated(path: Path, columns: list[str], rows: int = 100_000) -> None:
    """Writes a kilobyte of parquet that stands for a terabyte: the same ten million letters in each row."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 10**7]))
    arrays = [pa.nulls(rows, pa.float32()).fill_null(1) if name == "weight" else text for name in columns]
    optional = {"lemma", "features"}
    fields = [pa.field(n, a.type, n in optional) for n, a in zip(columns, arrays, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    pq.write_table(table, path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 10_000


def rows_of_pickle(path: Path) -> None:
    """Writes parquet whose type, once taken for Python's own, held a pickle."""
    kind = pa.field("form", pa.string()).with_metadata(
        {
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": pickle.dumps(Payload()).decode("latin-1"),
        }
    )
    pq.write_table(pa.Table.from_arrays([pa.array(["ház"])], schema=pa.schema([kind])), path)


def vouched(folder: Path, weights: bytes) -> None:
    """Puts weights into a checkpoint whose manifest vouches for them."""
    (folder / WEIGHTS).write_bytes(weights)
    content = json.loads((folder / MANIFEST).read_bytes())
    content["weights"] = {"size": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
    (folder / MANIFEST).write_text(json.dumps(content))


def header(content: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """Safetensors by hand: the header's length, the header, the tensors."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(start: int, end: int, shape: list[int], kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


WEIGHTS_BY_HAND: dict[str, bytes] = {
    "a header of 2^63 bytes": header({}, length=2**63),
    "a header of all of memory": header({}, length=2**46),
    "a header longer than the file": header({}, b"\0" * 100, length=101),
    "a header of 90 MB": header(b" " * 90_000_000 + b"{}"),
    "no header": b"\0" * 7,
    "a header that is no JSON": header(b"\xff\xfe{}"),
    "a header that is deeply nested": header(b'{"a":' + b"[" * 100_000),
    "a header that is a list": header([]),
    "tensors that overlap": header({"grams": tensor(0, 8, [1], "I64"), "bias": tensor(4, 8, [1])}, b"\0" * 8),
    "a tensor behind the end": header({"bias": tensor(0, 2**40, [2**38])}, b"\0" * 8),
    "a tensor that ends before it starts": header({"bias": tensor(8, 0, [0])}, b"\0" * 8),
    "a tensor of more than all": header({"bias": tensor(0, 8, [2**62, 2**62])}, b"\0" * 8),
    "a tensor of less than nothing": header({"bias": tensor(0, 8, [-2])}, b"\0" * 8),
    "a hole": header({"bias": tensor(8, 12, [1])}, b"\0" * 12),
    "a type that is none": header({"bias": tensor(0, 4, [1], "OBJECT")}, b"\0" * 4),
    "a pickle": pickle.dumps(Payload()),
    "a pickle behind a header": header({"bias": tensor(0, 4, [1])}, pickle.dumps(Payload())),
}


def manifest(**changed: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        content = json.loads((folder / MANIFEST).read_bytes())
        for place, value in changed.items():
            content[place] = {**content[place], **value} if isinstance(value, dict) else value
        (folder / MANIFEST).write_text(json.dumps(content))

    return spoil


def sparse_weights(folder: Path) -> None:
    sparse(folder / WEIGHTS)
    manifest(weights={"size": 2**40})(folder)


def swap(a: str, b: str) -> Callable[[Path], None]:
    def spoil(data: Path) -> None:
        for name in (a, b):  # DVC keeps its files read-only
            (data / name).chmod(0o644)
        one, other = (data / a).read_bytes(), (data / b).read_bytes()
        (data / a).write_bytes(other)
        (data / b).write_bytes(one)

    return spoil


BILSTM = {"kind": "bilstm", "head": "softmax", "bidirectional": True, "dropout": 0.0, "lemmas": False}
CHECKPOINTS: dict[str, tuple[Callable[[Path], None], str]] = {
    **{
        name: (partial(vouched, weights=data), "model.safetensors: not ")
        for name, data in WEIGHTS_BY_HAND.items()
    },
    "weights of a terabyte": (sparse_weights, "weights.size: should be less than or equal to"),
    "a manifest of a terabyte": (lambda folder: sparse(folder / MANIFEST), "bytes at most, found more"),
    "a manifest that nests deeply": (
        lambda folder: write(folder / MANIFEST, "[" * 10**6), "expected JSON"),
    "a manifest of a number too long": (
        lambda folder: write(folder / MANIFEST, "9" * 10**5), "expected JSON"),
    "a manifest that names another place": (
        manifest(weights={"file": "../../../etc/passwd"}), "weights.file: unknown key"),
    "labels of half a letter": (
        manifest(vocabulary={"labels": ["\ud800"]}), "expected a vocabulary"),
    "labels that clear the screen": (
        manifest(format="\x1b[2J\n\nall is well"), "found '\\x1b[2J\\n\\nall is well'"),
    "a network of all of memory": (
        manifest(experts=[BILSTM | {"hidden": 4096, "embedding": 4096, "layers": 16}]), "other names"),
}  # fmt: skip
PARAMS: dict[str, tuple[Callable[[str], str], str]] = {
    "a billion laughs": (lambda text: f"{LAUGHS}\n{text}", "unknown key"),
    "laughs for a section": (
        lambda text: LAUGHS + re.sub(r"build_vocab:\n(?:  .*\n)+", "build_vocab: *a29\n", text),
        "build_vocab: should be",
    ),
    "two megabytes": (lambda text: text + " " * 2**21, "bytes at most, found more"),
    "fifty thousand keys": (
        lambda text: text + "".join(f"k{i}: 1\n" for i in range(50_000)), "and 49980 more"),
    "a number of all of memory": (lambda text: text.replace("seed: 1", f"seed: 0x{'f' * 10**5}"), "digits"),
    "a NUL in a path": (
        lambda text: text.replace("raw: data/raw/toy.tsv", 'raw: "data/raw/toy\\0.tsv"'), "tasks.toy.raw: "),
    "a task that climbs out": (lambda text: text.replace("toy:", '"../../evil":'), "tasks.../../evil"),
    "lines and colours in a key": (
        lambda text: text + '"\\x1b[31mred\\nline": 1\n', "\\x1b[31mred\\nline: unknown key"),
    "a tag of Python's": (
        lambda text: text + f"\nx: !!python/object/apply:os.mkdir [{TRACE}]\n", "not YAML"),
    "a mapping that is none": (lambda text: f"{text}\nx: !!map [1]\n", "not YAML"),
}  # fmt: skip
ARTIFACTS: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "a sample of a terabyte": (
        "build_vocab",
        lambda data: repeated(data / "sample/train.parquet", tables.SAMPLE.names),
        "in memory",
    ),
    "an encoded part of a terabyte": (
        "train", lambda data: repeated(data / "encoded/dev.parquet", ["ids"]), "in memory"),
    "a sample with a pickle": (
        "build_vocab", lambda data: rows_of_pickle(data / "sample/train.parquet"), "expected columns lemma"),
    "a sample of the size of a disk": (
        "build_vocab", lambda data: sparse(data / "sample/train.parquet"), "not a whole parquet file"),
    "sample and encoded rows swapped": (
        "build_vocab", swap("sample/train.parquet", "encoded/train.parquet"), "expected columns lemma"),
    "vocabulary and rows swapped": (
        "encode_pad", swap("vocab.json", "sample/train.parquet"), "vocab.json: expected JSON"),
    "encoded rows and predictions swapped": (
        "evaluate", swap("encoded/test.parquet", "predictions.parquet"), "expected columns ids"),
    "a checkpoint's files swapped": (
        "evaluate", swap("model/manifest.json", "model/model.safetensors"), "manifest.json: expected JSON"),
    "a vocabulary of a terabyte": (
        "encode_pad", lambda data: sparse(data / "vocab.json"), "vocab.json: expected JSON of"),
    "a vocabulary of half letters": (
        "encode_pad",
        lambda data: (data / "vocab.json").write_text(
            json.dumps({"symbols": ["<PAD>", "<BOS>", "<EOS>", "<UNK>", "\ud800"], "labels": ["NOM"]})
        ),
        "expected a vocabulary",
    ),
}  # fmt: skip
ENDLESS = "line 1: expected a word or row, found"
TOO_LARGE = "bytes at most, unpacked, found more; cut it down"
TABLES: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "a bomb of rows": ("toy.tsv.gz", lambda path: bomb(path, b"a\tab\tN;ACC;SG\n"), TOO_LARGE),
    "a bomb of blank lines": ("toy.tsv.gz", lambda path: bomb(path, b"\n"), TOO_LARGE),
    "a table of a terabyte": ("toy.tsv", sparse, TOO_LARGE),
}  # fmt: skip
WORDS: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "a bomb of zeros": ("w.tsv.gz", lambda path: bomb(path, b"\0"), ENDLESS),
    "a word without end": ("w.tsv.gz", lambda path: bomb(path, b"a"), ENDLESS),
    "columns without end": ("w.tsv.gz", lambda path: bomb(path, b"\t"), ENDLESS),
    "a text of a terabyte": ("w.txt", sparse, ENDLESS),
    "a parquet bomb": ("w.parquet", lambda path: repeated(path, ["form"]), "in memory"),
    "a few words that are very long": (
        "w.parquet", lambda path: repeated(path, ["form"], 8), "row 1: expected words, found texts of 80,"),
}  # fmt: skip
