from __future__ import annotations

import hashlib
import json
import pickle
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from esetrag.core.config import Params
from esetrag.core.errors import CheckpointError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.models import checkpoint
from esetrag.models.blend import Blend
from esetrag.models.lemma_prior.prior import LemmaPrior
from esetrag.models.network import Network, score
from esetrag.models.ngram import NgramClassifier
from esetrag.scoring.calibration import Calibration
from esetrag.symbols.batch import Batch
from esetrag.training import gradient, linear
from esetrag.training.data import Data
from tests.samples import CPU

TRAINING = {"task": "toy", "epoch": 3, "threads": 1}
FITTED = Calibration(temperature=0.75, exponent=1.5, ratio=0.5, threshold=0.125)
MEND = "make it anew: dvc repro -f"
OTHER = "not the weights of this network (other names, shapes or types: "
UNSOUND = "expected weights of experts >= 0, and n-grams and changes in ascending order, each once"
BLENDS = {
    "bilstm": ["bilstm", "lemmas"],
    "ngram": ["ngram", "lemmas"],
    "blend": ["bilstm", "ngram", "lemmas"],
}
Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def experts(params: Params, tiny_data: Data) -> dict[str, tuple[Network, Any]]:
    """A network of each kind with its shape."""
    rows = Batch.of(tiny_data.train, CPU)
    shapes: dict[str, Any] = dict(params.models) | {"lemmas": checkpoint.LemmaPriorModel(head="softmax")}
    ngram = linear.untrained(rows, 7, shapes["ngram"])
    ngram.weight.data.normal_(generator=torch.Generator().manual_seed(1))
    assert tiny_data.split
    prior = LemmaPrior.fit(tiny_data.split, rows.target, "softmax")
    assert prior
    bilstm = gradient.untrained(tiny_data, shapes["bilstm"], seed=1)
    return {
        kind: (network, shapes[kind])
        for kind, network in (("bilstm", bilstm), ("ngram", ngram), ("lemmas", prior))
    }


@pytest.fixture
def saved(
    tmp_path: Path, tiny_data: Data, experts: dict[str, tuple[Network, Any]]
) -> Callable[..., tuple[Path, Blend]]:
    """Saves a blend of some kinds; its folder and the blend."""

    def save(kinds: list[str], name: str = "model") -> tuple[Path, Blend]:
        networks, shapes = zip(*(experts[kind] for kind in kinds), strict=True)
        blend = Blend(networks, torch.linspace(0.5, 1, len(kinds)))
        args = (tiny_data.vocabulary, tiny_data.train, TRAINING, FITTED)
        checkpoint.save(tmp_path / name, blend, shapes, *args)
        return tmp_path / name, blend

    return save


@pytest.fixture
def folder(saved: Callable[..., tuple[Path, Blend]]) -> Path:
    return saved(BLENDS["blend"])[0]


def refusal(folder: Path, file: str) -> str:
    """The message, without the path in front."""
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder / file}: "), "the file is named"
    assert "\n" not in text
    return text.removeprefix(f"{folder / file}: ")


def change_manifest(folder: Path, place: str, value: Any) -> None:
    content = json.loads((folder / MANIFEST).read_bytes())
    *sections, key = (int(part) if part.isdigit() else part for part in place.split("."))
    inner = content
    for section in sections:
        inner = inner[section]
    inner[key] = value
    (folder / MANIFEST).write_text(json.dumps(content))


def replace_weights(folder: Path, data: bytes) -> None:
    """Other weights, which the manifest vouches for."""
    (folder / WEIGHTS).write_bytes(data)
    change_manifest(folder, "weights", {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()})


def change_weights(folder: Path, change: Callable[[Weights], None]) -> None:
    weights = safetensors.torch.load((folder / WEIGHTS).read_bytes())
    change(weights)
    replace_weights(folder, safetensors.torch.save({name: w.contiguous() for name, w in weights.items()}))


@pytest.mark.parametrize("kind", BLENDS)
def test_a_checkpoint_is_loaded_as_it_was_saved_to_the_bit(
    saved: Callable[..., tuple[Path, Blend]], tiny_data: Data, kind: str
) -> None:
    folder, network = saved(BLENDS[kind])
    shutil.move(folder, folder.with_name("moved"))
    loaded = checkpoint.load(folder.with_name("moved"))
    rows = Batch.of(tiny_data.train, CPU)
    assert torch.equal(score(loaded.network, rows), score(network, rows))
    assert not loaded.network.training
    assert loaded.vocabulary == tiny_data.vocabulary
    assert loaded.manifest.training == TRAINING
    assert Calibration(**loaded.manifest.calibration.model_dump()) == FITTED
    assert loaded.manifest.encoding.width == tiny_data.train.ids.shape[1]


