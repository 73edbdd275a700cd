"""The report of a task, from the artifacts of a small pipeline."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from esetrag.analysis import error_analysis, stress
from esetrag.analysis.error_analysis import Analysis
from esetrag.core import config, files, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.report import sections
from esetrag.report.report import Letters, Section
from esetrag.scoring.calibration import Calibration, ModelOutput
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks import evaluation
from esetrag.training import history
from esetrag.training.history import Epoch
from tests.unit.showing import shown

LABELS = ("ACC", "NOM")
PARTS = ("train", "dev", "test")
ROWS = [
    ("fa", "fa", "NOM", [0.1, 0.9]),
    ("fa", "fát", "ACC", [0.9, 0.1]),
    ("hold", "hold", "NOM", [0.3, 0.7]),
    ("szobat", "szobat", "NOM", [0.8, 0.2]),
    ("kút", "kút", "NOM", [0.6, 0.4]),
    ("mű", "mű", "ACC/NOM", [0.2, 0.8]),
]


def part() -> pa.Table:
    rows = [(lemma, form, f"N;{label};SG", label) for lemma, form, label, _ in ROWS]
    return pa.Table.from_arrays(
        [pa.array(column) for column in zip(*rows, strict=True)], schema=tables.SAMPLE
    )


class Outcome:
    """The artifacts of a task in a folder."""

    def __init__(self, root: Path, how: config.Evaluate) -> None:
        self.layout = Layout("hun-noun-case", root)
        read = ModelOutput(np.array([shares for *_, shares in ROWS], np.float32), Calibration())
        calibrating = config.Calibration(temperature=True, risk=0.1)
        result = evaluation.evaluate(dict.fromkeys(PARTS, part()), [read], LABELS, how, calibrating)
        metrics = self.layout.metrics
        self.predictions = result.predictions
        files.write_json(metrics / "test.json", result.figures)
        for name, table in (
            ("classes", result.classes),
            ("calibration", result.reliability),
            ("coverage", result.coverage),
            ("masking", pd.DataFrame({"symbols": [0, 1], "without_last": 0.5, "only_last": 0.5, "forms": 6})),
        ):
            files.write_csv(metrics / f"{name}.csv", table)
        counts = {"rows": 6, "available": 6, "lemmas": 5, "forms": 6, "labels": {"ACC": 2, "NOM": 5}}
        data = {
            "task": {"feature": "Case", "pos": "N", "raw": "data/raw/hun.tsv.gz"},
            "raw_sha256": "b147d1a96e6bd7c43",
            "read": {"rows": 9, "duplicates": 1, "parts_of_speech": {"N": 8}},
            "dropped": {"bears several values": {"rows": 2, "examples": ["fa fák N;NOM;ACC"]}},
            "kept": 6,
            "parts": dict.fromkeys(PARTS, counts),
        }
        files.write_json(metrics / "data.json", data)
        unread = {"cut_forms": 1, "unknown_symbols": {"ű": 1}, "unseen_labels": {}}
        files.write_json(metrics / "encoding.json", {"width": 9, "parts": dict.fromkeys(PARTS, unread)})
        manifest = {
            "model": {"kind": "ngram", "longest": 8},
            "encoding": {"width": 9, "keep": "end"},
            "training": {"device": "cpu", "seed": 1, "threads": 1, "epoch": 3},
            "calibration": {"temperature": 0.8},
            "weights": {"size": 2048, "sha256": "d57421c0689ae89fe2"},
            "vocabulary": {"labels": ["ACC", "NOM"], "symbols": ["<PAD>", "a", "t"]},
            "versions": {"torch": "2.13.0"},
        }
        files.write_json(self.layout.manifest, manifest)
        files.write_text(self.layout.history, history.to_csv([Epoch(0, 2.0, 0.1, 2.0, 0.1, 0.0)]))
        rows = {
            "form": ["szobat", "fa"],
            "label": ["NOM", "NOM"],
            "predicted": ["ACC", "NOM"],
            "against": ["NOM", "ACC"],
            "rest": [-1.0, 2.0],
            "letters": [[0, 0, 0, 0, 0.5, 3.0], [0.0, -0.5]],
        }
        stressed = [["capitals", 6, 0.5, 0.25, 1.0, "FA (NOM → ACC)"]]
        files.write_csv(self.layout.stress, pd.DataFrame(stressed, columns=list(stress.COLUMNS)))
        audit = {
            "rows": 9,
            "labels": {"lemmas": 1, "whole_paradigms": 0, "shifts": [["ACC", "NOM", 2]]},
            "suspicious": {"label is not the form’s": 2},
            "ambiguous_forms": 1,
            "paradigms": {"lemmas": 5, "lacking_some": 3},
        }
        files.write_json(metrics / "data_audit.json", audit)
        tables.write(self.layout.attributions, pa.Table.from_pydict(rows, schema=tables.ATTRIBUTIONS))
        vocabulary = Vocabulary.build(["aáfthldsoz"], list(LABELS))
        self.analysis = error_analysis.analyse(self.predictions, vocabulary, shown(part()))

    def sections(self, *more: Section, analysis: Analysis | None = None) -> dict[str, Section]:
        found = sections.collect(self.layout, analysis or self.analysis, self.predictions, more)
        assert len({section.anchor for section in found}) == len(found), "every section has its own place"
        return {section.title: section for section in found}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    how = config.load(Path(__file__).parents[3] / "params.yaml").evaluate
    return Outcome(tmp_path_factory.mktemp("report"), how.model_copy(update={"resamples": 100}))


@pytest.fixture
def copy(outcome: Outcome, tmp_path: Path) -> Outcome:
    """The same in a folder that a test may change."""
    shutil.copytree(outcome.layout.root, tmp_path / "copy")
    other = Outcome.__new__(Outcome)
    other.layout = Layout("hun-noun-case", tmp_path / "copy")
    other.predictions, other.analysis = outcome.predictions, outcome.analysis
    return other


def table(section: Section) -> pd.DataFrame:
    assert section.table is not None
    return section.table


def test_the_head_has_task_figure_interval_baseline_ceiling_hashes_and_versions(outcome: Outcome) -> None:
    test = files.read_json(outcome.layout.metrics / "test.json")
    head = sections.head(outcome.layout)
    assert "hun-noun-case" in head.title
    assert head.figure == f"{test['reader']['accuracy']:.2%}"
    reader, ceiling = test["reader"], test["ceiling"]
    for figure in (reader["low"], reader["high"], reader["any_gold"], ceiling["accuracy"]):
        assert f"{figure:.2%}" in head.lead
    assert "best baseline" in head.lead
    facts = dict(head.facts)
    assert "b147d1a96e6b" in facts["table"]
    assert "d57421c0689a" in facts["weights"]
    assert facts["versions"] == "torch 2.13.0"


def test_results_stand_beside_all_baselines_and_the_ceiling(outcome: Outcome) -> None:
    results = outcome.sections()["Results"]
    assert table(results)["reader"].tolist() == [
        "commonest label",
        "longest known suffix",
        "logistic regression on suffixes",
        "this reader",
        "ceiling of any reader of the form alone",
    ]
    assert results.marked == "this reader"
    assert results.picture


def test_forms_of_several_values_are_rows_of_their_own_among_the_confusions(outcome: Outcome) -> None:
    found = table(outcome.sections()["Confusions"])
    assert found.to_dict("index") == {
        "ACC": {"ACC": "100%", "NOM": 0},
        "ACC/NOM": {"ACC": "0.0%", "NOM": "100%"},
        "NOM": {"ACC": 2, "NOM": "50.0%"},
    }


def test_of_very_many_labels_those_with_most_errors_are_shown(outcome: Outcome) -> None:
    from esetrag.report import misreadings

    pairs = [(f"L{i:02}", f"L{i:02}") for i in range(60)] + [("L59", "L58")] * 3
    some = pa.table(
        {
            name: pa.chunked_array([list(column)])
            for name, column in zip(("label", "predicted"), zip(*pairs, strict=True), strict=True)
        }
    )
    found = table(misreadings.confusion(some))
    assert found.shape == (misreadings.SHOWN, misreadings.SHOWN)
    assert found.loc["L59", "L58"] == 3


def test_all_misread_forms_are_there_with_their_letters(outcome: Outcome) -> None:
    found = outcome.sections()["Misread forms"]
    rows = table(found)
    assert [str(form) for form in rows["form"]] == ["szobat", "kút"]
    assert isinstance(rows["form"][0], Letters)
    assert rows["form"][0].scores == [0, 0, 0, 0, 0.5, 3.0]
    assert rows["form"][1] == "kút", "it was not looked at"
    assert rows["true"].tolist() == ["NOM", "NOM"]
    assert rows["read as"].tolist() == ["ACC", "ACC"]
    assert rows["kind"].tolist() == outcome.analysis.errors["kind"].tolist()
    assert found.filters == ("kind", "true", "read as")


def test_without_errors_there_is_no_browser(outcome: Outcome) -> None:
    none = Analysis(
        6, outcome.analysis.errors.head(0), outcome.analysis.confusions.head(0), outcome.analysis.slices
    )
    assert not {"Misread forms", "Kinds of errors"} & set(outcome.sections(analysis=none))


def test_a_form_read_right_is_shown_letter_by_letter(outcome: Outcome) -> None:
    found = table(outcome.sections()["A form of each label, letter by letter"])
    assert [str(form) for form in found["form"]] == ["fa"]
    assert found["held against"].tolist() == ["ACC"]


def test_kinds_of_errors_stress_sets_and_audit_are_shown(outcome: Outcome) -> None:
    found = outcome.sections()
    assert table(found["Kinds of errors"])["misread"].sum() == 2
    assert len(table(found["Stress sets"])) == 1
    assert table(found["Audit of the table"])["rows"].tolist() == [2]


def test_what_else_was_found_out_is_shown(outcome: Outcome) -> None:
    frame = pd.DataFrame({"set": ["loanwords"], "accuracy": [0.5]})
    assert outcome.sections(Section("By hand", table=frame))["By hand"].table is frame


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("calibration.csv", {"Calibration", "Calibration in figures"}),
        ("coverage.csv", {"When it may abstain", "Some points of the curve"}),
    ],
)
def test_a_section_whose_figures_are_not_there_is_left_out(
    copy: Outcome, name: str, titles: set[str]
) -> None:
    before = set(copy.sections())
    (copy.layout.metrics / name).unlink()
    assert before - set(copy.sections()) == titles


@pytest.mark.parametrize(
    "name",
    [
        "test.json",
        "data.json",
        "data_audit.json",
        "encoding.json",
        "classes.csv",
        "masking.csv",
        "stress.csv",
    ],
)
def test_a_stage_that_did_not_run_is_told(copy: Outcome, name: str) -> None:
    (copy.layout.metrics / name).unlink()
    with pytest.raises(DataError, match=name):
        sections.page(copy.layout, copy.analysis, copy.predictions)


def test_the_page_has_it_all_and_is_the_same_each_time(outcome: Outcome) -> None:
    one = sections.page(outcome.layout, outcome.analysis, outcome.predictions)
    assert one == sections.page(outcome.layout, outcome.analysis, outcome.predictions)
    for text in ("bears several values", "ű (1)", "calibration.temperature", "n-grams at both ends", "99"):
        assert text in one
    assert str(outcome.layout.root) not in one
