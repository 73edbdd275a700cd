"""The measurements run, on few rows, and what they compare with is no straw man."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from bench import notebook, ours, report, results

from tests.project import CASES, REPO, STEMS

MODULES = sorted(path.stem for path in (REPO / "bench").glob("*.py") if path.stem != "__main__")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    lines = [f"{stem}\t{stem}{end}\tN;{case};SG\n" for stem in STEMS for case, end in CASES.items()]
    path = tmp_path / "toy.tsv"
    path.write_text("".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("name", MODULES)
def test_modules_import(name: str) -> None:
    assert importlib.import_module(f"bench.{name}").__doc__


def test_notebook_loop_learns() -> None:
    torch.set_num_threads(1)
    rows = pd.DataFrame(
        [(stem + end, case) for stem in STEMS for case, end in CASES.items()], columns=["form", "label"]
    )
    test = rows.iloc[::5]
    train = rows.drop(test.index).sample(frac=1.0, random_state=1)
    trained = notebook.fit(train, test, seed=1, epochs=20)
    assert (trained.read(test) == test["label"].to_numpy()).mean() > 0.9
    loss, accuracy, _, _ = zip(*trained.history, strict=True)
    assert loss[-1] < loss[0] / 5
    assert accuracy[-1] > 0.9


def test_the_lstm_measured_on_all_words_is_the_one_that_the_page_says_how_to_get() -> None:
    page = (REPO / "docs/performance.md").read_text("utf-8")
    (command,) = re.findall(r"^\$ dvc exp run (-S sample\.train=null .*(?:\n    .*)*)", page, re.MULTILINE)
    told: ours.ChangeModel = {}
    for section, key, value in re.findall(r"-S ([a-z_]+)\.([a-z_]+)=(\S+)", command):
        told.setdefault(section, {})[key] = yaml.safe_load(value)
    assert told.pop("sample") == {"train": None, "dev": None}
    told["train"]["device"] = "cpu"  # where all that is compared is trained
    assert told == ours.LSTM_ALL


def test_an_unknown_symbol_and_a_longer_form_are_encoded() -> None:
    alphabet = notebook.Alphabet.of(pd.DataFrame({"form": ["ab"], "label": ["X"]}))
    encoded = notebook.encode(pd.DataFrame({"form": ["abcab", "a"], "label": ["X", "Y"]}), alphabet)
    ids, lengths, labels = notebook.tensors(encoded)
    unknown = alphabet.symbols["<UNK>"]
    assert ids[0].tolist()[1:6] == [4, 5, unknown, 4, 5]
    assert lengths.tolist() == [7, 3]
    assert labels.tolist() == [0, -1]


def test_quick_measurements_make_a_page(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    for name in ("encoding", "throughput"):
        monkeypatch.setattr(sys, "argv", [name, "--quick", "--raw", str(raw)])
        importlib.import_module(f"bench.{name}").main()
    found = json.loads((tmp_path / "quick/throughput.json").read_text("utf-8"))
    assert all(each["ratio"]["median"] > 0 for each in found["each"])
    monkeypatch.setattr(sys, "argv", ["report", "--quick"])
    report.main()
    page = (tmp_path / "quick/results.md").read_text("utf-8")
    assert "## Encoding" in page
    assert "## Training the LSTM" in page
    assert "## Growth" not in page
    assert (tmp_path / "quick/results.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