def test_the_same_network_gives_the_same_bytes(saved: Callable[..., tuple[Path, Blend]]) -> None:
    first, second = (saved(BLENDS["blend"], name)[0] for name in ("one", "other"))
    assert sorted(path.name for path in first.iterdir()) == [MANIFEST, WEIGHTS]
    for name in (WEIGHTS, MANIFEST):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_n_grams_may_be_none(tmp_path: Path, params: Params, tiny_data: Data) -> None:
    model: Any = params.models["ngram"]
    network = NgramClassifier(torch.zeros(0, dtype=torch.int64), 7, model)
    blend = Blend([network], torch.ones(1))
    checkpoint.save(tmp_path, blend, [model], tiny_data.vocabulary, tiny_data.train, {}, Calibration())
    rows = Batch.of(tiny_data.train, CPU)
    assert torch.equal(score(checkpoint.load(tmp_path).network, rows), torch.zeros(len(rows), 7))


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS])
def test_a_missing_file_and_a_folder_in_its_place_are_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refusal(folder, name).startswith("cannot be read (No such file or directory)")
    (folder / name).mkdir()
    if name == WEIGHTS:
        change_manifest(folder, "weights.size", (folder / name).stat().st_size)
    assert refusal(folder, name).startswith("cannot be read (Is a directory)")


@pytest.mark.parametrize("place", [0, 8, 60, -1])
def test_changed_weights_are_refused(folder: Path, place: int) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[place] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    assert refusal(folder, WEIGHTS) == f"its SHA-256 is not the one in its manifest; {MEND}"


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_truncated_weights_are_refused_even_if_the_manifest_vouches_for_them(folder: Path, kept: int) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:kept])
    sizes = f"expected {len(data):,} bytes by its manifest, found {len(data[:kept]):,}; {MEND}"
    assert refusal(folder, WEIGHTS) == sizes
    replace_weights(folder, data[:kept])
    assert refusal(folder, WEIGHTS).startswith("not weights in safetensors (")


class Payload:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_a_pickle_in_the_place_of_the_weights_is_not_run(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    replace_weights(folder, pickle.dumps(Payload(trace)))
    assert refusal(folder, WEIGHTS).startswith("not weights in safetensors (")
    assert not trace.exists()


def test_the_weights_used_are_those_that_were_checked(
    folder: Path, tiny_data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, read = Batch.of(tiny_data.train, CPU), Path.read_bytes
    expected = score(checkpoint.load(folder).network, rows)

    def read_then_overwrite(path: Path) -> bytes:
        data = read(path)
        if path.name == WEIGHTS:
            path.write_bytes(b"\0" * len(data))
        return data

    monkeypatch.setattr(Path, "read_bytes", read_then_overwrite)
    assert torch.equal(score(checkpoint.load(folder).network, rows), expected)


NAMES = {
    "bilstm": "experts.0.output.bias",
    "grams": "experts.1.grams",
    "ngram": "experts.1.weight",
    "changes": "experts.2.endings",
    "first": "experts.2.first",
    "values": "experts.2.value",
    "lemmas": "experts.2.lemmas.keys",
    "blend": "weights",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("change", ["missing", "renamed", "longer", "stacked", "of half precision"])
def test_weights_of_another_network_are_refused(folder: Path, name: str, change: str) -> None:
    def damage(weights: Weights) -> None:
        weight = weights.pop(name)
        weights |= {
            "missing": {},
            "renamed": {f"{name}s": weight},
            "longer": {name: torch.cat([weight, weight[-1:]])},
            "stacked": {name: torch.stack([weight, weight])},
            "of half precision": {name: weight.to(torch.float16)},
        }[change]

    change_weights(folder, damage)
    assert refusal(folder, WEIGHTS).startswith(OTHER)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["experts.0.output.bias", "experts.1.weight", "experts.2.usual", "weights"])
def test_weights_that_are_no_numbers_are_refused(folder: Path, name: str, value: float) -> None:
    change_weights(folder, lambda weights: weights[name].view(-1).__setitem__(-1, value))
    assert refusal(folder, WEIGHTS) == f"holds NaN or infinite weights; {MEND}"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("experts.1.grams", lambda grams: grams.flip(0)),
        ("experts.1.grams", lambda grams: torch.cat([grams[:1], grams[:-1]])),
        ("experts.1.grams", lambda grams: torch.where(grams == grams[grams > 0][0], 0, grams)),
        ("experts.2.endings", lambda names: names.flip(0)),
        ("experts.2.endings", lambda names: names + 1),
        ("experts.2.keys", lambda names: torch.cat([names[:1], names[:-1]])),
        ("experts.2.lemmas.keys", lambda names: names.flip(0)),
        ("experts.2.first", lambda places: places + 1),
        ("experts.2.value", lambda labels: labels + 7),
        ("experts.2.value", lambda labels: labels - 7),
        ("weights", lambda weights: -weights),
    ],
)  # fmt: skip
def test_tables_that_a_look_up_would_go_wrong_in_are_refused(
    folder: Path, name: str, change: Callable[[Tensor], Tensor]
) -> None:
    change_weights(folder, lambda weights: weights.update({name: change(weights[name])}))
    assert refusal(folder, WEIGHTS) == f"{UNSOUND}; {MEND}"


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
            "experts.0.kind: should be one of 'bilstm', 'ngram', 'seq2seq', 'tagger', 'lemmas', 'rules', "
            "found 'gru'",
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


def test_weights_too_large_to_be_loaded_again_are_not_saved(
    saved: Callable[..., tuple[Path, Blend]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LARGEST", 1000)
    with pytest.raises(CheckpointError, match=r": expected weights of 1,000 bytes at most, found \d\d"):
        saved(BLENDS["blend"])
