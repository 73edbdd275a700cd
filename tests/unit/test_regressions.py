"""Faults that were found once and must stay mended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from esetrag.core import config
from esetrag.core.errors import CheckpointError, DataError, ParamsError, TrainingError
from esetrag.data import sampling, unimorph
from esetrag.data.selection import select
from esetrag.models import checkpoint
from esetrag.predict.predictor import Predictor
from esetrag.training import gradient, history


def test_the_order_of_the_file_is_kept(repo: Path) -> None:
    raw = unimorph.read(repo / "data/raw/hun.tsv.gz")
    selection = select(raw, Path("x"), "N", "Case")
    assert selection.table["form"].to_pylist() == raw["form"].to_pylist()


def test_the_notebooks_draw_is_reproduced_from_the_file(repo: Path) -> None:
    path = repo / "data/raw/hun.tsv.gz"
    sample = config.Sample(suspicious="keep", split="notebook", seed=1, train=1000, dev=200, test=200)
    table = select(unimorph.read(path), path, "N", "Case").table
    found = sampling.draw(sampling.split(table, sample), sample)
    frame = pd.read_csv(path, sep="\t", names=["lemma", "form", "features"], keep_default_na=False)
    shuffled = list(frame["lemma"].unique())
    np.random.seed(12)
    np.random.shuffle(shuffled)
    tenth = len(shuffled) // 10
    rows = frame[frame["lemma"].isin(shuffled[: -2 * tenth])].sample(1000, random_state=1)
    assert found["train"]["form"].to_pylist() == rows["form"].tolist()


def test_the_byte_is_named_behind_a_bom(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_bytes(b"\xef\xbb\xbfabcdef\th\xe1z\tN;SG\n")
    with pytest.raises(DataError, match="0xe1"):
        unimorph.read(tmp_path / "x.tsv")


@pytest.mark.parametrize(("text", "expected"), [("010", 10), ("08", 8)])
def test_leading_zeros_are_decimal_as_dvc_reads_them(
    repo: Path, tmp_path: Path, text: str, expected: int
) -> None:
    page = (repo / "params.yaml").read_text().replace("epochs: 30 #", f"epochs: {text} #")
    (tmp_path / "params.yaml").write_text(page)
    assert config.load(tmp_path / "params.yaml").train.epochs == expected


@pytest.mark.parametrize("data", [b"a: \xff\n", b"a: \0\n"])
def test_an_error_is_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "params.yaml").write_bytes(data)
    with pytest.raises(ParamsError) as caught:
        config.load(tmp_path / "params.yaml")
    assert "\n" not in str(caught.value)


def test_the_second_of_two_equal_keys_is_told(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("a: 1\nb: 2\na: 3\n")
    with pytest.raises(ParamsError, match="line 3"):
        config.load(tmp_path / "params.yaml")


@pytest.mark.parametrize("device", ["cuda:99999999999", "cuda:\u0663"])
def test_a_device_that_torch_cannot_parse_is_told(device: str) -> None:
    with pytest.raises(TrainingError):
        gradient.choose_device(device)


@pytest.mark.parametrize("place", ["hidden", "embedding"])
def test_a_lying_manifest_is_refused(tiny_checkpoint: Path, place: str) -> None:
    content = json.loads((tiny_checkpoint / "manifest.json").read_bytes())
    content["experts"][0][place] = 10**30
    (tiny_checkpoint / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError):
        checkpoint.load(tiny_checkpoint)


def test_a_lone_surrogate_is_no_traceback(tiny_checkpoint: Path) -> None:
    reader = Predictor.load(tiny_checkpoint)
    with pytest.raises(DataError, match="UTF-8"):
        reader.predict(["a\udcff"])


@pytest.mark.parametrize(
    "text", ["", "epoch,train_loss,train_accuracy,dev_loss,dev_accuracy,learning_rate\n"]
)
def test_an_empty_history_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(DataError):
        history.read(tmp_path / "history.csv")
