"""The pages of a task that tags the words of sentences. See ``report.classify``."""

from __future__ import annotations

from esetrag.report import classify, errors, provenance
from esetrag.report.classify import summary, table
from esetrag.report.context import Context
from esetrag.report.results import NAMES
from esetrag.report.section import Headline, Section
from esetrag.report.transduce import partitions


def headline(context: Context) -> Headline:
    """The main figure and what it says."""
    test, seeds, exact = context.test, context.test["seeds"], context.test["exact_sentences"]
    own, lead = test["models"][test["model"]], test["lead"]
    points = [f"{100 * lead[key]:+.2f}".replace("-", "−") for key in ("value", "low", "high")]
    model, baseline = (NAMES.get(name, name) for name in (test["model"], lead["on"]))
    text = (
        f"of {test['rows']:,} words in {test['sentences']:,} test sentences are tagged correctly "
        f"({test['confidence']:.0%} interval {own['low']:.2%}–{own['high']:.2%}) by the {model}, trained on "
        f"{context.data['parts']['train']['rows']:,} sentences. The best baseline, {baseline}, tags "
        f"{test['models'][lead['on']]['accuracy']:.2%}: a difference of {points[0]} points ({points[1]} to "
        f"{points[2]}). Without an error are {exact['value']:.2%} of the sentences ({exact['low']:.2%}–"
        f"{exact['high']:.2%})."
    )
    if seeds["count"] > 1:
        text += f" Over {seeds['count']} seeds: {seeds['mean']:.2%} ± {seeds['deviation']:.2%}."
    return Headline(f"{own['accuracy']:.2%}", text)


def results(context: Context) -> Section:
    """The models beside the baselines."""
    test = context.test
    text = (
        f"All on the same {test['rows']:,} words; {test['confidence']:.0%} intervals by bootstrap over the "
        f"{test['sentences']:,} sentences. The longest-suffix baseline gives a word its most frequent tag, "
        "and an unknown word that of its longest known suffix. Logistic regression sees suffixes alone. "
        "Lower is better for ece (expected calibration error), loss (nats), brier (score) and risk area."
    )
    return Section("Results", (text, table(context)))


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


WRONG = "words tagged wrongly"
REPORT = (
    *(results, provenance.training, partitions, errors.misclassified, errors.confusions, errors.kinds),
    *(errors.groups, classify.calibration, provenance.data, provenance.audit, provenance.model),
)
ERRORS = (errors.misclassified, errors.confusions, errors.kinds, errors.groups)
CARD = (use, results, partitions, errors.kinds, provenance.model)
__all__ = ["CARD", "ERRORS", "REPORT", "WRONG", "headline", "summary"]
