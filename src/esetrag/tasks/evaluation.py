"""The test of a classifier beside baselines and the upper bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch

from esetrag.core import config
from esetrag.core.layout import PARTS, Layout
from esetrag.data import label_sets
from esetrag.data.bundles import Feature, features_of
from esetrag.models.checkpoint import Checkpoint
from esetrag.scoring import calibration, classes, ratios, reliability
from esetrag.scoring.calibration import ModelOutput
from esetrag.scoring.ratios import Bools, Ratio, Strings
from esetrag.symbols.batch import Batch
from esetrag.symbols.encoding import Encoded
from esetrag.tasks import classify
from esetrag.tasks.base import Test, Tested
from esetrag.tasks.classify import Classify


def test(test: Test) -> Tested:
    """Tests a classifier; see ``testing``."""
    return tested(test, Classify())


def tested(test: Test, task: Classify) -> Tested:
    """Tests what classifies: words, pairs, or the words of sentences."""
    own, calibrating = test.checkpoints[0], test.calibrating
    outputs = {test.model.name: output(own, test.encoded)}
    outputs |= others(test.layout, test.compared, test.train, calibrating, test.encoded)
    seeds = [output(checkpoint, test.encoded) for checkpoint in test.checkpoints[1:]]
    words = own.vocabulary
    return evaluate(
        task, test.parts, outputs, words.labels, test.options, calibrating, seeds, words.dimensions
    )


def output(checkpoint: Checkpoint, encoded: Encoded) -> ModelOutput:
    """The calibrated probabilities of a checkpoint's model."""
    logits = checkpoint.network.ranked(Batch.of(encoded, torch.device("cpu")))[0].numpy()
    fitted = checkpoint.calibration
    shares = calibration.probabilities(logits, checkpoint.network.head, fitted).astype(np.float32)
    return ModelOutput(shares, fitted, checkpoint.network.head)


def evaluate(
    task: Classify,
    parts: Mapping[str, pa.Table],
    outputs: Mapping[str, ModelOutput],
    labels: tuple[str, ...],
    options: config.Evaluate,
    calibrating: config.Calibration,
    seeds: Sequence[ModelOutput] = (),
    dimensions: Sequence[str] = (),
) -> Tested:
    """Compares predictions with the true labels.

    Args:
        task: what its kind does.
        parts: ``train``, on which the baselines are trained, ``dev``, on which they are calibrated, ``test``.
        outputs: for the test rows, by name of the model; the first is the task's, others stand beside it.
        labels: names behind the columns of probabilities.
        options: intervals and the suffix baseline.
        calibrating: how the baselines are calibrated.
        seeds: outputs of the task's model after trainings with other seeds.
        dimensions: the features that a label joins, if several.
    """
    test, (name, output) = parts["test"], next(iter(outputs.items()))
    targets = classify.true_labels(test, labels)
    known = targets[:, : len(labels)]
    baselines = _baselines(task, parts, labels, options, calibrating)
    everyone = {**outputs, **baselines}
    by_model = {key: task.scores(test, each, labels) for key, each in everyone.items()}
    clusters = clusters_of(test)
    intervals = ratios.intervals(
        {(key, score): by_model[key][score] for key in everyone for score in ("accuracy", "any_correct")},
        clusters,
        options,
    )
    names = classify.values(test, labels)
    per_class = {
        key: classes.per_class(classify.label_matrix(each, targets), targets, names)
        for key, each in everyone.items()
    }
    bins = {
        key: reliability.reliability(each.probabilities, known, each.head) for key, each in everyone.items()
    }
    models = {
        key: {
            **{score: ratio.value for score, ratio in by_model[key].items()},
            "loss": by_model[key]["loss"].value if known.any() else None,
            "low": intervals[key, "accuracy"].low,
            "high": intervals[key, "accuracy"].high,
            "any_correct_low": intervals[key, "any_correct"].low,
            "any_correct_high": intervals[key, "any_correct"].high,
            **({"auc": classes.auc(each.probabilities[:, 1], known[:, 1])} if len(labels) == 2 else {}),
            "macro_f1": classes.macro_f1(per_class[key]),
            "ece": reliability.expected_error(bins[key]),
            "risk_area": reliability.area(each.probabilities, known),
            **each.calibration.figures,
        }
        for key, each in everyone.items()
    }
    best = max(baselines, key=lambda key: models[key]["any_correct"])
    lead = ratios.difference(by_model[name]["any_correct"], by_model[best]["any_correct"], clusters, options)
    own = intervals[name, "any_correct"]
    figures: dict[str, Any] = {
        "confidence": options.confidence,
        "rows": len(test),
        "pairs": int(targets.sum()),
        "ambiguous_forms": int((targets.sum(1) > 1).sum()),
        "lemmas": pc.count_distinct(test["lemma"]).as_py(),
        "unseen_labels": int((~known.any(1)).sum()),
        "model": name,
        "baselines": list(baselines),
        "models": models,
        "upper_bound": {"accuracy": upper_bound(targets), "any_correct": 1.0, "set_f1": 1.0},
        "lead": {**asdict(lead), "on": best},
        # Two models that err as often, independently of each other, differ by so much by chance.
        "resolution": math.sqrt(2) * (own.high - own.low) / 2,
        "seeds": spread([task.scores(test, each, labels)["accuracy"].value for each in (output, *seeds)]),
    }
    if dimensions:
        features = features_of(names, dimensions)
        figures["features"] = by_feature(everyone, targets, features, clusters, options)
    predictions = task.predictions(test, output, labels)
    return Tested(
        predictions,
        figures,
        per_class[name].sort_values("label", ignore_index=True),
        pd.concat(bins, names=["model"]).reset_index("model").reset_index(drop=True),
        reliability.coverage(output.probabilities, known),
        confusion(predictions),
    )


