from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from esetrag.core import config
from esetrag.core.errors import CheckpointError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.models import checkpoint
from esetrag.models.bilstm import BiLSTM
from esetrag.scoring.calibration import Calibration
from esetrag.symbols.encoding import Encoded
from esetrag.symbols.vocabulary import Vocabulary

pytestmark = pytest.mark.usefixtures("single_thread")

TRAINING = {"task": "hun-noun-case", "epoch": 3, "threads": 1}
FITTED = Calibration(temperature=0.75, exponent=1.25, ratio=0.5, threshold=0.125)


@pytest.fixture
def network(tiny_vocabulary: Vocabulary, tiny_model: config.Model) -> BiLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return BiLSTM(len(tiny_vocabulary.symbols), len(tiny_vocabulary.labels), tiny_model)


@pytest.fixture
def folder(
    tmp_path: Path,
    network: BiLSTM,
    tiny_vocabulary: Vocabulary,
    tiny_encoded: Encoded,
    tiny_model: config.Model,
) -> Path:
    path = tmp_path / "model"
    checkpoint.save(path, network, tiny_vocabulary, tiny_encoded, tiny_model, TRAINING, FITTED)
    return path


def refusal(folder: Path, file: str) -> str:
    """What a user is told, without the path in front."""
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder / file}: "), "the file is named"
    assert "\n" not in text
    return text.removeprefix(f"{folder / file}: ")


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return content


def change_manifest(folder: Path, place: str, value: Any) -> None:
    content = manifest_of(folder)
    *sections, key = place.split(".")
    inner = content
    for section in sections:
        inner = inner[section]
    inner[key] = value
    (folder / MANIFEST).write_text(json.dumps(content))


def replace_weights(folder: Path, data: bytes) -> None:
    """Puts other weights in place and makes the manifest vouch for them."""
    (folder / WEIGHTS).write_bytes(data)
    change_manifest(folder, "weights", {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()})


def test_a_checkpoint_reads_as_it_was_saved(
    folder: Path, network: BiLSTM, tiny_vocabulary: Vocabulary, tiny_encoded: Encoded
) -> None:
    loaded = checkpoint.load(folder)
    for name, weight in network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], weight)
    assert loaded.vocabulary == tiny_vocabulary
    assert loaded.manifest.training == TRAINING
    assert Calibration(**loaded.manifest.calibration.model_dump()) == FITTED
    assert loaded.manifest.encoding.width == tiny_encoded.ids.shape[1]
    assert loaded.manifest.encoding.keep == tiny_encoded.keep
    assert not loaded.network.training


def test_the_same_network_gives_the_same_bytes(
    tmp_path: Path,
    folder: Path,
    network: BiLSTM,
    tiny_vocabulary: Vocabulary,
    tiny_encoded: Encoded,
    tiny_model: config.Model,
) -> None:
    again = tmp_path / "again"
    checkpoint.save(again, network, tiny_vocabulary, tiny_encoded, tiny_model, TRAINING, FITTED)
    for name in (WEIGHTS, MANIFEST):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    assert sorted(path.name for path in again.iterdir()) == [MANIFEST, WEIGHTS]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path / "model", MANIFEST)
        == "cannot be read (No such file or directory); make it: dvc repro"
    )


def test_a_folder_without_weights_is_told(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    assert refusal(folder, WEIGHTS) == "cannot be read (No such file or directory)"


def test_a_folder_without_a_manifest_is_no_checkpoint(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    assert refusal(folder, MANIFEST) == "cannot be read (No such file or directory); make it: dvc repro"


@pytest.mark.parametrize("place", [0, 8, 60, -1])
def test_tampered_weights_are_refused(folder: Path, place: int) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[place] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    told = "its SHA-256 is not the one in its manifest; make it anew: dvc repro -f"
    assert refusal(folder, WEIGHTS) == told


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_truncated_weights_are_refused(folder: Path, kept: int) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:kept])
    expected = f"expected {len(data)} bytes by its manifest, found {len(data[:kept])}; "
    assert refusal(folder, WEIGHTS).startswith(expected)


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_truncated_weights_that_the_manifest_vouches_for_are_refused(folder: Path, kept: int) -> None:
    replace_weights(folder, (folder / WEIGHTS).read_bytes()[:kept])
    assert refusal(folder, WEIGHTS).startswith("not the weights of this network (")


class Payload:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_a_pickle_in_the_place_of_the_weights_is_refused_and_not_run(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    replace_weights(folder, pickle.dumps(Payload(trace)))
    assert refusal(folder, WEIGHTS).startswith("not the weights of this network (")
    assert not trace.exists()


def test_a_torch_file_in_the_place_of_the_weights_is_refused(
    folder: Path, tmp_path: Path, network: BiLSTM
) -> None:
    torch.save(network.state_dict(), tmp_path / "model.pt")
    replace_weights(folder, (tmp_path / "model.pt").read_bytes())
    assert refusal(folder, WEIGHTS).startswith("not the weights of this network (")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder: Path, network: BiLSTM, value: float) -> None:
    weights = network.state_dict()
    weights["output.bias"] = weights["output.bias"].clone()
    weights["output.bias"][3] = value
    replace_weights(folder, safetensors.torch.save(weights))
    assert refusal(folder, WEIGHTS) == "holds NaN or infinite weights; make it anew: dvc repro -f"


