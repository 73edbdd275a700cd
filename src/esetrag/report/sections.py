"""What the report of a task shows: its head and its sections, from the figures and tables of the stages.

A section whose inputs are not there is left out.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from esetrag.analysis.error_analysis import Analysis
from esetrag.core import files, tables
from esetrag.core.errors import DataError
from esetrag.core.layout import Layout
from esetrag.report import charts, frames, misreadings, origins, report
from esetrag.report.report import Head, Section
from esetrag.training import history

READERS = {
    "majority": "commonest label",
    "suffix": "longest known suffix",
    "ngram": "logistic regression on suffixes",
    "reader": "this reader",
}
"""Names of what ``test.json`` holds figures of, in the order of the page."""
CEILING = "ceiling of any reader of the form alone"
SCORES = {
    "set_precision": "precision",
    "set_recall": "recall",
    "set_f1": "F1",
    "loss": "loss",
    "brier": "Brier",
    "ece": "ECE",
    "risk_area": "risk area",
}
PLAIN = ("loss", "brier", "risk_area")
SHARE = ".2%"


def page(layout: Layout, analysis: Analysis, predictions: pa.Table, more: Sequence[Section] = ()) -> str:
    """The report of a task as a page; the arguments are those of ``collect``."""
    return report.page(head(layout), collect(layout, analysis, predictions, more))


def head(layout: Layout) -> Head:
    """The top of the page.

    Raises:
        DataError: if a stage's figures are not there.
    """
    data, test, manifest = _figures(layout)
    asked, reader, train = data["task"], test["reader"], data["parts"]["train"]
    labels = len(manifest["vocabulary"]["labels"])
    return Head(
        title=f"{asked['feature']} read off single words: {layout.task}",
        figure=f"{reader['accuracy']:.2%}",
        lead=_lead(test),
        facts=[
            ("task", f"{asked['feature']}, {labels} labels, part of speech {asked['pos']}"),
            ("learnt from", f"{train['rows']:,} forms of {train['lemmas']:,} lemmas"),
            ("table", f"{asked['raw']}, SHA-256 {data['raw_sha256'][:12]}…"),
            ("weights", f"SHA-256 {manifest['weights']['sha256'][:12]}…"),
            ("versions", origins.versions_of(manifest)),
        ],
    )


def _lead(test: dict[str, Any]) -> str:
    reader, lead, seeds, several = (test[key] for key in ("reader", "lead", "seeds", "several_values"))
    forms = f"{test['rows']:,} test forms of {test['lemmas']:,} lemmas"
    values = f"the {test['pairs']:,} values of " if several else ""
    sentences = [
        f"of {values}{forms} are read right "
        f"({test['confidence']:.0%} interval {_between(reader)}, by bootstrap over lemmas)."
    ]
    if several:
        sentences.append(
            f"{several:,} forms bear several values; of {reader['any_gold']:.2%} of all forms, one is read."
        )
    points = [f"{100 * lead[key]:+.2f}".replace("-", "−") for key in ("value", "low", "high")]
    sentences.append(
        f"The best baseline, {READERS[lead['on']]}, reads {test[lead['on']]['any_gold']:.2%} of the forms "
        f"right: a difference of {points[0]} points ({points[1]} to {points[2]}). The {CEILING} is "
        f"{test['ceiling']['accuracy']:.2%}."
    )
    if seeds["count"] > 1:
        sentences.append(f"Over {seeds['count']} seeds: {seeds['mean']:.2%} ± {seeds['deviation']:.2%}.")
    return " ".join(sentences)


def collect(
    layout: Layout, analysis: Analysis, predictions: pa.Table, more: Sequence[Section] = ()
) -> list[Section]:
    """All sections, in the order of the page.

    Args:
        layout: of the task; the figures of all stages are read there.
        analysis: of the misread forms.
        predictions: of the test rows (``tables.predictions``).
        more: what else was found out; it follows the slices.

    Raises:
        DataError: if a stage's figures are not there.
    """
    data, test, manifest = _figures(layout)
    looked = tables.read(layout.attributions, tables.ATTRIBUTIONS)
    errors = [misreadings.browser(looked, analysis)] if len(analysis.errors) else []
    return [
        *_results(test),
        *_calibration(layout),
        misreadings.confusion(predictions),
        Section(
            "Per value",
            "How well each value is read. Precision: of the forms read as it, those that bear it. "
            "Recall: of the forms that bear it, those read as it.",
            _csv(layout.metrics / "classes.csv"),
            formats=dict.fromkeys(("precision", "recall", "f1"), SHARE),
        ),
        *([misreadings.kinds(analysis)] if len(analysis.errors) else []),
        *misreadings.slices(analysis),
        misreadings.stressed(frames.read_stress(layout.stress)),
        *more,
        *misreadings.looked_at(looked, _csv(layout.masking)),
        *errors,
        origins.training(history.read(layout.history)),
        *origins.data_sections(data, files.read_json(layout.metrics / "encoding.json")),
        *origins.audited(files.read_json(layout.metrics / "data_audit.json"), layout.review),
        *origins.model_sections(data, manifest),
    ]


def _figures(layout: Layout) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    data, test = (files.read_json(layout.metrics / name) for name in ("data.json", "test.json"))
    return data, test, files.read_json(layout.manifest)


def _csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(io.BytesIO(path.read_bytes()), keep_default_na=False, na_values=[""])
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); make it: dvc repro") from error


def _between(figures: dict[str, Any]) -> str:
    return f"{figures['low']:.2%}–{figures['high']:.2%}"


def _results(test: dict[str, Any]) -> Iterator[Section]:
    there = {READERS[key]: test[key] for key in READERS if key in test}
    ceiling = test["ceiling"]
    rows = [
        {
            "reader": name,
            "accuracy": figures["accuracy"],
            f"{test['confidence']:.0%} interval": _between(figures),
            "forms right": figures.get("any_gold"),
            "macro-F1": figures["macro_f1"],
        }
        for name, figures in there.items()
    ]
    rows.append({"reader": CEILING, "accuracy": ceiling["accuracy"], "forms right": ceiling.get("any_gold")})
    table = pd.DataFrame(rows)
    close = [{"reader": name, **figures} for name, figures in there.items() if name != READERS["majority"]]
    yield Section(
        "Results",
        "Accuracy: of all values that forms bear, the share that is read; a reader names one value of a "
        "form, so the ceiling is below 100% where forms bear several. Forms right: the value read is one "
        "of the form’s. Intervals by bootstrap over lemmas.",
        table.dropna(axis="columns", how="all"),
        charts.readers(pd.DataFrame(close), ceiling["accuracy"]),
        "Accuracy of the readers with their intervals, beside the ceiling; the figures are in the table",
        formats=dict.fromkeys(table.columns, SHARE),
        marked=READERS["reader"],
    )
    more = pd.DataFrame(
        [
            {"reader": name, **{title: figures.get(score) for score, title in SCORES.items()}}
            for name, figures in there.items()
        ]
    ).dropna(axis="columns", how="all")
    if len(more.columns) > 1:
        plain = {SCORES[score] for score in PLAIN}
        yield Section(
            "Sets and probabilities",
            "Precision, recall and F1 of the sets of values named for a form. Loss in nats, Brier score, "
            "expected calibration error and the area under the curve of risk and coverage: the less, the "
            "better.",
            more,
            formats={name: ".4f" if name in plain else SHARE for name in more.columns},
            marked=READERS["reader"],
            within=True,
        )


def _calibration(layout: Layout) -> Iterator[Section]:
    bins, curve = layout.metrics / "calibration.csv", layout.metrics / "coverage.csv"
    if bins.is_file():
        table = _csv(bins).replace({"reader": READERS})
        drawn = table[table["reader"] != READERS["majority"]]  # it is as sure of every form
        yield Section(
            "Calibration",
            "Are forms read with 80% confidence right in 80 of 100 cases? On the dashed line they are; "
            "below it the reader is too sure, above it not sure enough. Greater dots stand for more forms.",
            picture=charts.reliability(drawn),
            alt="Accuracy of the forms by mean confidence, one line a reader, beside the diagonal",
        )
        yield Section(
            "Calibration in figures",
            folded=True,
            table=table[table["forms"] > 0],
            formats=dict.fromkeys(("low", "high"), ".0%") | dict.fromkeys(("confidence", "accuracy"), SHARE),
            within=True,
        )
    if curve.is_file():
        risks = _csv(curve)
        yield Section(
            "When it may abstain",
            "What is misread if only the forms are answered that the reader is surest of.",
            picture=charts.coverage(risks),
            alt="Share of misread forms among those answered, by the share of forms answered",
        )
        wanted = [risks["coverage"].sub(share).abs().idxmin() for share in (0.5, 0.8, 0.9, 0.95, 0.99, 1.0)]
        yield Section(
            "Some points of the curve",
            table=risks.loc[list(dict.fromkeys(wanted)), ["coverage", "risk", "threshold"]],
            formats={"coverage": ".1%", "risk": ".3%", "threshold": ".4f"},
            within=True,
        )
