"""The pages of a task that labels pairs: those of a classifier, with kinds of errors of their own."""

from __future__ import annotations

from esetrag.report import errors, provenance
from esetrag.report.classify import calibration, headline, results, summary
from esetrag.report.context import Context
from esetrag.report.section import Section
from esetrag.report.transduce import partitions

__all__ = ["CARD", "ERRORS", "REPORT", "WRONG", "headline", "summary"]


def use(context: Context) -> Section:
    """What the model is for, and what it is not for."""
    query = "first<TAB>second" + "<TAB>features" * bool(context.manifest["vocabulary"].get("features"))
    texts = (
        f"Predicts the {provenance.description(context.data['task'])}, with a probability. Command: "
        f"`esetrag predict --task {context.layout.task} --input FILE`, with lines `{query}`.",
        "For pairs of the kind that it was trained on. It also gives a label to pairs of other languages. "
        "Its errors: `errors.md`; its data: `data.md`.",
    )
    return Section("Use", texts)


WRONG = "misjudged pairs"
REPORT = (
    *(results, provenance.training, partitions, errors.misclassified, errors.confusions, errors.kinds),
    *(errors.groups, errors.attribution, calibration, provenance.data, provenance.audit, provenance.model),
)
ERRORS = (errors.misclassified, errors.confusions, errors.kinds, errors.groups)
CARD = (use, results, partitions, errors.kinds, provenance.model)
