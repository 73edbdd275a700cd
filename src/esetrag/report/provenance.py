"""Sections of every kind of task: its data, their audit, the training, the model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from esetrag.core.layout import PARTS
from esetrag.data.audit import review
from esetrag.report import figures
from esetrag.report.context import Context
from esetrag.report.section import Block, Picture, Section, Table, distinct, listing, shares
from esetrag.training import history


def description(task: dict[str, Any]) -> str:
    """What a task predicts from which files, from its entry in ``params.yaml``."""
    splits = task.get("splits")
    paths = [f"{task['raw']}/{splits[part]}" for part in PARTS] if splits else [task["raw"]]
    names = ", ".join(f"`{path}`" for path in paths)
    if task["kind"] == "transduce":
        source = task["source"]
        given = source if isinstance(source, list) else [str(task["columns"]["source"])]
        wanted = task.get("target") or task["columns"]["target"]
        return f"column {wanted} of {names}, of {' and '.join(given)}"
    if task.get("source") == "conllu":
        return f"field {task['field']} of the words of {names}"
    if task["kind"] == "tag":
        return f"segments of the words of {names}"
    if task["kind"] == "pair":
        return f"label of the pairs of {names}" + (f" ({task['builder']})" if "builder" in task else "")
    if "feature" not in task:
        return f"label of the words of {names}"
    pos = task["pos"] if isinstance(task["pos"], str) else ", ".join(task["pos"])
    asked = task["feature"] if isinstance(task["feature"], str) else ", ".join(task["feature"])
    return f"{asked.replace('all', 'all features')} of part of speech {pos} of {names}"


def training(context: Context) -> Section:
    """Accuracy before training, loss and accuracy over the epochs."""
    before, kept = context.epochs[0], history.best(context.epochs)
    labels = len(context.manifest["vocabulary"]["labels"])
    writes = context.data["task"]["kind"] in ("tag", "transduce")
    chance = "" if writes else f"; chance among {labels} labels: {1 / labels:.1%}"
    table = pd.DataFrame(map(asdict, context.epochs))
    formats = shares("train_accuracy", "dev_accuracy") | shares("train_loss", "dev_loss", form=".4f")
    text = (
        f"Accuracy before training: {before.train_accuracy:.1%} on the training set and "
        f"{before.dev_accuracy:.1%} on the development set{chance}. "
        f"The model is that of epoch {kept.epoch}: development loss {kept.dev_loss:.4f} nats, accuracy "
        f"{kept.dev_accuracy:.2%}. It is the last epoch within {history.TOLERANCE:g} nats of the lowest "
        "loss. Training figures are means over an epoch while it trains, with "
        "dropout and augmented data where they are used. The test set had no part in any choice."
    )
    alt = "Loss and accuracy over the epochs, on the training and the development set"
    picture = Picture(figures.curves(context.epochs), alt, "curves", png=True)
    marked = context.epochs.index(kept)
    return Section(
        "Training", (text, picture, Table(table, "Each epoch", formats, marked=marked, folded=True))
    )


def data(context: Context) -> Section:
    """What was selected, left out and sampled."""
    content, parts, split = context.data, context.data["parts"], context.data["split"]
    sizes = pd.DataFrame(
        [(part, *(parts[part][name] for name in SIZES)) for part in PARTS], columns=["part", *SIZES]
    )
    labels = pd.DataFrame({part: parts[part]["labels"] for part in PARTS}).fillna(0).astype(int).sort_index()
    dropped = ((why, of["rows"], "; ".join(of["examples"])) for why, of in content["dropped"].items())
    shared = [
        (f"train and {part}", *(split[f"{part}_shares_with_train"][name] for name in SHARED))
        for part in PARTS[1:]
    ]
    forms = {part: rows["form"] for part, rows in context.seen.parts.items()}
    encoding = context.json("encoding.json")
    cuts = (
        (part, of["cut_forms"], _counts(of["unknown_symbols"]), _counts(of["unseen_labels"]))
        for part, of in ((part, encoding["parts"][part]) for part in PARTS)
    )
    families = (
        f"{split['families']:,} families: lemmas that end (or begin, where words inflect at the beginning) "
        f"in the same lemma of {split['shortest_head']} symbols or more, the head."
        if split["families"]
        else f"Not possible with this data: {', '.join(content['left_out'])}."
    )
    blocks = (
        f"Task: {description(content['task'])}. {content['read']['rows']:,} rows, of which "
        f"{content['read']['duplicates']:,} are exact duplicates; {content['kept']:,} were kept.",
        f"Split `{split['kind']}`: {split['guarantee']} {families}",
        Table(distinct(sizes), "Parts"),
        Table(distinct(pd.DataFrame(shared, columns=["both in", *SHARED]))),
        listing("Rows left out", dropped, "reason", "rows", "examples"),
        listing(
            "Parts of speech in the table", content["read"]["parts_of_speech"].items(), "first tag", "rows"
        ),
        listing("Too common to be heads", ((head,) for head in split["heads_passed_over"]), "lemma"),
        Table(labels.rename_axis("label").reset_index(), "Rows of each label", folded=True),
        Picture(figures.lengths(forms, context.seen.longest), "Lengths of the forms", "lengths", png=True),
        f"The model takes {encoding['width'] - 2} symbols of a form and cuts longer forms."
        if encoding["width"]
        else "No word is cut, however long.",
        listing("What the model cannot see", cuts, "part", "forms cut", "unknown symbols", "unseen labels"),
    )
    return Section("Data", _filled(*blocks))


SIZES, SHARED = ("rows", "lemmas", "forms", "available"), ("lemmas", "forms", "family_heads")
"""Counts of data.json: of a part, and of what two parts share."""


def _filled(*blocks: Block) -> tuple[Block, ...]:
    """The blocks without empty tables."""
    return tuple(block for block in blocks if not (isinstance(block, Table) and block.frame.empty))


def audit(context: Context) -> Section:
    """What is doubtful in the table, for a person who knows the language."""
    content, rows = context.json("data_audit.json"), context.csv("review.tsv")
    if not content:
        return Section("Audit of the table", ("Only tables of lemmas, forms and tags are audited.",))
    labels, paradigms, suspicious = content["labels"], content["paradigms"], content["suspicious"]
    missing = sorted(paradigms["missing"].items(), key=lambda entry: (-entry[1], entry[0]))
    spellings = [
        (of["kind"], of["found"], of["expected"], of["rows"], of["beside"]) for of in content["spellings"]
    ]
    kept = "dropped" if "suspicious label" in context.data["dropped"] else "kept"
    kinds = [(kind, review.KINDS[kind], count) for kind, count in suspicious.items()]
    blocks: list[Block] = [
        f"{content['rows']:,} labelled rows were checked; {len(rows):,} findings. `review.tsv` lists them, "
        "strongest evidence first. Only the table itself was consulted: each finding is a question to a "
        "person who knows the language. Errors are best corrected at the source, in UniMorph or Wiktionary. "
        f"Rows with suspicious labels were {kept} (`sample.suspicious`).",
        Table(pd.DataFrame(kinds, columns=["kind", "meaning", "findings"])),
        f"Lemmas with suspicious labels: {labels['lemmas']:,}, with mostly suspicious labels: "
        f"{labels['whole_paradigms']:,}. Forms with several labels, which is no error: "
        f"{content['ambiguous_forms']:,}. The {paradigms['lemmas']:,} lemmas have {paradigms['smallest']} to "
        f"{paradigms['largest']} feature bundles, median {paradigms['median']:g}. Half of the lemmas or more "
        f"have {paradigms['usual_cells']} common bundles; {paradigms['lacking_some']:,} lemmas lack one.",
    ]
    for kind, group in rows.groupby("kind", sort=False):
        found = distinct(group.drop(columns="kind"))
        blocks.append(listing(f"Findings: {kind}", found.to_numpy(), *found.columns))
    tables = (
        listing("Likely labels and labels in the table", labels["shifts"], "likely", "in the table", "rows"),
        listing("Spellings of tags", spellings, "kind", "found", "expected", "rows", "rows as expected"),
        listing("Missing bundles", missing, "bundle", "lemmas that lack it"),
    )
    return Section("Audit of the table", _filled(*blocks, *tables))


def model(context: Context) -> Section:
    """The model, its parameters and hashes."""
    manifest, vocabulary = context.manifest, context.manifest["vocabulary"]
    sections = [(expert["kind"], expert) for expert in manifest["experts"]]
    sections += [(name, manifest[name]) for name in ("encoding", "training", "calibration", "versions")]
    parameters = [
        (f"{name}.{key}", str(value)) for name, values in sections for key, value in sorted(values.items())
    ]
    facts = {
        "labels": " ".join(vocabulary["labels"]),
        f"{len(vocabulary['symbols'])} symbols ({vocabulary['unit']})": " ".join(vocabulary["symbols"]),
        "size": f"{manifest['weights']['size'] / 1024:,.0f} KiB",
        "weights, SHA-256": manifest["weights"]["sha256"],
        "data, SHA-256": str(context.data["raw_sha256"]),
    }
    return Section("Model", (facts, listing("Parameters", parameters, "parameter", "value", limit=None)))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items())
