"""The pages of a task that tags the words of sentences. See ``report.classify``."""

from __future__ import annotations

from dataclasses import replace

from esetrag.report import classify, errors, provenance, transduce
from esetrag.report.context import Context
from esetrag.report.section import Headline, Section, Table


def headline(context: Context) -> Headline:
    """The main figure and what it says."""
    own, exact = transduce.headline(context, "tagged", "tags", "sentences"), context.test["exact_sentences"]
    interval = f"{exact['low']:.2%}–{exact['high']:.2%}"
    return replace(
        own, text=f"{own.text} Without an error are {exact['value']:.2%} of the sentences ({interval})."
    )


def results(context: Context) -> Section:
    """The models beside the baselines."""
    test = context.test
    text = (
        f"All on the same {test['rows']:,} words; {test['confidence']:.0%} intervals by bootstrap over the "
        f"{test['lemmas']:,} sentences. The longest-suffix baseline gives a word its most frequent tag, "
        "and an unknown word that of its longest known suffix. Logistic regression sees suffixes alone. "
        "Lower is better for ece (expected calibration error), loss (nats), brier (score) and risk area."
    )
    return Section("Results", (text, classify.table(context)))


def misclassified(context: Context) -> Section:
    """All words that were tagged wrongly, with their sentences."""
    names = {"lemma": "sentence", "features": "place"}
    listed = errors.table(context)
    shown = replace(listed, frame=listed.frame.rename(columns=names), filters=("kind", "label"))
    return transduce.wrong(context, "tagged", shown)


def use(context: Context) -> Section:
    """What the model is for, and what it is not for."""
    texts = (
        f"Predicts the {provenance.description(context.data['task'])}, each in its sentence. Command: "
        f"`esetrag predict --task {context.layout.task} --text TEXT`, or `--input FILE` with a sentence a "
        "line and spaces between its words and marks.",
        "For sentences of the kind that it was trained on. It also tags other languages; the probabilities "
        "say how far to trust it. Its errors: `errors.md`; its data: `data.md`.",
    )
    return Section("Use", texts)


def summary(context: Context) -> tuple[Table, Table]:
    """For the terminal: the models side by side, and the words tagged wrongly without their sentences."""
    models, wrong = classify.summary(context)
    return models, wrong.only("form", "label", "predicted", "probability")


WRONG = "words tagged wrongly"
REPORT = (
    *(results, provenance.training, transduce.partitions, misclassified, errors.confusions),
    *(errors.kinds, errors.groups, classify.calibration, provenance.data, provenance.audit),
    provenance.model,
)
ERRORS = (misclassified, errors.confusions, errors.kinds, errors.groups)
CARD = (use, results, transduce.partitions, errors.kinds, provenance.model)
