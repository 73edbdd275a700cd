"""Sections about the errors of a classifier."""

from __future__ import annotations

import pandas as pd

from esetrag.data import label_sets
from esetrag.report import figures
from esetrag.report.context import Context
from esetrag.report.section import Letters, Picture, Section, Table, distinct, shares

COLUMNS = (
    *("form", "label", "predicted", "predicted_set", "probability", "label_probability", "kind"),
    *("lemma", "features", "unknown"),
)
"""Of the misclassified forms."""


def misclassified(context: Context) -> Section:
    """All misclassified forms."""
    wrong, rows, noun = len(context.analysis.errors), context.analysis.rows, context.noun
    text = (
        f"{wrong:,} of {rows:,} test {noun} are misclassified ({wrong / rows:.2%}). The most confident "
        "errors come first. Highlighted letters (bold, or orange) support the predicted label, blue ones the "
        "label in the table. The search takes any text; `-ban` finds forms with this end, `ház-` forms with "
        f"this beginning. All are in `data/{context.layout.task}/errors.parquet`."
    )
    return Section(f"Misclassified {noun}", (text, table(context)) if wrong else ("There are no errors.",))


def table(context: Context) -> Table:
    """The misclassified forms."""
    errors, rows = context.analysis.errors, context.attributions.to_pandas()
    letters = dict(zip(zip(rows["form"], rows["predicted"], strict=True), _letters(rows), strict=True))
    forms = [letters.get(key, key[0]) for key in zip(errors["form"], errors["predicted"], strict=True)]
    other = errors["predicted_set"].where(errors["predicted_set"] != errors["predicted"])
    frame = errors.assign(form=forms, predicted_set=other)[list(COLUMNS)]
    formats = shares("probability", "label_probability", form=".1%")
    filters = ("kind", "label", "predicted")
    return Table(distinct(frame), "", formats, filters=filters, limit=context.options.examples)


def _letters(rows: pd.DataFrame) -> list[Letters]:
    forms = rows["form"].str.replace("\t", "~")  # between the two of a pair
    return [Letters(form, tuple(scores)) for form, scores in zip(forms, rows["letters"], strict=True)]


def confusions(context: Context) -> Section:
    """Which label is predicted as which."""
    pairs = context.predictions.select(["label", "predicted"])
    own = label_sets.beside(pairs["label"], pairs["predicted"])  # of several labels the predicted one
    counts = pairs.set_column(0, "label", own).group_by(["label", "predicted"]).aggregate([([], "count_all")])
    matrix = figures.confusion(counts.to_pandas().rename(columns={"count_all": "forms"}))
    confused = context.analysis.confusions.rename(columns={"errors": context.noun})
    tables = (
        Table(confused, "Most frequent confusions", limit=context.options.confusions),
        Table(context.csv("classes.csv"), "Scores of each label", shares("precision", "recall", "f1")),
    )
    picture = Picture(matrix, "Confusion matrix of the test set", "confusion", png=True)
    return Section("Confusions", (picture, *tables))


def kinds(context: Context) -> Section:
    """In what way predictions are wrong, as far as a rule can tell."""
    errors = context.analysis.errors
    examples = errors["form"] + " (" + errors["label"] + " → " + errors["predicted"] + ")"
    found = {kind: examples[errors["kind"] == kind] for kind in context.analysis.kinds}
    rows = [
        (kind, context.analysis.kinds[kind], len(forms), ", ".join(forms.head(5)))
        for kind, forms in found.items()
        if len(forms)
    ]
    names = ["kind", f"the {context.noun.removesuffix('s')} …", "errors", "examples"]
    shown = Table(pd.DataFrame(rows, columns=names), bars="errors")
    text = "Each error has the first kind that applies."
    return Section("Kinds of errors", (text, shown) if rows else ("There are no errors.",))


def groups(context: Context) -> Section:
    """Accuracy on forms that have something in common; the labels are in ``confusions``."""
    slices, labels = context.analysis.slices, {*context.manifest["vocabulary"]["labels"]}
    several = slices.groupby("slice")["value"].transform(
        lambda group: len(group) > 1 and not labels >= {*group}
    )
    frame = slices[several.astype(bool)].rename(columns={"slice": "property", "rows": context.noun})
    frame = frame.assign(error_rate=1 - frame.pop("accuracy"))
    text = f"Test {context.noun} that have a property in common; seen and unseen refer to the training set."
    return Section("Accuracy by group", (text, Table(frame, "", shares("error_rate"), bars="error_rate")))


def stress(context: Context) -> Section:
    """Accuracy on forms that were made hard by rule."""
    sets = context.csv("stress.csv").query("forms > 0")
    text = (
        "Forms that a rule makes from the data; their labels are known by construction. Longest suffix: the "
        "accuracy of that baseline. Untouched: that of the model on the forms before the change. Examples "
        "are errors of the model."
    )
    return Section("Stress sets", (text, Table(sets, "", shares("accuracy", "longest_suffix", "untouched"))))


def attribution(context: Context) -> Section:
    """Which part of a form the model uses."""
    curve, rows = context.csv("masking.csv"), context.attributions
    correct = rows.to_pandas()[label_sets.correct(rows["label"], rows["predicted"])]
    texts = (
        f"Accuracy on {curve['forms'].iloc[0]:,} test forms of which the model sees only the last k symbols, "
        "or all but the last k. A hidden symbol has no effect on the model; the form keeps its length. Where "
        "the first line becomes flat, more symbols do not help the model.",
        "Below, highlighted letters support the predicted label, blue ones the label it is compared with. "
        "Letters and rest sum to the difference of the two labels' scores; the rest belongs to no letter: "
        "the frequency of the labels, and the lemmas that the form could have.",
    )
    picture = Picture(
        figures.masking(curve), "Accuracy by the number of visible or hidden symbols", "masking"
    )
    cells = zip(_letters(correct), *(correct[name] for name in ("predicted", "against", "rest")), strict=True)
    columns = ("form", "predicted", "compared with", "rest")
    letters = Table(pd.DataFrame(cells, columns=columns), "Correct predictions", {"rest": ".2f"})
    return Section("What the model uses", (texts[0], picture, texts[1], letters))
