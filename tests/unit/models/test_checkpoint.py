from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from esetrag.core.config import Params
from esetrag.core.errors import CheckpointError
from esetrag.core.layout import MANIFEST, WEIGHTS
from esetrag.models import checkpoint
from esetrag.models.blend import Blend
from esetrag.models.network import score
from esetrag.models.ngram import NgramClassifier
from esetrag.scoring.calibration import Calibration
from esetrag.symbols.batch import Batch
from esetrag.training.data import Data
from tests.samples import CPU
from tests.unit.models.stored import (
    BLENDS,
    FITTED,
    MEND,
    OTHER,
    TRAINING,
    UNSOUND,
    Weights,
    change_manifest,
    change_weights,
    refusal,
    replace_weights,
)


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
@pytest.mark.parametrize(
    "name", ["experts.0.output.bias", "experts.1.weight", "experts.2.frequency", "weights"]
)
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


def test_weights_too_large_to_be_loaded_again_are_not_saved(
    saved: Callable[..., tuple[Path, Blend]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LARGEST", 1000)
    with pytest.raises(CheckpointError, match=r": expected weights of 1,000 bytes at most, found \d\d"):
        saved(BLENDS["blend"])
