"""The pages of a task that writes words: inflects, lemmatises or transcribes. See ``report.classify``."""

from __future__ import annotations

import pandas as pd

from esetrag.data import edits, label_sets
from esetrag.report import figures, provenance
from esetrag.report.context import Context
from esetrag.report.errors import groups, kinds
from esetrag.report.results import NAMES, compared
from esetrag.report.section import Headline, Picture, Section, Table, distinct, shares

SCORES = ("model", "accuracy", "interval", "edit_distance", "in_candidates", "ece", "risk_area")
"""Figures of ``test.json``, in the order of the columns."""
CHANGES = 16
"""Changes in the matrix of confusions, those with most errors."""
COLUMNS = (
    *("form", "features", "label", "predicted", "probability", "label_probability", "kind"),
    *("predicted_set", "lemma", "unknown"),
)
"""Of the words that were written wrongly."""


def headline(
    context: Context, written: str = "written", writes: str = "writes", of: str = "lemmas"
) -> Headline:
    """The main figure and what it says."""
    test, train = context.test, context.data["parts"]["train"]
    own, lead, seeds = test["models"][test["model"]], test["lead"], test["seeds"]
    points = [f"{100 * lead[key]:+.2f}".replace("-", "−") for key in ("value", "low", "high")]
    model, baseline = (NAMES.get(name, name) for name in (test["model"], lead["on"]))
    clusters = f" of {test['lemmas']:,} {of}" if test["lemmas"] else ""
    text = (
        f"of {test['rows']:,} test words{clusters} are {written} exactly as in the table "
        f"({test['confidence']:.0%} interval {own['low']:.2%}–{own['high']:.2%}) by the {model} model, "
        f"trained on {train['rows']:,} rows. The best baseline, {baseline}, {writes} "
        f"{test['models'][lead['on']]['accuracy']:.2%} of them: a difference of {points[0]} points "
        f"({points[1]} to {points[2]}). The training rows have all that is needed for "
        f"{test['upper_bound']['accuracy']:.2%}: the upper bound."
    )
    if seeds["count"] > 1:
        text += f" Over {seeds['count']} seeds: {seeds['mean']:.2%} ± {seeds['deviation']:.2%}."
    return Headline(f"{own['accuracy']:.2%}", text)


def results(context: Context) -> Section:
    """The models beside the baselines and the upper bound."""
    test = context.test
    unit = f"their {test['lemmas']:,} lemmas" if test["lemmas"] else "words"
    text = (
        f"All on the same {test['rows']:,} test rows; {test['confidence']:.0%} intervals by bootstrap "
        f"over {unit}. Accuracy: exact match with one of the right words. Edit distance: letters to insert, "
        "delete or replace until it is the nearest right word, mean over the rows. In candidates: a right "
        "word is among those proposed. Edit rules: the change that is most frequent among training words of "
        "the same features with the longest common ending."
    )
    return Section("Results", (text, table(context)))


def table(context: Context) -> Table:
    """All figures of the models, the baselines and the upper bound."""
    return compared(context.test, SCORES, edit_distance=".3f", risk_area=".4f")


def partitions(context: Context) -> Section:
    """Accuracy by what training has of a row."""
    sets = context.csv("stress.csv")
    text = "What training has of a test row: its lemma, its bundle of features, both or neither."
    return Section("Seen and new", (text, Table(sets, "", shares("accuracy", "f1"))))


def misclassified(context: Context) -> Section:
    """All words that were written wrongly."""
    return wrong(context, "written", errors(context))


def wrong(context: Context, how: str, table: Table, more: str = "") -> Section:
    """The table of the errors and how many they are."""
    errors, rows = len(context.analysis.errors), context.analysis.rows
    text = (
        f"{errors:,} of {rows:,} test words are {how} wrongly ({errors / rows:.2%}), the most confident "
        f"first. {more}All are in `data/{context.layout.task}/errors.parquet`."
    )
    return Section(f"Words {how} wrongly", (text, table) if errors else ("There are no errors.",))


