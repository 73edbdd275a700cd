"""The manifest of a checkpoint: what it claims is checked before anything is made of it."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from esetrag.core.layout import MANIFEST, WEIGHTS
from tests.unit.models.stored import (
    OTHER,
    change_manifest,
    refusal,
)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("experts.0.hidden", 13),
        ("experts.0.layers", 2),
        ("experts.0.bidirectional", False),
        ("experts", [{"kind": "lemmas", "head": "softmax"}]),
        ("vocabulary.labels", ["ACC"]),
        ("vocabulary.symbols", ["<PAD>", "<BOS>", "<EOS>", "<UNK>", "a"]),
    ],
)
def test_a_manifest_of_another_network_is_refused(folder: Path, place: str, value: Any) -> None:
    change_manifest(folder, place, value)
    assert refusal(folder, WEIGHTS).startswith(OTHER)


def test_no_memory_is_taken_for_sizes_that_a_manifest_claims(folder: Path) -> None:
    content = json.loads((folder / MANIFEST).read_bytes())
    huge = {**content["experts"][0], "hidden": 4096, "embedding": 4096, "layers": 16}
    change_manifest(folder, "experts", [huge] * 20)  # a terabyte and more
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(folder, WEIGHTS).startswith(OTHER)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("format", 2, "format: should be 3, found 2"),
        ("weights.size", -1, "weights.size: should be greater than or equal to 0, found -1"),
        ("weights.size", 2**33, "weights.size: should be less than or equal to 4294967296, found 8589934592"),
        ("weights.file", "x", "weights.file: unknown key, expected one of size, sha256"),
        ("weights", {"size": 1}, "weights.sha256: missing"),
        ("experts", [], "experts: List should have at least 1 item after validation, not 0, found []"),
        (
            "experts.0.kind",
            "gru",
            "experts.0.kind: should be one of 'bilstm', 'ngram', 'seq2seq', 'tagger', 'word_tagger', "
            "'siamese', 'lemmas', 'rules', found 'gru'",
        ),
        ("experts.0.hidden", 0, "experts.0.bilstm.hidden: should be greater than or equal to 1, found 0"),
        ("encoding.width", 10**9, "encoding.width: should be less than or equal to 65535, found 1000000000"),
        ("encoding.keep", "middle", "encoding.keep: should be 'end' or 'start', found 'middle'"),
        ("calibration.temperature", 101, "calibration.temperature: should be less than or equal to 100, "),
        ("calibration.temperature", float("nan"), "calibration.temperature: should be "),
        ("calibration.ratio", 0, "calibration.ratio: should be greater than 0, found 0"),
        ("calibration.threshold", 1.5, "calibration.threshold: should be less than or equal to 1, found 1.5"),
        ("code", "import os", "code: unknown key, expected one of format, weights, experts, encoding, "),
    ],
)
def test_a_manifest_of_another_form_is_refused_by_path(
    folder: Path, place: str, value: Any, message: str
) -> None:
    change_manifest(folder, place, value)
    assert refusal(folder, MANIFEST).startswith(f"not a checkpoint's manifest: {message}")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7"])
def test_a_manifest_that_is_no_mapping_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    assert refusal(folder, MANIFEST)


def test_a_malformed_vocabulary_is_refused(folder: Path) -> None:
    change_manifest(folder, "vocabulary.symbols", ["b", "a"])
    assert refusal(folder, MANIFEST).startswith("expected a vocabulary (sorted symbols")
