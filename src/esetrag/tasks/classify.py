"""The kind ``classify``: one label for a word, or a set of labels where the form is ambiguous."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from esetrag.core import config, tables
from esetrag.data import bundles, label_sets
from esetrag.symbols import encoding
from esetrag.symbols.encoding import Encoded, Keep
from esetrag.symbols.vocabulary import Vocabulary
from esetrag.tasks import baselines
from esetrag.tasks.baselines import Trained

if TYPE_CHECKING:
    from esetrag.scoring.calibration import ModelOutput
    from esetrag.scoring.ratios import Bools, Ratio


@dataclass(frozen=True)
class Classify:
    """See ``base.Task``."""

    entry: config.AnyTask | None = None
    cuts: bool = True

    def vocabulary(self, batches: Iterable[pa.Table], options: config.BuildVocab) -> Vocabulary:
        """Symbols and labels of the training rows (``tables.SAMPLE``), of which a batch is in memory."""
        rows = ((batch["form"].to_pylist(), batch["label"].unique().to_pylist()) for batch in batches)
        vocabulary = Vocabulary.of_batches(rows, options.min_count, options.unit, options.merges)
        if isinstance(self.entry, config.UnimorphTask) and self.entry.does:
            found = bundles.features_of(vocabulary.labels, self.entry.dimensions)
            return replace(vocabulary, dimensions=tuple(feature.name for feature in found))
        return vocabulary

    def texts(self, rows: pa.Table, vocabulary: Vocabulary) -> pa.ChunkedArray:  # noqa: ARG002
        """The forms."""
        return rows["form"]

    def encode(
        self,
        rows: pa.Table,
        vocabulary: Vocabulary,
        width: int,
        keep: Keep,
        steps: int = 0,  # noqa: ARG002
    ) -> Encoded:
        """What is read as ids, label sets as bits."""
        read = rows.set_column(rows.column_names.index("form"), "form", self.texts(rows, vocabulary))
        return encoding.encode_rows(read, vocabulary, width, keep)

    def unseen(self, rows: pa.Table, vocabulary: Vocabulary) -> Mapping[str, int]:
        """Rows of each label that training does not have."""
        counts = Counter[str]()
        for label in rows["label"].value_counts().to_pylist():
            counts.update(dict.fromkeys(label_sets.values(label["values"]), label["counts"]))
        return {label: count for label, count in counts.items() if label not in {*vocabulary.labels}}

    def asked(self, rows: pa.Table) -> pa.ChunkedArray:
        """What baselines are given of rows: the forms."""
        return rows["form"]

    def baselines(self, rows: pa.Table, labels: Sequence[str], suffix_length: int) -> Trained:
        """What a model must beat; see ``baselines.train``."""
        return baselines.train(rows, labels, suffix_length)

    def predictions(self, rows: pa.Table, output: ModelOutput, labels: Sequence[str]) -> pa.Table:
        """Rows (``tables.SAMPLE``) with top label, label set and probabilities (``tables.predictions``)."""
        from esetrag.scoring import calibration

        schema, shares = tables.predictions(list(labels)), output.probabilities.astype(np.float32)
        best = shares.argmax(1)
        sets = label_sets.labels(calibration.sets(output.probabilities, output.calibration.ratio), labels)
        vectors = pa.FixedSizeListArray.from_arrays(
            pa.array(shares.ravel()), type=schema.field("probabilities").type
        )
        top = pa.array(labels, pa.string()).take(pa.array(best))
        confidence = pa.array(shares[np.arange(len(best)), best])
        return pa.Table.from_arrays(
            [*rows.select(tables.ROWS.names).columns, top, sets, confidence, vectors], schema=schema
        )

    def scores(self, rows: pa.Table, output: ModelOutput, labels: Sequence[str]) -> dict[str, Ratio]:
        """Strict and any-correct accuracy, set scores, loss, Brier score.

        Strict accuracy counts a correct prediction once and every true label of a form; ``any_correct`` is
        the share of forms whose top label is one of theirs. ``text_accuracy``, if there is a prior, counts
        labels by it: the accuracy on texts in which labels are so frequent.
        """
        from esetrag.scoring import calibration, reliability
        from esetrag.scoring.ratios import Ratio

        targets = true_labels(rows, labels)
        shares, known = output.probabilities, targets[:, : len(labels)]
        correct = calibration.correct(shares, known)
        scores = {}
        if prior := output.calibration.prior:
            share = known @ (np.array(prior) / np.maximum(known.sum(0), 1))
            scores["text_accuracy"] = Ratio(correct * share, share)
        return {
            "accuracy": Ratio(correct, targets.sum(1)),
            **scores,
            "any_correct": Ratio.mean(correct),
            **calibration.set_scores(label_matrix(output, targets), targets),
            "loss": calibration.losses(shares, known, output.head),
            "brier": reliability.brier(shares, known, output.head),
        }


def values(rows: pa.Table, labels: Sequence[str]) -> list[str]:
    """The labels of a model, then those of the rows that it does not know."""
    return [*labels, *sorted({*label_sets.names(rows["label"])} - {*labels})]


def true_labels(rows: pa.Table, labels: Sequence[str]) -> Bools:
    """The labels of each row, (n, values)."""
    return label_sets.matrix(rows["label"], values(rows, labels))


def label_matrix(output: ModelOutput, targets: Bools) -> Bools:
    """The predicted label sets of forms over all values of ``targets``, (n, values)."""
    from esetrag.scoring import calibration

    chosen = calibration.sets(output.probabilities, output.calibration.ratio)
    return np.pad(chosen, ((0, 0), (0, targets.shape[1] - chosen.shape[1])))