def errors(context: Context) -> Table:
    """The words that were written wrongly."""
    frame = context.analysis.errors
    other = frame["predicted_set"].where(frame["predicted_set"] != frame["predicted"])
    lemma = frame["lemma"].where(frame["lemma"] != frame["form"])
    shown = frame.assign(predicted_set=other, lemma=lemma)[list(COLUMNS)]
    formats = shares("probability", "label_probability", form=".1%")
    return Table(distinct(shown), "", formats, filters=("kind", "features"), limit=context.options.examples)


def confusions(context: Context) -> Section:
    """Which change is made in place of which."""
    pairs = edits.confusion(context.predictions)
    counts = pairs.groupby(["label", "predicted"]).size().reset_index(name="forms")
    made = counts[counts["label"] != counts["predicted"]].sort_values("forms", ascending=False)
    shown = pd.unique(made[["label", "predicted"]].to_numpy().ravel())[:CHANGES]
    among = counts["label"].isin(shown) & counts["predicted"].isin(shown)
    counts = counts[among] if len(made) else counts
    text = "`-1 +ának` cuts off a letter and puts four behind; `le+` puts two in front."
    return confused(context, text, counts, "Changes to be made and changes made")


def confused(context: Context, text: str, counts: pd.DataFrame, alt: str) -> Section:
    """The matrix of what is taken for what, and the most frequent errors."""
    picture = Picture(figures.confusion(counts), alt, "confusion", png=True)
    most = context.analysis.confusions.head(context.options.confusions).rename(columns={"errors": "words"})
    return Section("Confusions", (text, picture, Table(most, "Most frequent")))


def attention(context: Context) -> Section:
    """Where the decoder looks."""
    text = (
        "Each row is a symbol that is written, each column one that is read; the darker, the more the "
        "decoder attends to it. `cut(0,1)` leaves the word as it is but for its last letter."
    )
    maps = [figures.attention(row) for row in context.attributions.to_pylist()]
    pictures = (
        Picture(figure, f"Attention, word {number}", f"attention-{number}")
        for number, figure in enumerate(maps, 1)
    )
    masked = figures.masking(context.csv("masking.csv"))
    hidden = "Accuracy where the network sees only the last k letters of a word, or all but the last k."
    picture = Picture(masked, "Accuracy by the number of visible or hidden letters", "masking")
    return Section("What the model uses", (text, *pictures, hidden, picture))


def calibration(context: Context) -> Section:
    """Whether probabilities can be believed."""
    own, rows = context.test["models"][context.test["model"]], context.predictions
    right = label_sets.correct(rows["label"], rows["predicted"]).astype(float)
    diagram = figures.reliability(rows["probability"].to_numpy().astype(float), right)
    text = (
        "A probability is that of a word among the candidates. A model is calibrated if 90 of 100 words "
        f"that it writes with 90% probability are right. Expected calibration error: {own['ece']:.2%}."
    )
    pictures = (
        Picture(diagram, "Accuracy by confidence, with the number of words", "reliability"),
        Picture(
            figures.coverage(context.csv("coverage.csv")), "Error rate by the share answered", "coverage"
        ),
    )
    return Section("Calibration and selective prediction", (text, *pictures))


def use(context: Context) -> Section:
    """What the model is for, and what it is not for."""
    task = context.layout.task
    query = "LEMMA FEATURES" if context.manifest["vocabulary"].get("features") else "WORD …"
    texts = (
        f"Writes the {provenance.description(context.data['task'])}. Command: "
        f"`esetrag {'inflect' if 'FEATURES' in query else 'predict'} {query} --task {task}`.",
        "For words of the kind that it was trained on. It writes something for any word, also of other "
        "languages; the probability says how far to trust it. Its errors: `errors.md`; its data: `data.md`.",
    )
    return Section("Use", texts)


def summary(context: Context) -> tuple[Table, Table]:
    """For the terminal: the models side by side, and the words written wrongly."""
    models = table(context).only("model", "accuracy", "interval", "edit_distance")
    return models, errors(context).only("form", "features", "label", "predicted", "probability")


WRONG = "words written wrongly"
REPORT = (
    *(results, provenance.training, partitions, misclassified, confusions, kinds, groups),
    *(attention, calibration, provenance.data, provenance.audit, provenance.model),
)
ERRORS = (misclassified, confusions, kinds, groups)
CARD = (use, results, partitions, kinds, provenance.model)