@pytest.mark.parametrize("change", ["missing", "more", "renamed", "reshaped"])
def test_weights_of_another_network_are_refused(folder: Path, network: BiLSTM, change: str) -> None:
    weights = network.state_dict()
    bias = weights.pop("output.bias")
    if change == "more":
        weights |= {"output.bias": bias, "extra": bias.clone()}
    elif change == "renamed":
        weights["output.offset"] = bias
    elif change == "reshaped":
        weights["output.bias"] = bias[:-1]
    replace_weights(folder, safetensors.torch.save(weights))
    assert refusal(folder, WEIGHTS).startswith("not the weights of this network (")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("model.hidden", 13),
        ("model.embedding", 9),
        ("model.layers", 2),
        ("model.bidirectional", False),
        ("model.hidden", 4096),
        ("vocabulary.labels", ["ACC"]),
        ("vocabulary.symbols", ["<PAD>", "<BOS>", "<EOS>", "<UNK>", "a"]),
    ],
)
def test_a_manifest_that_lies_about_the_shape_is_refused(folder: Path, place: str, value: Any) -> None:
    change_manifest(folder, place, value)
    assert refusal(folder, WEIGHTS).startswith("not the weights of this network (")


def test_a_manifest_that_lies_about_the_size_is_refused(folder: Path) -> None:
    size = manifest_of(folder)["weights"]["size"]
    change_manifest(folder, "weights.size", size + 1)
    assert refusal(folder, WEIGHTS).startswith(f"expected {size + 1} bytes by its manifest, found {size}; ")


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("format", 1, "format: should be 2, found 1"),
        ("weights.size", -1, "weights.size: should be greater than or equal to 0, found -1"),
        ("weights.size", "7", "weights.size: should be a valid integer, found '7'"),
        ("weights.file", "x", "weights.file: unknown key, expected one of size, sha256"),
        ("model.hidden", 0, "model.hidden: should be greater than or equal to 1, found 0"),
        ("model.kind", "gru", "model.kind: should be 'ngram' or 'lstm', found 'gru'"),
        ("model.head", "tanh", "model.head: should be 'softmax' or 'sigmoid', found 'tanh'"),
        ("encoding.width", 2, "encoding.width: should be greater than 2, found 2"),
        ("encoding.width", 10**9, "encoding.width: should be less than or equal to 65535, found 1000000000"),
        ("encoding.keep", "middle", "encoding.keep: should be 'end' or 'start', found 'middle'"),
        ("calibration.temperature", 0, "calibration.temperature: should be greater than or equal to 0.01, "),
        ("calibration.temperature", 101, "calibration.temperature: should be less than or equal to 100, "),
        ("calibration.temperature", float("nan"), "calibration.temperature: should be "),
        ("calibration.temperature", "1", "calibration.temperature: should be a valid number, found '1'"),
        ("calibration.ratio", 0, "calibration.ratio: should be greater than 0, found 0"),
        ("calibration.ratio", 1.5, "calibration.ratio: should be less than or equal to 1, found 1.5"),
        (
            "calibration.threshold",
            -0.5,
            "calibration.threshold: should be greater than or equal to 0, found -0.5",
        ),
        ("calibration.threshold", 1.5, "calibration.threshold: should be less than or equal to 1, found 1.5"),
        (
            "calibration.most",
            1,
            "calibration.most: unknown key, expected one of temperature, exponent",
        ),
        ("code", "import os", "code: unknown key, expected one of format, weights, model, encoding, "),
    ],
)
def test_a_manifest_of_another_form_is_told_by_path(folder: Path, place: str, value: Any, told: str) -> None:
    change_manifest(folder, place, value)
    assert refusal(folder, MANIFEST).startswith(f"not a checkpoint's manifest: {told}")


def test_a_manifest_without_a_key_is_told(folder: Path) -> None:
    content = manifest_of(folder)
    del content["weights"]["sha256"]
    (folder / MANIFEST).write_text(json.dumps(content))
    assert refusal(folder, MANIFEST) == "not a checkpoint's manifest: weights.sha256: missing"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"model"', "7"])
def test_a_manifest_that_is_no_mapping_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    assert refusal(folder, MANIFEST)


def test_a_malformed_vocabulary_is_refused(folder: Path) -> None:
    change_manifest(folder, "vocabulary.symbols", ["b", "a"])
    assert refusal(folder, MANIFEST).startswith("expected a vocabulary (sorted symbols")


def test_a_folder_in_the_place_of_the_weights_is_told(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).mkdir()
    change_manifest(folder, "weights.size", (folder / WEIGHTS).stat().st_size)
    assert refusal(folder, WEIGHTS) == "cannot be read (Is a directory)"


def test_a_checkpoint_may_be_moved(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(folder, moved)
    assert checkpoint.load(moved).manifest.training == TRAINING
