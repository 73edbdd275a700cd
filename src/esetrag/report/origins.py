"""Sections of the report about what a reader was made from: training, data, model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from esetrag.core.layout import PARTS
from esetrag.report import charts
from esetrag.report.model_card import shape
from esetrag.report.report import Section
from esetrag.training.history import Epoch


def training(epochs: Sequence[Epoch]) -> Section:
    """The course of the training."""
    return Section(
        "Training",
        "Loss and error over the epochs; the weights kept are those of the least loss on dev. "
        "Train: mean over the epoch as it was trained. The test part chose nothing.",
        picture=charts.learning(epochs),
        alt="Two line charts, of the loss and the misread share of train and dev over the epochs",
    )


def data_sections(data: dict[str, Any], encoding: dict[str, Any]) -> Iterator[Section]:
    """What was read, left out and drawn, and what of it the reader cannot see.

    Args:
        data: the data report, ``data.json``.
        encoding: what was encoded, ``encoding.json``.
    """
    parts, read = data["parts"], data["read"]
    sizes = [
        {"part": part, **{name: parts[part][name] for name in ("rows", "lemmas", "forms", "available")}}
        for part in PARTS
    ]
    yield Section(
        "Data",
        f"{data['task']['raw']}: {read['rows']:,} rows read, {read['duplicates']:,} duplicates; "
        f"{data['kept']:,} of part of speech {data['task']['pos']} with a value of "
        f"{data['task']['feature']}. Available: rows of the part before its sample was drawn.",
        pd.DataFrame(sizes),
    )
    dropped = [
        {"why": reason, "rows": entry["rows"], "for example": "; ".join(entry["examples"])}
        for reason, entry in data["dropped"].items()
    ]
    if dropped:
        yield Section("Left out", table=pd.DataFrame(dropped), within=True)
    labels = pd.DataFrame({part: parts[part]["labels"] for part in PARTS}).fillna(0).astype(int).sort_index()
    yield Section(
        "Rows of each label", table=labels.rename_axis("label").reset_index(), folded=True, within=True
    )
    unread = [
        {
            "part": part,
            "forms cut": account["cut_forms"],
            "unknown symbols": _listed(account["unknown_symbols"]),
            "labels unseen in training": _listed(account["unseen_labels"]),
        }
        for part, account in encoding["parts"].items()
    ]
    text = f"Of a form longer than {encoding['width'] - 2} symbols, one end is not read."
    yield Section("What the reader cannot see", text, pd.DataFrame(unread), within=True)


def audited(audit: dict[str, Any], review: Path) -> Iterator[Section]:
    """What is doubtful in the table.

    Args:
        audit: its figures, ``data_audit.json``.
        review: the list of all suspicious rows.
    """
    labels, paradigms = audit["labels"], audit["paradigms"]
    found = [{"suspicious": kind, "rows": rows} for kind, rows in audit["suspicious"].items()]
    yield Section(
        "Audit of the table",
        f"Rows: {audit['rows']:,}. Lemmas with suspicious labels: {labels['lemmas']:,}; "
        f"out of step as a whole: {labels['whole_paradigms']:,}. "
        f"Forms of several values, which is no fault: {audit['ambiguous_forms']:,}. "
        f"Paradigms that lack a usual cell: {paradigms['lacking_some']:,} of {paradigms['lemmas']:,}. "
        f"All suspicious rows, strongest evidence first: {review.name}.",
        pd.DataFrame(found),
    )
    shifts = [
        {"likelier": likelier, "stated": stated, "rows": rows} for likelier, stated, rows in labels["shifts"]
    ]
    if shifts:
        yield Section("Stated and likelier values", table=pd.DataFrame(shifts), folded=True, within=True)


def model_sections(data: dict[str, Any], manifest: dict[str, Any]) -> Iterator[Section]:
    """What the reader is, and the hashes it is known by.

    Args:
        data: the data report, ``data.json``.
        manifest: of the checkpoint.
    """
    training, read, vocabulary = manifest["training"], manifest["encoding"], manifest["vocabulary"]
    facts = {
        "reader": f"{shape(manifest['model'], training)}; {manifest['weights']['size'] / 1024:,.0f} KiB",
        "reads": f"{read['width'] - 2} symbols of a form, of a longer one the {read['keep']}",
        "training": f"on {training['device']}, seed {training['seed']}, threads {training['threads']}; "
        f"the weights are those of epoch {training['epoch']}, the best on dev",
        "labels": " ".join(vocabulary["labels"]),
        "symbols": " ".join(vocabulary["symbols"]),
        "weights, SHA-256": manifest["weights"]["sha256"],
        "table, SHA-256": data["raw_sha256"],
        "versions": versions_of(manifest),
    }
    yield Section(
        "Model",
        "For single words of the language and part of speech it was trained on. It sees no sentence, and "
        "reads something off a word of any other language, too. More on its use: model_card.md beside "
        "this page.",
        _facts(facts),
        kind="facts",
    )
    every = {
        f"{name}.{key}": str(value)
        for name in ("model", "training", "calibration")
        for key, value in sorted(manifest[name].items())
    }
    yield Section("All its parameters", table=_facts(every), kind="facts", folded=True, within=True)


def _listed(counts: dict[str, int]) -> str | None:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items()) or None


def _facts(values: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"name": list(values), "value": list(values.values())})


def versions_of(manifest: dict[str, Any]) -> str:
    """The libraries a checkpoint was made with."""
    return ", ".join(f"{name} {number}" for name, number in sorted(manifest["versions"].items()))
