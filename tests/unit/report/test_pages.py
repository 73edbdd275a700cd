"""The pages of a task, from the artifacts of a small pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esetrag.core import files
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.report import pages, provenance
from esetrag.report.context import Context
from tests.unit.report import artifacts
from tests.unit.report.artifacts import OPTIONS, ROWS, table_of

PAGES = ("report.html", "errors.md", "model_card.md", "data.md", "data_audit.md")


def made(layout: Layout) -> tuple[str, dict[str, str]]:
    """The summary and the pages."""
    summary = pages.write(Context.read(layout, OPTIONS))
    return summary, {name: (layout.metrics / name).read_text("utf-8") for name in PAGES}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    return made(artifacts.write(tmp_path_factory.mktemp("project")))


def test_the_report_has_models_baselines_and_upper_bound_side_by_side(written: Any) -> None:
    table = table_of(written[1]["model_card.md"], "## Results")
    assert table["model"].tolist() == [
        "majority-class baseline",
        "longest-suffix baseline",
        "logistic regression",
        "n-grams",
        "**BiLSTM**",
        "upper bound",
    ]
    assert table["accuracy"].tolist() == ["10.00%", "50.00%", "70.00%", "80.00%", "**90.00%**", "95.00%"]
    assert table["interval"].tolist()[2] == "69.00%–71.00%"
    assert {"any correct", "set f1", "macro f1", "ece"} <= {*table}
    report = written[1]["report.html"]
    for text in ("BiLSTM model", "+20.00 points (−10.00 to +30.00)", "Over 3 seeds: 88.00% ± 1.00%"):
        assert text in report
    assert "7 labels of 6 test forms" in report


def test_scores_that_repeat_the_accuracy_are_left_out(tmp_path: Path) -> None:
    layout = artifacts.write(tmp_path)
    test = artifacts.figures() | {"ambiguous_forms": 0}
    alike = ("any_correct", "set_precision", "set_recall", "set_f1")
    for entry in test["models"].values():
        entry |= dict.fromkeys(alike, entry["accuracy"])
    files.write_json(layout.metrics / "test.json", test)
    card = made(layout)[1]["model_card.md"]
    names = ["model", "accuracy", "interval", "macro f1", "ece", "loss", "brier", "risk area"]
    assert [*table_of(card, "## Results")] == names
    assert "All forms have one label" in card


def test_training_starts_with_the_accuracy_before_it_and_has_every_epoch(written: Any) -> None:
    report = written[1]["report.html"]
    assert "Accuracy before training: 25.0% on the training set and 12.5% on the development set" in report
    assert "chance among 2 labels: 50.0%" in report
    assert "epoch 1: development loss 0.5000 nats" in report
    assert "Each epoch (2 rows)" in report


def test_errors_are_listed_with_letters_kinds_groups_and_stress_sets(written: Any) -> None:
    page = written[1]["errors.md"]
    forms = table_of(page, "## Misclassified forms")
    assert "2 of 6 test forms are misclassified (33.33%)" in page
    assert forms.iloc[0].to_dict() | {"kind": ""} == {
        "form": "szoba**t**",
        "label": "NOM",
        "predicted": "ACC",
        "probability": "80.0%",
        "label probability": "20.0%",
        "kind": "",
        "lemma": "szobat",
        "features": "N;NOM;SG",
        "unknown": "b",
    }
    assert len(forms) == OPTIONS.examples
    assert "1 more rows are not shown here." in page
    assert table_of(page, "Most frequent confusions").to_numpy().tolist() == [["NOM", "ACC", "2"]]
    assert "![Confusion matrix of the test set](plots/confusion.png)" in page
    kinds = table_of(page, "## Kinds of errors")
    assert kinds["errors"].astype(int).sum() == 2
    assert "(NOM → ACC)" in kinds["examples"][0]
    stress = table_of(page, "## Stress sets").to_numpy().tolist()
    assert stress == [["capitals", "1,234", "50.00%", "25.00%", "–", "FA (NOM → ACC)"]]
    groups = table_of(page, "## Accuracy by group")
    assert "length" in set(groups["property"])
    assert not set(groups["value"]) & set(artifacts.LABELS), "labels have a table of their own"
    assert "szoba" in written[1]["report.html"]
    assert "kút" in written[1]["report.html"], "HTML has all errors"


def test_data_and_audit_pages_are_made_from_their_json_and_the_review_list(written: Any) -> None:
    data, audit = written[1]["data.md"], written[1]["data_audit.md"]
    assert data.startswith("# Data of toy\n\nTask: Case of part of speech N of `data/raw/toy.tsv`. 9 rows")
    assert "9 rows, of which 1 are exact duplicates; 6 were kept" in data
    assert "Split `lemma`: No lemma is in two parts. 12 families" in data
    assert "| train and test | 0 | 1 | 2 |" in data
    assert table_of(data, "**Too common to be heads**")["lemma"].tolist()[-1] == "szó12"
    assert "fa\\|fák" in data, "a bar must not end the cell"
    assert table_of(data, "**Parts**").to_numpy().tolist()[0] == ["train", "6", "5", "99"]
    assert table_of(data, "**Rows of each label**").to_numpy().tolist()[0] == ["ACC", "2", "2", "2"]
    assert table_of(data, "**What the model cannot see**").iloc[0].tolist() == ["train", "1", "ű (1)", "–"]
    assert audit.startswith("# Data audit of toy\n\n9 labelled rows were checked; 1 findings.")
    assert "were kept (`sample.suspicious`)" in audit
    found = table_of(audit, "**Findings: label**")
    assert found.iloc[0].tolist() == ["fa", '"NA', "N;NOM;SG", "NOM", "ACC", "0.9990", "-t at others"]
    assert table_of(audit, "**Spellings of tags**").iloc[0].tolist() == ["tag", "INST", "INS", "4", "0"]
    assert table_of(audit, "**Missing bundles**").iloc[0].tolist() == ["N;ACC;SG", "3"]


def test_the_model_card_has_use_limits_and_hashes(written: Any) -> None:
    card = written[1]["model_card.md"]
    for text in (
        "--task toy",
        "It sees no sentence",
        "d57421c0689ae89fe2",
        "b147d1a96e6bd7c43",
        "versions.torch",
    ):
        assert text in card
    assert "&lt;UNK>" in card, "Markdown would take it for a tag"


def test_the_summary_fits_a_terminal_and_names_the_first_errors(written: Any) -> None:
    lines = written[0].splitlines()
    assert max(map(len, lines[:-1])) <= 100, "the last line names the folder"
    assert lines[0].startswith("toy: 90.00% of the 7 labels of 6 test forms are predicted correctly")
    assert any(line.startswith("BiLSTM ") and "90.00%  89.00%–91.00%" in line for line in lines)
    assert "2 misclassified forms, the most confident first:" in lines
    assert any(line.split() == ["szobat", "NOM", "ACC", "80.0%", "szobat"] for line in lines)
    assert "All: data/toy/errors.parquet." in lines[-1]


def test_a_model_without_errors_has_pages_that_say_so(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[1] not in ("szobat", "kút")]
    summary, written = made(artifacts.write(tmp_path, rows))
    assert "misclassified forms" not in summary
    assert written["errors.md"].count("There are no errors.") == 2
    assert 'table class="browser"' not in written["report.html"]


def test_a_task_without_lemmas_and_features_has_all_pages(tmp_path: Path) -> None:
    layout = artifacts.write(tmp_path, lemmas=False)
    files.write_json(layout.metrics / "test.json", artifacts.figures() | {"lemmas": 0})
    written = made(layout)[1]
    assert {"lemma", "features"}.isdisjoint(table_of(written["errors.md"], "## Misclassified forms"))
    assert "intervals by bootstrap over forms" in written["model_card.md"]
    assert "Not possible with this data: families of lemmas, audit." in written["data.md"]
    assert "Only tables of lemmas, forms and tags are audited." in written["data_audit.md"]


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (
            {"kind": "classify", "feature": "Case", "pos": ["N", "ADJ"], "raw": "a.tsv"},
            "Case of part of speech N, ADJ of `a.tsv`",
        ),
        (
            {"kind": "classify", "raw": "a", "splits": {"train": "x", "dev": "y", "test": "z"}},
            "label of the words of `a/x`, `a/y`, `a/z`",
        ),
    ],
)
def test_a_task_is_described_by_what_it_has(task: dict[str, Any], text: str) -> None:
    assert provenance.description(task) == text


def test_the_pages_are_the_same_each_time_and_name_no_folder(written: Any, tmp_path: Path) -> None:
    layout = artifacts.write(tmp_path)
    first, images = made(layout)[1], [path.read_bytes() for path in sorted(layout.plots.iterdir())]
    assert first == written[1]
    assert made(layout)[1] == first
    assert [path.read_bytes() for path in sorted(layout.plots.iterdir())] == images
    assert sorted(path.name for path in layout.plots.iterdir()) == [
        "confusion.png",
        "curves.png",
        "lengths.png",
    ]
    assert not any(str(tmp_path) in page for page in first.values())


@pytest.mark.parametrize("name", ["test.json", "data_audit.json", "review.tsv", "classes.csv", "history.csv"])
def test_a_missing_artifact_is_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    layout = artifacts.write(tmp_path)
    (layout.metrics / name).unlink()
    with pytest.raises(DataError, match=name):
        made(layout)
    assert not layout.report.exists()


def test_an_artifact_of_another_version_is_named_with_the_mend(tmp_path: Path) -> None:
    layout = artifacts.write(tmp_path)
    (layout.metrics / "test.json").write_text(json.dumps({"rows": 6}))
    with pytest.raises(DataError, match=r"not the files of this version .*dvc repro -f"):
        made(layout)


@pytest.mark.parametrize(("name", "key"), [("manifest.json", "training"), ("data.json", "task")])
def test_an_artifact_with_nothing_in_a_place_is_told(tmp_path: Path, name: str, key: str) -> None:
    layout = artifacts.write(tmp_path)
    path = layout.manifest if name == layout.manifest.name else layout.metrics / name
    files.write_json(path, files.read_json(path) | {key: None})
    with pytest.raises(DataError, match=r"not the files of this version .*dvc repro -f"):
        made(layout)
    assert not layout.report.exists()


def test_each_part_has_its_own_figures(tmp_path: Path) -> None:
    layout = artifacts.write(tmp_path)
    data = files.read_json(layout.metrics / "data.json")
    parts = {part: of | {"rows": 10 + n} for n, (part, of) in enumerate(data["parts"].items())}
    parts["test"] |= {"labels": {"ACC": 7}}
    files.write_json(layout.metrics / "data.json", data | {"parts": parts})
    page = made(layout)[1]["data.md"]
    assert dict(table_of(page, "**Parts**")[["part", "rows"]].to_numpy()) == {
        part: str(of["rows"]) for part, of in parts.items()
    }
    assert table_of(page, "**Rows of each label**").to_numpy().tolist()[0] == ["ACC", "2", "2", "7"]


def test_words_that_look_like_markup_are_shown_and_inert(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    rows = [(evil, f"{evil}{number}", *row[2:]) for number, row in enumerate(ROWS)]
    summary, found = made(artifacts.write(tmp_path, rows))
    assert evil in summary
    assert "&lt;img src=x onerror=alert(1)&gt;" in found["report.html"]
    assert "&lt;img src=x onerror=alert(1)>" in found["errors.md"]
    assert not [name for name, text in found.items() if "<img" in text]


def test_the_audit_says_whether_doubtful_rows_were_dropped(tmp_path: Path) -> None:
    layout = artifacts.write(tmp_path)
    data = files.read_json(layout.metrics / "data.json")
    data["dropped"]["suspicious label"] = {"rows": 1, "examples": ["fa"]}
    files.write_json(layout.metrics / "data.json", data)
    assert "were dropped (`sample.suspicious`)" in made(layout)[1]["data_audit.md"]
