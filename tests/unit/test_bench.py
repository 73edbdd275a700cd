"""The measurements run, on few rows, and what they compare with is no straw man."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from bench import experiment, languages, measure, notebook, report, speed, summary
from bench.experiment import TableSample, parameters

from esetrag.core import files
from esetrag.training import trainer
from tests.project import CASES, REPO, STEMS

MODULES = sorted(path.stem for path in (REPO / "bench").glob("*.py"))
ROWS = [(stem, stem + end, case) for stem in STEMS for case, end in CASES.items()]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "toy.tsv"
    path.write_text("".join(f"{lemma}\t{form}\tN;{case};SG\n" for lemma, form, case in ROWS), "utf-8")
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes trainings short; what they learn is not looked at."""
    params = parameters()
    train = params.train.model_copy(update={"epochs": 2, "min_steps": 0, "analogies": 300})
    for module in (experiment, speed):
        monkeypatch.setattr(module, "parameters", lambda: params.model_copy(update={"train": train}))


@pytest.mark.parametrize("name", MODULES)
def test_modules_import(name: str) -> None:
    assert importlib.import_module(f"bench.{name}").__doc__


def test_notebook_loop_learns() -> None:
    torch.set_num_threads(1)
    rows = pd.DataFrame(ROWS, columns=["lemma", "form", "label"])
    test = rows.iloc[::5]
    train = rows.drop(test.index).sample(frac=1.0, random_state=1)
    trained = notebook.fit(train, test, seed=1, epochs=20)
    assert (trained.predict(test) == test["label"].to_numpy()).mean() > 0.9
    loss, accuracy, _, _ = zip(*trained.history, strict=True)
    assert loss[-1] < loss[0] / 5
    assert accuracy[-1] > 0.9


def test_an_unknown_symbol_and_a_longer_form_are_encoded() -> None:
    alphabet = notebook.Alphabet.of(pd.DataFrame({"form": ["ab"], "label": ["X"]}))
    encoded = notebook.encode(pd.DataFrame({"form": ["abcab", "a"], "label": ["X", "Y"]}), alphabet)
    ids, lengths, labels = notebook.tensors(encoded)
    unknown = alphabet.symbols["<UNK>"]
    assert ids[0].tolist()[1:6] == [4, 5, unknown, 4, 5]
    assert lengths.tolist() == [7, 3]
    assert labels.tolist() == [0, -1]


def test_an_expert_that_is_trained_once_gives_the_same_blend(raw: Path) -> None:
    params = parameters()
    parts = TableSample(raw, 1, "toy", "Case", 60).parts(params)
    data = experiment.data_of(parts, params)
    options = experiment.options_of(params, data, seed=1).model_copy(update={"epochs": 2, "min_steps": 0})
    with experiment.experts_trained_once():
        trainer.fit(data, params.resolve("bilstm"), options)
        shared = trainer.fit(data, params.resolve("blend"), options)
    alone = trainer.fit(data, params.resolve("blend"), options)
    test = data.encode(parts["test"])
    assert np.array_equal(shared.logits(test), alone.logits(test))
    assert shared.epochs == alone.epochs


def test_samples_make_a_page_and_an_interrupted_run_continues(
    small: None,
    raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(measure, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--raw", str(raw), "--features", "Case"])
    languages.main()
    page = (tmp_path / "results/quick/results.md").read_text("utf-8")
    assert "| hun (embedded), Case | majority |" in page
    assert "|  | dev's choice |" in page
    capsys.readouterr()
    languages.main()
    assert "2 samples, 2 measured already" in capsys.readouterr().out


def test_quick_measurements_make_a_page(
    small: None, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"EPOCHS": 2, "ALONE": 20, "IN_BULK": 2000}.items():
        monkeypatch.setattr(speed, name, value)
    monkeypatch.setattr(measure, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["speed", "--quick", "--raw", str(raw)])
    speed.main()
    report.write(quick=True)
    page = (tmp_path / "quick/measurements.md").read_text("utf-8")
    for title in ("Training the BiLSTM", "Encoding", "Prediction"):
        assert f"## {title}\n" in page
    section = json.loads((tmp_path / "quick/sections/2 Encoding.json").read_text("utf-8"))
    assert [len(row) for row in section["rows"]] == [4, 4]
    assert "## Growth" not in page


def test_a_reviewer_reads_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "metrics/toy"
    files.write_json(folder / "summary.json", {"test_accuracy": 0.9})
    files.write_json(folder / "errors.json", {"errors": 2, "rows": 20, "kinds": {"other": 2, "copied": 0}})
    files.write_text(folder / "history.csv", "a\n")
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for command in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "a")):
        subprocess.run(["git", *command], check=True)
    files.write_json(folder / "summary.json", {"test_accuracy": 0.95, "ece": 0.01})
    files.write_text(folder / "confusion.csv", "label,predicted\nA,A\nA,B\nA,B\n")
    files.write_text(folder / "history.csv", "b\n")
    text = summary.text("HEAD")
    assert "| toy | test_accuracy | 0.9000 | 0.9500 | +0.0500 |" in text
    assert "| toy | ece |  | 0.0100 |  |" in text
    assert "2 of 20 rows: other 2." in text
    assert "| A | B | 2 |" in text
    assert "- metrics/toy/history.csv" in text
