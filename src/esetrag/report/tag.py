"""The pages of a task that tags letters: words in segments. See ``report.classify``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from esetrag.data import segments
from esetrag.report import figures, provenance, transduce
from esetrag.report.context import Context
from esetrag.report.errors import groups, kinds
from esetrag.report.results import compared
from esetrag.report.section import Headline, Letters, Picture, Section, Table, distinct, shares
from esetrag.report.transduce import calibration, partitions

SCORES = ("model", "accuracy", "interval", "f1", "tag_accuracy", "in_candidates", "ece", "risk_area")
"""Figures of ``test.json``, in the order of the columns."""
COLUMNS = (
    *("form", "label", "predicted", "probability", "label_probability", "kind"),
    *("predicted_set", "lemma", "features", "unknown"),
)
"""Of the words that were segmented wrongly."""


def headline(context: Context) -> Headline:
    """The main figure and what it says."""
    return transduce.headline(context, "split", "splits")


def results(context: Context) -> Section:
    """The models beside the baselines and the upper bound."""
    test = context.test
    unit = f"their {test['lemmas']:,} lemmas" if test["lemmas"] else "words"
    text = (
        f"All on the same {test['rows']:,} test words; {test['confidence']:.0%} intervals by bootstrap over "
        f"{unit}. Accuracy: words whose segments, with their names, are exactly those of the table. F1: of "
        "segments, as the shared task of SIGMORPHON 2022 defines it. Tag accuracy: of letters. The split "
        "table does what is most frequent among training words with the longest common ending."
    )
    return Section("Results", (text, table(context)))


def table(context: Context) -> Table:
    """All figures of the models, the baselines and the upper bound."""
    return compared(context.test, SCORES, risk_area=".4f")


def coloured(label: str) -> Letters:
    """A segmentation whose segments differ in colour."""
    text = segments.shown(label)
    sizes = [len(part) for part in text.split(segments.BOUNDARY)]
    levels = (0.0, 1.0, -1.0)
    colours = [(levels[n % 3],) * size + (0.0,) for n, size in enumerate(sizes)]
    return Letters(text, sum(colours, ())[:-1])


def _uncertain(row: dict[str, Any]) -> Letters:
    """A word whose letters are the stronger, the less certain their tags are; a row of ``tables.TAGGED``."""
    return Letters(row["form"], tuple(1 - share for share in row["letters"]))


def misclassified(context: Context) -> Section:
    """All words that were segmented wrongly."""
    colours = "Segments differ in colour; of the form the letters are highlighted whose tags are uncertain. "
    return transduce.wrong(context, "split", errors(context), colours)


def errors(context: Context) -> Table:
    """The words that were segmented wrongly."""
    frame, rows = context.analysis.errors, context.attributions.to_pylist()
    uncertain = {row["form"]: _uncertain(row) for row in rows}
    made = {name: frame[name].map(coloured) for name in ("label", "predicted")}
    shown = frame.assign(
        **made,
        form=[uncertain.get(form, form) for form in frame["form"]],
        predicted_set=frame["predicted_set"].where(frame["predicted_set"] != frame["predicted"]),
    )
    formats = shares("probability", "label_probability", form=".1%")
    listed = distinct(shown[list(COLUMNS)])
    return Table(listed, "", formats, filters=("kind",), limit=context.options.examples)


def confusions(context: Context) -> Section:
    """Which segments are taken for which."""
    pairs = segments.confusion(context.predictions)
    counts = pairs.groupby(["label", "predicted"]).size().reset_index(name="forms")
    text = "What the segments of a word are, or how many there are if they have no names."
    return transduce.confused(context, text, counts, "Segments there are and found")


def uncertainty(context: Context) -> Section:
    """Which letters the model looks at, and which it is unsure of."""
    hidden = "Accuracy where the network sees only the last k letters of a word, or all but the last k."
    masked = figures.masking(context.csv("masking.csv"))
    picture = Picture(masked, "Accuracy by the number of visible or hidden letters", "masking")
    rows = [row for row in context.attributions.to_pylist() if row["label"] == row["predicted"]]
    cells = [(_uncertain(row), coloured(row["predicted"]), min(row["letters"])) for row in rows]
    frame = pd.DataFrame(cells, columns=["form", "predicted", "least certain letter"])
    text = "Of words that are split rightly, the letters are highlighted whose tags are least certain."
    return Section(
        "What the model uses", (hidden, picture, text, Table(frame, "", shares("least certain letter")))
    )


def use(context: Context) -> Section:
    """What the model is for, and what it is not for."""
    texts = (
        f"Finds the {provenance.description(context.data['task'])}. Command: "
        f"`esetrag predict WORD … --task {context.layout.task}`.",
        "For words of the kind that it was trained on. It splits any word, also of other languages; the "
        "probability says how far to trust it. Its errors: `errors.md`; its data: `data.md`.",
    )
    return Section("Use", texts)


def summary(context: Context) -> tuple[Table, Table]:
    """For the terminal: the models side by side, and the words split wrongly."""
    models = table(context).only("model", "accuracy", "interval", "f1")
    return models, errors(context).only("form", "label", "predicted", "probability", "kind")


WRONG = "words split wrongly"
REPORT = (
    *(results, provenance.training, partitions, misclassified, confusions, kinds, groups),
    *(uncertainty, calibration, provenance.data, provenance.audit, provenance.model),
)
ERRORS = (misclassified, confusions, kinds, groups)
CARD = (use, results, partitions, kinds, provenance.model)
