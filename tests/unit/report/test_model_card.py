from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from esetrag.analysis import error_analysis
from esetrag.core import config
from esetrag.core.layout import PARTS
from esetrag.data import label_sets
from esetrag.report import model_card
from esetrag.scoring.calibration import Calibration, ModelOutput
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks import evaluation
from tests.unit.showing import shown

DATA: dict[str, Any] = {
    "task": {"raw": "data/raw/toy.tsv", "pos": "N", "feature": "Case"},
    "raw_sha256": "c0ffee",
    "split": {"guarantee": "No lemma is in two parts."},
    "parts": {part: {"rows": 84, "available": 1234, "lemmas": 12} for part in ("train", "dev", "test")},
}
MANIFEST: dict[str, Any] = {
    "model": {"kind": "lstm", "longest": 8, "embedding": 6, "hidden": 8, "layers": 2, "bidirectional": True},
    "encoding": {"width": 12, "keep": "end"},
    "weights": {"size": 4096, "sha256": "5eed"},
    "training": {"epochs": 9, "epoch": 7, "device": "cpu", "seed": 3, "threads": 1},
    "versions": {"torch": "2.13.0", "esetrag": "0.1.0"},
}


def card(
    rows: pa.Table, vocabulary: Vocabulary, given: config.Params, sure: bool
) -> tuple[str, dict[str, Any]]:
    right = label_sets.matrix(rows["label"], vocabulary.labels).astype(np.float32)
    read = ModelOutput(right if sure else np.roll(right, 1, axis=1), Calibration())
    parts = dict.fromkeys(PARTS, rows)
    found = evaluation.evaluate(parts, [read], vocabulary.labels, given.evaluate, given.calibration)
    manifest = MANIFEST | {"vocabulary": vocabulary.to_json()}
    errors = error_analysis.analyse(found.predictions, vocabulary, shown(rows))
    return model_card.page("toy", DATA, found.figures, manifest, errors), found.figures


@pytest.mark.parametrize("sure", [True, False])
def test_the_card_gives_every_reader_its_figures_and_the_ceiling(
    tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, given: config.Params, sure: bool
) -> None:
    page, figures = card(tiny_rows, tiny_vocabulary, given, sure)
    for reader in ("reader", "ngram", "suffix", "majority", "ceiling"):
        assert f"| {figures[reader]['accuracy']:.2%} |" in page
    assert f"{figures['majority']['low']:.2%} to {figures['majority']['high']:.2%}" in page
    assert "intervals of 95% by bootstrap" in page
    assert "84 forms of 12 lemmas, 0 of them\nof several values" in page
    assert f"less than {figures['resolution']:.2%} cannot be\ntold apart" in page
    assert all(label in page for label in tiny_vocabulary.labels)
    assert all(
        text in page
        for text in (
            "`c0ffee`. No lemma is in two parts.",
            "5eed",
            "epoch 7",
            "torch 2.13.0",
            "longer than\n10 symbols",
        )
    )


def test_the_card_shows_failures_with_examples(
    tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, given: config.Params
) -> None:
    page, _ = card(tiny_rows, tiny_vocabulary, given, sure=False)
    failures = page.split("## Known failures")[1].split("## Data")[0]
    assert failures.count("| *") == model_card.FAILURES
    assert "0.00%" in failures


def test_a_reader_without_failures_says_so(
    tiny_rows: pa.Table, tiny_vocabulary: Vocabulary, given: config.Params
) -> None:
    page, _ = card(tiny_rows, tiny_vocabulary, given, sure=True)
    assert page.count("None on the test part.") == 2


def test_the_card_says_what_kind_of_model_it_is() -> None:
    training = {**MANIFEST["training"], "lemmas": 0.79}
    shapes = {
        kind: model_card.shape(MANIFEST["model"] | {"kind": kind}, training) for kind in ("ngram", "lstm")
    }
    assert "n-grams at both ends of a form, up to 8 symbols" in shapes["ngram"]
    assert "lemmas that weighs 0.79" in shapes["ngram"]
    dropped = model_card.shape(MANIFEST["model"] | {"kind": "ngram"}, {**training, "lemmas": 0.0})
    assert "lemmas" not in dropped, "where dev wanted none"
    assert "2 bidirectional LSTM layer(s) of 8" in shapes["lstm"]
