"""What a model answers for a word, a pair or a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model predicts for a form.

    Attributes:
        form: as it was given.
        labels: the most probable first.
        probabilities: of those labels.
        unknown: the symbols that are not in the training set; invisible ones as ``U+200B``.
        label_set: all values that the form may have, joined by a slash; empty if the model abstains.
        note: why it abstains, if not for a low probability.
        by_feature: if labels are bundles, the values of each feature, the most probable first.
        features: that were given with it.
        names: of a tagger, what the segments are, if they have names.
        tags: of a tagger, the tag of each letter (``data.segments``), or of each word.
        tag_probabilities: the probability of each letter's most probable tag, before calibration; of each
            word's, calibrated.
        words: of a sentence that is tagged.
        lemma: and its probability, if a model that lemmatises was asked, too.
    """

    form: str
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    unknown: str
    label_set: str = ""
    note: str = ""
    by_feature: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    features: str = ""
    names: str = ""
    tags: tuple[str, ...] = ()
    tag_probabilities: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    lemma: str = ""
    lemma_probability: float = 0.0

    @property
    def more(self) -> dict[str, Any]:
        """What only some predictions have, as JSON."""
        names = ["note", "features", "names", "words", "tags", "tag_probabilities", "by_feature", "lemma"]
        names += ["lemma_probability"] if self.lemma else []
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def record(self, several: bool) -> dict[str, Any]:
        """As a record of JSON: the top label and, if ``several``, all labels."""
        top = {"form": self.form, "label": self.labels[0], "probability": self.probabilities[0]}
        ranks = {"labels": self.labels, "probabilities": self.probabilities} if several else {}
        return {**top, "label_set": self.label_set, "unknown": self.unknown, **ranks, **self.more}
