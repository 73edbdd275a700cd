"""Labels that are bundles of features (``NOM;SG``): the values of each feature and their probabilities.

A bundle is a label like any other: the classifier has one distribution over the bundles that training has,
and that of a feature is its sum over all bundles with a value. So *Haus* can be ACC, DAT or NOM, and SG in
each of them, without a mixture of bundles that no form has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from esetrag.core import features
from esetrag.core.config import Head
from esetrag.scoring.ratios import Bools, Floats, Strings


@dataclass(frozen=True)
class Feature:
    """A feature of bundles."""

    name: str
    """A key of ``features.DIMENSIONS``."""
    values: tuple[str, ...]
    """Sorted; ``features.ABSENT`` where some bundle has none."""
    of_label: Bools
    """The value of each label, (labels, values)."""

    def probabilities(self, shares: Floats, head: Head = "softmax") -> Floats:
        """The feature's own distribution, (n, values).

        Args:
            shares: (n, labels) probabilities of the bundles.
            head: their meaning; ``sigmoid``: a value has the probability that any of its bundles is true.
        """
        each = self.of_label[: shares.shape[1]].astype(np.float64)
        if head == "softmax":
            return shares @ each
        return -np.expm1(np.log1p(-np.minimum(shares, 1 - 1e-9)) @ each)

    def ranked(self, shares: Floats, head: Head, top_k: int) -> tuple[Strings, Floats]:
        """The most probable values and their probabilities, (n, k) each; arguments as ``probabilities``."""
        own = self.probabilities(shares, head)
        best = np.argsort(-own, axis=1, kind="stable")[:, :top_k]
        return np.array(self.values, dtype=object)[best], np.take_along_axis(own, best, 1)

    def true(self, targets: Bools) -> Bools:
        """The values that forms of such labels can have, (n, values), of targets (n, labels)."""
        found: Bools = targets @ self.of_label
        return found


def features_of(labels: Sequence[str], dimensions: Sequence[str]) -> list[Feature]:
    """The features of which some label has a value, in the order in which they are named."""
    made = []
    for name in dimensions:
        found = [features.of_label(label, name) for label in labels]
        values = tuple(sorted({*found}))
        made.append(Feature(name, values, np.array(found)[:, None] == np.array(values)))
    return [feature for feature in made if feature.values != (features.ABSENT,)]
