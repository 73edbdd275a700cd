"""The artifacts of a small finished task, as the stages write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from esetrag.core import config, files, tables
from esetrag.core.layout import PARTS, Layout
from esetrag.data.families import Families
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.training import history
from esetrag.training.history import Epoch

LABELS = ("ACC", "NOM")
ROWS = [
    ("fa", "fa", "NOM", [0.1, 0.9]),
    ("fa", "fát", "ACC", [0.9, 0.1]),
    ("hold", "hold", "NOM", [0.3, 0.7]),
    ("szobat", "szobat", "NOM", [0.8, 0.2]),
    ("kút", "kút", "NOM", [0.6, 0.4]),
    ("mű", "mű", "ACC/NOM", [0.2, 0.8]),
]
BASELINES = ["logistic_regression", "longest_suffix", "majority"]


def scores(accuracy: float) -> dict[str, float]:
    """An entry of ``models`` of test.json."""
    names = ("any_correct", "set_precision", "set_recall", "set_f1", "macro_f1", "loss", "brier", "ece")
    return {
        "accuracy": accuracy,
        "low": accuracy - 0.01,
        "high": accuracy + 0.01,
        **{name: accuracy - (place + 1) / 100 for place, name in enumerate(names)},
        "risk_area": 0.125,
        "threshold": 0.375,
    }


def figures() -> dict[str, Any]:
    """test.json."""
    accuracies = {
        "majority": 0.1,
        "longest_suffix": 0.5,
        "logistic_regression": 0.7,
        "ngram": 0.8,
        "bilstm": 0.9,
    }
    return {
        "confidence": 0.95,
        "rows": 6,
        "pairs": 7,
        "ambiguous_forms": 1,
        "lemmas": 5,
        "unseen_labels": 0,
        "model": "bilstm",
        "baselines": BASELINES,
        "models": {name: scores(accuracy) for name, accuracy in accuracies.items()},
        "upper_bound": {"accuracy": 0.95, "any_correct": 1.0, "set_f1": 1.0},
        "lead": {"value": 0.2, "low": -0.1, "high": 0.3, "on": "logistic_regression"},
        "resolution": 0.02,
        "seeds": {"count": 3, "mean": 0.88, "deviation": 0.01},
    }


def write(root: Path, rows: list[tuple[Any, ...]] = ROWS, lemmas: bool = True) -> Layout:
    """Writes all artifacts that the pages need; the parts are all the same.

    Args:
        root: folder of the project.
        rows: lemma, form, label, probabilities of ``LABELS``.
        lemmas: whether the table has lemmas and features.
    """
    layout = Layout("toy", root)
    metrics = layout.metrics
    columns: dict[str, list[Any]] = {
        "lemma": [row[0] if lemmas else None for row in rows],
        "form": [row[1] for row in rows],
        "features": [f"N;{row[2]};SG" if lemmas else None for row in rows],
        "label": [row[2] for row in rows],
        "weight": [1.0 for _ in rows],
    }
    part = pa.Table.from_pydict(columns, schema=tables.SAMPLE)
    for name in PARTS:
        tables.write(layout.sample(name), part)
    kin = Families.of(part).table if lemmas else tables.FAMILIES.empty_table()
    tables.write(layout.families, kin)
    predicted = [LABELS[row[3].index(max(row[3]))] for row in rows]
    shares = {"probability": [max(row[3]) for row in rows], "probabilities": [row[3] for row in rows]}
    content = {**columns, "predicted": predicted, "predicted_set": predicted, **shares}
    tables.write(layout.predictions, pa.Table.from_pydict(content, schema=tables.predictions(list(LABELS))))
    attributions = {
        "form": ["szobat", "fa"],
        "label": ["NOM", "NOM"],
        "predicted": ["ACC", "NOM"],
        "against": ["NOM", "ACC"],
        "rest": [-1.0, 2.0],
        "letters": [[0, 0, 0, 0, 0.5, 3.0], [0.0, -0.5]],
    }
    tables.write(layout.attributions, pa.Table.from_pydict(attributions, schema=tables.ATTRIBUTIONS))
    vocabulary = Vocabulary.build(["aáfthldsoz"], list(LABELS))
    files.write_json(layout.vocab, vocabulary.to_json())
    manifest = {
        "experts": [{"kind": "bilstm", "head": "softmax"}, {"kind": "lemmas", "head": "softmax"}],
        "encoding": {"width": 9, "keep": "end"},
        "training": {"device": "cpu", "seed": 1, "threads": 1, "epoch": 1},
        "calibration": {"temperature": 0.8},
        "weights": {"size": 2048, "sha256": "d57421c0689ae89fe2"},
        "vocabulary": vocabulary.to_json(),
        "versions": {"torch": "2.13.0"},
    }
    files.write_json(layout.manifest, manifest)
    epochs = [Epoch(0, 2.0, 0.25, 2.0, 0.125, 0.0), Epoch(1, 1.0, 0.75, 0.5, 0.875, 0.1)]
    files.write_text(layout.history, history.to_csv(epochs))
    files.write_json(metrics / "test.json", figures())
    of_part = {
        "rows": 6,
        "available": 99,
        "lemmas": 5 if lemmas else None,
        "forms": 6,
        "labels": {"ACC": 2, "NOM": 5},
    }
    shared = {"lemmas": 0 if lemmas else None, "forms": 1, "family_heads": 2 if lemmas else None}
    data = {
        "task": {
            "kind": "classify",
            "feature": "Case",
            "pos": "N",
            "raw": "data/raw/toy.tsv",
            "model": "bilstm",
        },
        "raw_sha256": "b147d1a96e6bd7c43",
        "read": {"rows": 9, "duplicates": 1, "parts_of_speech": {"N": 8}},
        "dropped": {"empty cell": {"rows": 2, "examples": ["fa|fák N;NOM;ACC"]}},
        "kept": 6,
        "left_out": [] if lemmas else ["families of lemmas", "audit"],
        "parts": dict.fromkeys(PARTS, of_part),
        "split": {
            "kind": "lemma",
            "guarantee": "No lemma is in two parts.",
            "families": 12 if lemmas else None,
            "shortest_head": 4,
            "heads_passed_over": [f"szó{number:02}" for number in range(13)],
            "dev_shares_with_train": shared,
            "test_shares_with_train": shared,
        },
    }
    files.write_json(metrics / "data.json", data)
    cuts = {"cut_forms": 1, "unknown_symbols": {"ű": 1}, "unseen_labels": {}}
    files.write_json(metrics / "encoding.json", {"width": 9, "parts": dict.fromkeys(PARTS, cuts)})
    audit = {
        "rows": 9,
        "labels": {"lemmas": 1, "whole_paradigms": 0, "shifts": [["ACC", "NOM", 2]]},
        "suspicious": {"label": 1, "heading": 0},
        "ambiguous_forms": 1,
        "spellings": [{"kind": "tag", "found": "INST", "expected": "INS", "rows": 4, "beside": 0}],
        "paradigms": {"lemmas": 5, "usual_cells": 2, "lacking_some": 3, "smallest": 1, "median": 2.0,
                      "largest": 3, "missing": {"N;ACC;SG": 3}},
    }  # fmt: skip
    files.write_json(metrics / "data_audit.json", audit if lemmas else {})
    head = "kind\tlemma\tform\tfeatures\tstated\tlikelier\tprobability\tevidence\n"
    files.write_text(layout.review, head + 'label\tfa\t"NA\tN;NOM;SG\tNOM\tACC\t0.9990\t-t at others\n')
    csvs = {
        "classes": ("label,precision,recall,f1,support", "ACC,0.5,1.0,0.667,2", "NOM,1.0,0.5,0.667,5"),
        "calibration": ("model,low,high,forms,confidence,accuracy", "bilstm,0.5,1.0,6,0.8,0.7"),
        "coverage": ("coverage,risk,threshold", "0.5,0.0,0.9", "1.0,0.333,0.2"),
        "masking": ("symbols,without_last,only_last,forms", "0,1.0,0.1,6", "1,0.5,0.7,6"),
        "stress": (
            "set,forms,accuracy,longest_suffix,untouched,examples",
            "capitals,1234,0.5,0.25,,FA (NOM → ACC)",
            "empty,0,,,,",
        ),
    }
    for name, lines in csvs.items():
        files.write_text(metrics / f"{name}.csv", "\n".join([*lines, ""]))
    return layout


def table_of(markdown: str, title: str) -> pd.DataFrame:
    """The first table after a title of a Markdown page, as text."""
    rows = markdown.split(title, 1)[1].split("\n| ", 1)[1].split("\n\n")[0].strip().split("\n")
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]
    return pd.DataFrame(cells[2:], columns=cells[0])


OPTIONS = config.ErrorAnalysis(examples=1, confusions=5)