def by_feature(
    outputs: Mapping[str, ModelOutput],
    targets: Bools,
    features: Sequence[Feature],
    clusters: Strings,
    options: config.Evaluate,
) -> dict[str, dict[str, dict[str, float]]]:
    """Of each feature and each model the accuracy, its interval, the calibration error.

    The most probable value is correct if one of the form's bundles has it. ``targets`` are (n, labels).
    """
    figures = {}
    for feature in features:
        true = feature.true(targets)
        shares = {key: feature.probabilities(each.probabilities, each.head) for key, each in outputs.items()}
        correct = {key: Ratio.mean(calibration.correct(each, true)) for key, each in shares.items()}
        bins = {key: reliability.reliability(shares[key], true, each.head) for key, each in outputs.items()}
        figures[feature.name] = {
            key: {
                "accuracy": found.value,
                "low": found.low,
                "high": found.high,
                "ece": reliability.expected_error(bins[key]),
            }
            for key, found in ratios.intervals(correct, clusters, options).items()
        }
    return figures


def others(
    layout: Layout,
    models: config.Compared,
    options: config.Train,
    calibrating: config.Calibration,
    test: Encoded,
) -> dict[str, ModelOutput]:
    """Trains models on the same rows, to stand beside the task's own.

    Args:
        layout: of the task.
        models: which.
        options: of training.
        calibrating: what is fitted on dev.
        test: encoded test rows.
    """
    from esetrag.training import trainer  # PyTorch
    from esetrag.training.data import Data

    data = Data.read(layout)
    return {model.name: trainer.fit(data, model, options).output(data, test, calibrating) for model in models}


def upper_bound(targets: Bools) -> float:
    """The best strict accuracy of predictions of one label a form, of targets (n, values)."""
    return float(targets.any(1).sum() / targets.sum())


def clusters_of(rows: pa.Table) -> Strings:
    """What the bootstrap draws: the lemma of each row, or its form where there is no lemma."""
    clusters: Strings = pc.coalesce(rows["lemma"], rows["form"]).to_numpy().astype(object)
    return clusters


def confusion(predictions: pa.Table) -> pd.DataFrame:
    """A true label of every form beside the predicted one; the same if that is a true one.

    Args:
        predictions: columns ``label`` and ``predicted``.
    """
    predicted = predictions["predicted"]
    columns = {"label": label_sets.beside(predictions["label"], predicted), "predicted": predicted}
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return frame


def _baselines(
    task: Classify,
    parts: Mapping[str, pa.Table],
    labels: tuple[str, ...],
    options: config.Evaluate,
    calibrating: config.Calibration,
) -> dict[str, ModelOutput]:
    train, dev, test = (task.asked(parts[part]) for part in PARTS)
    targets = label_sets.matrix(parts["dev"]["label"], labels)
    outputs = {}
    rows = parts["train"].set_column(1, "form", train)
    for name, logits in task.baselines(rows, labels, options.suffix_length).items():
        fitted = calibration.fit(logits(dev), targets, "softmax", calibrating, labels)
        shares = calibration.probabilities(logits(test), "softmax", fitted)
        outputs[name] = ModelOutput(shares, fitted)
    return outputs


def spread(accuracies: list[float]) -> dict[str, float]:
    """Mean and standard deviation of the strict accuracies of several seeds."""
    spread = {"count": len(accuracies), "mean": float(np.mean(accuracies))}
    return {**spread, "deviation": float(np.std(accuracies, ddof=1))} if len(accuracies) > 1 else spread
