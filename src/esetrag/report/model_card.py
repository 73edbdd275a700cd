"""The model card: what the reader is for, what it learnt from, how well it reads, where it fails.

Its sections follow Mitchell et al. (2019), *Model Cards for Model Reporting*.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from esetrag.analysis.error_analysis import Analysis
from esetrag.core.errors import DataError
from esetrag.core.layout import PARTS
from esetrag.report import markdown

FAILURES = 5
HEAD = ("reader", "strict accuracy", "interval", "any", "F1 of sets", "macro-F1", "ECE")
UNITS = {"char": "characters", "bpe": "characters and subwords", "word": "whole forms"}


def page(
    task: str, data: dict[str, Any], test: dict[str, Any], manifest: dict[str, Any], analysis: Analysis
) -> str:
    """Renders the card.

    Args:
        task: its name.
        data: the data report, ``data.json``.
        test: the figures of the test, ``test.json``.
        manifest: of the checkpoint.
        analysis: of the misread test forms.

    Raises:
        DataError: if one of the three has not what is shown here.
    """
    try:
        return _page(task, data, test, manifest, analysis)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{task}: data.json, test.json or the checkpoint's manifest is not as this version writes them "
            f"({error!r}); make them anew: dvc repro -f"
        ) from error


def _page(
    task: str, data: dict[str, Any], test: dict[str, Any], manifest: dict[str, Any], analysis: Analysis
) -> str:
    asked, vocabulary = data["task"], manifest["vocabulary"]
    readers = [
        ("commonest label", "majority"),
        ("longest known suffix", "suffix"),
        ("logistic regression on suffixes", "ngram"),
        ("**this reader**", "reader"),
    ]
    results = [
        (
            name,
            f"{test[key]['accuracy']:.2%}",
            f"{test[key]['low']:.2%} to {test[key]['high']:.2%}",
            *(f"{test[key][figure]:.2%}" for figure in ("any_gold", "set_f1", "macro_f1", "ece")),
        )
        for name, key in readers
    ]
    results.append(
        ("ceiling of any reader of the form alone", f"{test['ceiling']['accuracy']:.2%}", *[""] * 5)
    )
    parts = [
        (part, *(f"{data['parts'][part][column]:,}" for column in ("rows", "available", "lemmas")))
        for part in PARTS
    ]
    failures = [
        (row.label, row.predicted, f"{row.errors:,}", _examples(analysis, str(row.label), str(row.predicted)))
        for row in analysis.confusions.head(FAILURES).itertuples()
    ]
    weakest = analysis.slices[analysis.slices["errors"] > 0].sort_values(["accuracy", "slice", "value"])
    slices = [
        (f"{row.slice}: {row.value}", f"{row.rows:,}", f"{row.errors:,}", f"{row.accuracy:.2%}")
        for row in weakest.head(FAILURES).itertuples()
    ]
    return "\n".join(
        [
            f"# Model card: {task}\n",
            f"Reads {asked['feature']} off an isolated word form of part of speech {asked['pos']}:",
            f"one label of {len(vocabulary['labels'])}, with a probability.\n",
            "## Use\n",
            "```console",
            f"$ esetrag predict WORD … --task {task} --top-k 3",
            "```\n",
            "For single words of the language and part of speech it was trained on. It sees no sentence,",
            "gives one label where a form bears several, and gives one to a word of any other language",
            "or part of speech too. Symbols it does not know are reported. Of a form longer than",
            f"{manifest['encoding']['width'] - 2} symbols it reads the {manifest['encoding']['keep']}.\n",
            "Labels: " + ", ".join(vocabulary["labels"]) + ".\n",
            "## Results on the test part\n",
            f"{test['rows']:,} forms of {test['lemmas']:,} lemmas, {test['several_values']:,} of them",
            f"of several values; intervals of {test['confidence']:.0%} by bootstrap over lemmas.",
            "*Strict*: share of the pairs of form and value whose value is read. *Any*: the value read is",
            "one of the form's. *ECE*: expected calibration error.\n",
            markdown.table(HEAD, results, "lrrrrrr"),
            f"\nReaders whose shares of misread forms differ by less than {test['resolution']:.2%} cannot be",
            "told apart on this test part.",
            "\n## Known failures\n",
            _table(("true", "read as", "forms", "for example"), failures, "llrl"),
            "\nWhere it reads worst:\n",
            _table(("slice", "forms", "misread", "accuracy"), slices, "lrrr"),
            "\nAll misread forms: `errors.md` beside this page.\n",
            "## Data\n",
            f"`{asked['raw']}`, SHA-256 `{data['raw_sha256']}`. {data['split']['guarantee']}",
            "What was left out, and why: `data.md` beside this page.\n",
            markdown.table(("part", "rows", "available", "lemmas"), parts, "lrrr"),
            "\n## Model\n",
            *_model(manifest),
            "",
        ]
    )


def _model(manifest: dict[str, Any]) -> list[str]:
    model, training, weights = manifest["model"], manifest["training"], manifest["weights"]
    versions = ", ".join(f"{name} {number}" for name, number in sorted(manifest["versions"].items()))
    return [
        f"{len(manifest['vocabulary']['symbols'])} symbols ({UNITS[manifest['vocabulary']['unit']]}), "
        f"{shape(model, training)};",
        f"{weights['size'] / 1024:,.0f} KiB.",
        f"Trained on {training['device']}, seed {training['seed']}, threads {training['threads']};",
        f"the weights are those of epoch {training['epoch']}, the best on dev.\n",
        f"Weights: SHA-256 `{weights['sha256']}`. Versions: {versions}.",
    ]


def shape(model: dict[str, Any], training: dict[str, Any]) -> str:
    """What the network is made of, in words; the manifest's entries `model` and `training`."""
    if model["kind"] == "ngram":
        weight = training.get("lemmas")
        lemmas = f", and a character model of the training lemmas that weighs {weight:.2f}" if weight else ""
        return f"weights of the n-grams at both ends of a form, up to {model['longest']} symbols long{lemmas}"
    directions = "bidirectional" if model["bidirectional"] else "one-way"
    return (
        f"embedding {model['embedding']}, {model['layers']} {directions} LSTM layer(s) of "
        f"{model['hidden']}, a linear layer"
    )


def _table(head: markdown.Row, rows: Sequence[markdown.Row], align: str) -> str:
    return markdown.table(head, rows, align) if rows else "None on the test part."


def _examples(analysis: Analysis, label: str, predicted: str) -> str:
    errors = analysis.errors
    some = errors[(errors["label"] == label) & (errors["predicted"] == predicted)]["form"].head(3)
    return ", ".join(f"*{form}*" for form in some)
