"""The pages of a task that classifies forms: lists of functions that make a section each.

Another kind of task has a module like this one, with the same public names, and an entry in
``pages.KINDS``.
"""

from __future__ import annotations

from esetrag.data import label_sets
from esetrag.report import bundles, errors, figures, provenance
from esetrag.report.context import Context
from esetrag.report.results import NAMES, compared
from esetrag.report.section import Headline, Picture, Section, Table, shares

SCORES = (
    *("model", "accuracy", "interval", "text_accuracy", "any_correct", "set_f1", "macro_f1", "auc", "ece"),
    *("set_precision", "set_recall", "loss", "brier", "risk_area"),
)
"""Figures of ``test.json``, in the order of the columns."""


def headline(context: Context) -> Headline:
    """The main figure and what it says."""
    test, train = context.test, context.data["parts"]["train"]
    own, lead, seeds = test["models"][test["model"]], test["lead"], test["seeds"]
    several, best, noun = test["ambiguous_forms"], test["models"][lead["on"]], context.noun
    points = [f"{100 * lead[key]:+.2f}".replace("-", "−") for key in ("value", "low", "high")]
    counted = f"the {test['pairs']:,} labels of " * (several > 0) + f"{test['rows']:,} test {noun}"
    model, baseline = (NAMES.get(name, name) for name in (test["model"], lead["on"]))
    text = (
        f"of {counted} are predicted correctly ({test['confidence']:.0%} interval {own['low']:.2%}–"
        f"{own['high']:.2%}) by the {model} model, trained on {train['rows']:,} {noun}. The best baseline, "
        f"{baseline}, is correct on {best['any_correct']:.2%} of the {noun}: a "
        f"difference of {points[0]} points ({points[1]} to {points[2]}). The upper bound of any model of "
        f"what is given is {test['upper_bound']['accuracy']:.2%}."
    )
    if several:
        text += f" {several:,} {noun} have several labels; {own['any_correct']:.2%} of all get one of theirs."
    if seeds["count"] > 1:
        text += f" Over {seeds['count']} seeds: {seeds['mean']:.2%} ± {seeds['deviation']:.2%}."
    return Headline(f"{own['accuracy']:.2%}", text)


def results(context: Context) -> Section:
    """The models beside the baselines and the upper bound."""
    test, noun = context.test, context.noun
    unit = f"their {test['lemmas']:,} lemmas" if test["lemmas"] else noun
    text = (
        f"All on the same {test['rows']:,} test {noun}; {test['confidence']:.0%} intervals by bootstrap "
        f"over {unit}. Models whose error rates differ by less than "
        f"{test['resolution']:.2%} are within chance on this test set. Lower is better for ece (expected "
        "calibration error), loss (nats), brier (score) and risk area (under the risk-coverage curve)."
    )
    several = (
        f"{test['ambiguous_forms']:,} {noun} have several labels. Accuracy: the share of all labels of "
        f"{noun} that are predicted, with one prediction each. Any correct: the share of {noun} whose "
        "prediction is one of their labels."
        if test["ambiguous_forms"]
        else f"All {noun} have one label: scores of label sets equal the accuracy and are left out."
    )
    return Section("Results", (text, several, table(context), *bundles.by_feature(context)))


def table(context: Context) -> Table:
    """All figures of the models, the baselines and the upper bound."""
    return compared(context.test, SCORES, **dict.fromkeys(("loss", "brier", "risk_area"), ".4f"))


def calibration(context: Context) -> Section:
    """Whether probabilities can be believed, and what abstention gains."""
    rows, own = context.predictions, context.test["models"][context.test["model"]]
    correct = label_sets.correct(rows["label"], rows["predicted"]).astype(float)
    if context.manifest["experts"][0]["head"] == "softmax":  # the labels of a form share one probability
        correct /= 1 + rows["label"].to_pandas().str.count(label_sets.CHOICE).to_numpy()
    bins, curve = context.csv("calibration.csv").replace({"model": NAMES}), context.csv("coverage.csv")
    diagram = figures.reliability(rows["probability"].to_numpy().astype(float), correct)
    formats = shares("confidence", "accuracy") | shares("low", "high", form=".0%")
    abstains = f"below a confidence of {own['threshold']:.2%}" if own["threshold"] else "nowhere"
    texts = (
        "A model is calibrated if 90 of 100 forms that it classifies with 90% confidence are correct. Below "
        "the dashed line it is overconfident, above it underconfident. Expected calibration error: "
        f"{own['ece']:.2%}.",
        "Selective prediction: the model answers where it is most confident and abstains elsewhere. With the "
        f"threshold chosen on the development set, it abstains {abstains}.",
    )
    return Section(
        "Calibration and selective prediction",
        (
            texts[0],
            Picture(diagram, "Accuracy by confidence, with the number of forms", "reliability"),
            Table(bins.query("forms > 0"), "Confidence and accuracy of each model", formats, folded=True),
            texts[1],
            Picture(figures.coverage(curve), "Error rate by the share of forms answered", "coverage"),
        ),
    )


def use(context: Context) -> Section:
    """What the model is for, and what it is not for."""
    texts = (
        f"Predicts the {provenance.description(context.data['task'])}, for a single word without context: "
        "one label, with a probability. Command: "
        f"`esetrag predict WORD … --task {context.layout.task} --top-k 3`.",
        "For words of the kind that it was trained on. It sees no sentence and gives one label where a form "
        "has several. It also gives a label to words of other languages and other parts of speech. It "
        "reports symbols that the training set does not have. Its errors: `errors.md`; its data: `data.md`.",
    )
    return Section("Use", texts)


def summary(context: Context) -> tuple[Table, Table]:
    """For the terminal: the models side by side, and the misclassified forms."""
    models = table(context).only("model", "accuracy", "interval", "any_correct", "macro_f1")
    return models, errors.table(context).only("form", "label", "predicted", "probability", "lemma")


WRONG = "misclassified forms"
REPORT = (
    *(results, provenance.training, errors.misclassified, errors.confusions, errors.kinds, errors.groups),
    *(errors.stress, errors.attribution, calibration, provenance.data, provenance.audit, provenance.model),
)
ERRORS = (errors.misclassified, errors.confusions, errors.kinds, errors.groups, errors.stress)
CARD = (use, results, errors.kinds, errors.groups, provenance.model)
